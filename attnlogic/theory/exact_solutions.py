"""The exact solutions: the parameters at which a gate's loss is zero, over the rationals.

On the rows 00 01 10 11 the output is b, ``w2(C+1) + b``, ``w1(C+1) + b`` and ``(w1+w2)(2C+1) + b``
(see ``problems.neuron``), with C = wq·wk·wv. Exact numbers are ``Fraction``s.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from attnlogic.problems import Gate


class Differences(NamedTuple):
    """The two numbers of a gate that decide its theory.

    Attributes:
      s: t01 + t10 - 2 t00.
      d: t11 - t00.
    """

    s: int
    d: int


def differences(gate: Gate) -> Differences:
    """The two differences of a gate with four rows."""
    t00, t01, t10, t11 = gate.targets
    return Differences(t01 + t10 - 2 * t00, t11 - t00)


class Solution(NamedTuple):
    """The parameters at which a gate's loss is exactly zero.

    Attributes:
      C: the invariant wq·wk·wv; None where every C has a solution (the constant gates: w = 0).
      w: the readout (w1, w2); None where a line of readouts solves the gate.
      w_sum: w1 + w2, fixed in every case.
      b: the bias.
    """

    C: Fraction | None
    w: tuple[Fraction, Fraction] | None
    w_sum: Fraction
    b: Fraction

    @property
    def free(self) -> int:
        """How many directions of the six the solution leaves free.

        Two in (wq, wk, wv), whose product alone is fixed; all three where any C will do; one more
        where the readout is a line.
        """
        return (3 if self.C is None else 2) + (self.w is None)

    @property
    def signs(self) -> tuple[str, ...]:
        """The signs that (wq, wk, wv) may have, such as ``"++-"``; empty where C is 0 or free.

        Flipping two of the three signs changes nothing, so they come in classes of four. For C = 0
        at least one of the three is 0 instead.
        """
        if not self.C:
            return ()
        return ("+++", "+--", "-+-", "--+") if self.C > 0 else ("++-", "+-+", "-++", "---")


def solutions(gate: Gate) -> tuple[Solution, ...]:
    """Every exact solution of a two-bit gate: one family, two for the constants.

    With a = t00, s = t01 + t10 - 2a and d = t11 - a:

    - t01 = t10 = a (AND, NAND): C = -1 and w1 + w2 = -d, a line of readouts.
    - If d = 0 as well (the constants): w = 0 with any C; or C = -1 and w1 + w2 = 0.
    - Else C = (d - s)/(2s - d), w1 = (t10 - a)/(C + 1), w2 = (t01 - a)/(C + 1).

    In all of them b = a.

    Args:
      gate: a gate with four rows.
    """
    t00, t01, t10, _ = map(Fraction, gate.targets)
    s, d = differences(gate)
    if t01 == t10 == t00:
        line = Solution(Fraction(-1), None, Fraction(-d), t00)
        zero = Fraction(0)
        return (Solution(None, (zero, zero), zero, t00), line) if d == 0 else (line,)
    c = Fraction(d - s, 2 * s - d)
    w1, w2 = (t10 - t00) / (c + 1), (t01 - t00) / (c + 1)
    return (Solution(c, (w1, w2), w1 + w2, t00),)


def solution(gate: Gate) -> Solution:
    """The exact solution of a two-bit gate: the first, where there are two.

    Args:
      gate: a gate with four rows.

    Returns:
      The solution in ``Fraction``s.

    Example:
      >>> from attnlogic.problems import gate
      >>> solution(gate("xor")).C
      Fraction(-1, 2)
    """
    return solutions(gate)[0]
