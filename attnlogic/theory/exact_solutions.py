"""The exact solutions: the parameters at which a gate's loss is zero, over the rationals.

On the two-bit rows 00 01 10 11 the output is b, ``w2(C+1) + b``, ``w1(C+1) + b`` and
``(w1+w2)(2C+1) + b`` (see ``problems.predict``), with C = wq·wk·wv. With a = t00 and s and d as in
``differences``:

- t01 = t10 = a (AND, NAND): C = -1 and w1 + w2 = -d, a line of readouts.
- If d = 0 as well (the constants): w = 0 with any C; or C = -1 and w1 + w2 = 0.
- Else C = (d - s)/(2s - d), w1 = (t10 - a)/(C + 1), w2 = (t01 - a)/(C + 1).

In all of them b = a. For other numbers of bits and forms of the model the solutions are the zeros
of V(C), see ``least_loss``. Exact numbers are ``Fraction``s.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from attnlogic.errors import InputError
from attnlogic.problems import Gate
from attnlogic.theory.form import NOTEBOOK, Form
from attnlogic.theory.least_loss import landscape
from attnlogic.theory.normal_equations import Equations, equations


class Differences(NamedTuple):
    """The two numbers of a two-bit gate that decide its theory.

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
      C: the invariant wq·wk·wv; None where every C has a solution.
      w: the readout (w1, w2, …); None where many readouts solve the gate.
      w_sum: w1 + w2 + …; None where it is free.
      b: the bias; 0 where the model has none.
      free_readout: in how many directions the readout is free.
      inputs: how many weights w has.
      scale: (p, q) where (p·C + q)·w alone is fixed, to be ``w``; None where w itself is.
    """

    C: Fraction | None
    w: tuple[Fraction, ...] | None
    w_sum: Fraction | None
    b: Fraction
    free_readout: int = 0
    inputs: int = 2
    scale: tuple[int, int] | None = None

    @property
    def free(self) -> int:
        """How many directions of the parameters the solution leaves free.

        Two in (wq, wk, wv), whose product alone is fixed; all three where any C will do; and those
        of the readout.
        """
        return (3 if self.C is None else 2) + self.free_readout

    @property
    def signs(self) -> tuple[str, ...]:
        """The signs that (wq, wk, wv) may have, such as ``"++-"``; empty where C is 0 or free.

        Flipping two of the three signs changes nothing, so they come in classes of four. For C = 0
        at least one of the three is 0 instead.
        """
        if not self.C:
            return ()
        return ("+++", "+--", "-+-", "--+") if self.C > 0 else ("++-", "+-+", "-++", "---")


def solutions(gate: Gate, form: Form = NOTEBOOK) -> tuple[Solution, ...]:
    """Every exact solution of a gate, by families; none where it cannot be solved.

    - One C, at which V is 0, with one readout, or with many where C leaves some without effect.
    - Any C with w = 0, for the gates that a bias alone solves; and the C at which some of w has no
      effect, with any such w.
    - Any C (but one) with a w that it scales, where V is one number.

    Args:
      gate: a gate of any number of bits.
      form: of the model.

    Raises:
      InputError: no such encoding.
    """
    found, shape = equations(gate, form), landscape(gate, form)
    if shape.zero is not None:
        return (_at(found, shape.zero),)
    if not shape.solvable:
        return ()
    if found.energy == 0:
        at_0 = _at(found, Fraction(0))
        zeros = (Fraction(0),) * gate.n
        anywhere = Solution(None, zeros, Fraction(0), at_0.b, inputs=gate.n)
        return (anywhere,) if found.singular is None else (anywhere, _at(found, found.singular))
    p, q = gate.n if form.encoding == "pm1" else 1, int(form.residual)
    unscaled = _at(found, Fraction(1 - q, p))
    return (unscaled._replace(C=None, scale=(p, q)),)


def _at(found: Equations, C: Fraction) -> Solution:
    """The solution that the best readout at C is."""
    w, b = found.readout(C)
    spare = found.without_effect(C)
    # What keeps the sum of w free makes all of w free, in every form.
    total = None if spare == len(w) else sum(w, Fraction(0))
    return Solution(C, None if spare else w, total, b, spare, len(w))


def solution(gate: Gate, form: Form = NOTEBOOK) -> Solution:
    """The exact solution of a gate: the first, where there are two families.

    Args:
      gate: a gate of any number of bits.
      form: of the model.

    Returns:
      The solution in ``Fraction``s.

    Raises:
      InputError: the gate cannot be solved; see ``solvable``.

    Example:
      >>> from attnlogic.problems import gate
      >>> solution(gate("xor")).C
      Fraction(-1, 2)
    """
    found = solutions(gate, form)
    if not found:
        least = float(landscape(gate, form).least)
        raise InputError(
            f"{gate}: the model ({form.text}) has no exact solution, its least loss is "
            f"{least:.6g}: ask solvable(gate, form) first"
        )
    return found[0]


def solvable(gate: Gate, form: Form = NOTEBOOK) -> bool:
    """Whether some parameters solve the gate exactly.

    Example:
      >>> from attnlogic.problems import gate
      >>> solvable(gate("xor")), solvable(gate("parity3")), solvable(gate("and3"))
      (True, False, False)
    """
    return landscape(gate, form).solvable


def exact_C(gate: Gate, form: Form = NOTEBOOK) -> Fraction | None:  # noqa: N802
    """The C of the exact solution; None where any C will do, and where there is no solution."""
    return landscape(gate, form).zero
