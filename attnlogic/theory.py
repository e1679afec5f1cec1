"""What should be found: the exact solutions of each gate, over the rationals.

On inputs in {0, 1} the output is ``w1(C+1) x1 + w2(C+1) x2 + C(w1+w2) x1x2 + b`` (see ``model``).
Matching it to a truth table row by row gives ``b = t00``, ``w1(C+1) = t10 - b``,
``w2(C+1) = t01 - b`` and ``C(w1+w2) = t11 - t10 - t01 + b``.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from attnlogic.gates import Gate


class Solution(NamedTuple):
    """The parameters at which a gate's loss is exactly zero.

    Attributes:
      C: the invariant wq·wk·wv; None where every C has a solution (the constant gates: w = 0).
      w: the readout (w1, w2); None where a line of readouts solves the gate.
      w_sum: w1 + w2, fixed in every case but that of the constants' w = 0.
      b: the bias.
    """

    C: Fraction | None
    w: tuple[Fraction, Fraction] | None
    w_sum: Fraction
    b: Fraction


def solution(gate: Gate) -> Solution:
    """The exact solution of a two-bit gate.

    With a = t00, s = t01 + t10 - 2a, d = t11 - a:

    - t01 = t10 = a (AND, NAND): C = -1 and w1 + w2 = -d, a line of solutions. If d = 0 as well (the
      constants) w = 0 solves it with any C.
    - else C = (d - s)/(2s - d), w1 = (t10 - a)/(C + 1), w2 = (t01 - a)/(C + 1).

    Args:
      gate: a gate with four rows.

    Returns:
      The solution in ``Fraction``s.

    Example:
      >>> from attnlogic.gates import gate
      >>> solution(gate("xor")).C
      Fraction(-1, 2)
    """
    t00, t01, t10, t11 = map(Fraction, gate.targets)
    s, d = t01 + t10 - 2 * t00, t11 - t00
    if t01 == t10 == t00:
        if d == 0:
            return Solution(None, (Fraction(0), Fraction(0)), Fraction(0), t00)
        return Solution(Fraction(-1), None, -d, t00)
    c = (d - s) / (2 * s - d)
    w1, w2 = (t10 - t00) / (c + 1), (t01 - t00) / (c + 1)
    return Solution(c, (w1, w2), w1 + w2, t00)
