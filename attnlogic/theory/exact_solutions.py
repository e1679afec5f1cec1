"""What should be found, and what stands in the way: exact, over the rationals.

On the rows 00 01 10 11 the output is b, ``w2(C+1) + b``, ``w1(C+1) + b`` and ``(w1+w2)(2C+1) + b``
(see ``model``). With a = t00, s = t01 + t10 - 2a and d = t11 - a all follows from two facts:

- For a fixed C the model is linear in w1, w2, b. The vector n = (3C+1, -(2C+1), -(2C+1), C+1) is
  orthogonal to all it can say, so the least loss is ``V(C) = (n·t)²/(4 n·n)``, where
  ``n·t = (d-2s)C + (d-s)`` and ``n·n = 2(9C² + 8C + 2)``, which is never 0.
- At C = -1 attention cancels the residual wherever a token stands alone: rows 01 and 10 cannot be
  told apart, and ``(t01-t10)²/8`` is added to V there. Where t01 ≠ t10, V jumps at that one point.

Exact numbers are ``Fraction``s; a C that is infinite is the float ±inf.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

from attnlogic.problems import ROWS, Gate, Params, loss


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
        """The signs that (wq, wk, wv) may have: ``"++-"``; none told where C is 0 or free.

        Flipping two of the three changes nothing, so they come in classes of four. For C = 0 at
        least one of the three vanishes instead.
        """
        if not self.C:
            return ()
        return ("+++", "+--", "-+-", "--+") if self.C > 0 else ("++-", "+-+", "-++", "---")


def solutions(gate: Gate) -> tuple[Solution, ...]:
    """Every exact solution of a two-bit gate: one family, two for the constants.

    - t01 = t10 = a (AND, NAND): C = -1 and w1 + w2 = -d, a line of readouts.
    - If d = 0 as well (the constants): w = 0 with any C; or C = -1 and w1 + w2 = 0.
    - Else C = (d - s)/(2s - d), w1 = (t10 - a)/(C + 1), w2 = (t01 - a)/(C + 1).

    In all of them b = a.

    Args:
      gate: a gate with four rows.
    """
    t00, t01, t10, _ = map(Fraction, gate.targets)
    s, d = _s_d(gate)
    if t01 == t10 == t00:
        line = Solution(Fraction(-1), None, -d, t00)
        zero = Fraction(0)
        return (Solution(None, (zero, zero), zero, t00), line) if d == 0 else (line,)
    c = (d - s) / (2 * s - d)
    w1, w2 = (t10 - t00) / (c + 1), (t01 - t00) / (c + 1)
    return (Solution(c, (w1, w2), w1 + w2, t00),)


def solution(gate: Gate) -> Solution:
    """The exact solution of a two-bit gate: the first, where there are two.

    Args:
      gate: a gate with four rows.

    Returns:
      The solution in ``Fraction``s.

    Example:
      >>> from attnlogic.problems.gates import gate
      >>> solution(gate("xor")).C
      Fraction(-1, 2)
    """
    return solutions(gate)[0]


def readout(gate: Gate, C: Fraction) -> Params:
    """The best readout at a fixed C, exactly; the shortest, where C = -1 leaves w1 - w2 free.

    The difference of the rows 10 and 01 fixes w1 - w2, which appears nowhere else. What is left is
    the regression of t00, (t01+t10)/2 twice, t11 on 0, (C+1)/2 twice, 2C+1.

    Args:
      gate: a gate with four rows.
      C: anything a ``Fraction`` is made of.

    Returns:
      ``Params`` with wq = C and wk = wv = 1.
    """
    C = Fraction(C)
    t00, t01, t10, t11 = map(Fraction, gate.targets)
    x = (Fraction(0), (C + 1) / 2, (C + 1) / 2, 2 * C + 1)
    y = (t00, (t01 + t10) / 2, (t01 + t10) / 2, t11)
    x_mean, y_mean = Fraction(sum(x), 4), Fraction(sum(y), 4)
    covariance = sum((xi - x_mean) * yi for xi, yi in zip(x, y, strict=True))
    total = Fraction(covariance, sum((xi - x_mean) ** 2 for xi in x))
    apart = (t10 - t01) / (C + 1) if C != -1 else Fraction(0)
    w = ((total + apart) / 2, (total - apart) / 2)
    return Params(C, Fraction(1), Fraction(1), w, y_mean - total * x_mean)


def V(gate: Gate, C: Fraction) -> Fraction:  # noqa: N802
    """The least loss at a fixed C: exact, at C = -1 too."""
    return Fraction(loss(readout(gate, C), ROWS, gate.targets))


class Landscape(NamedTuple):
    """V as a function of C: ``(slope·C + offset)²/(8(9C² + 8C + 2))``, but at C = -1.

    With p = slope·C + offset, ``V' = p((8 slope - 18 offset)C + 4 slope - 8 offset)/(8q²)`` with
    q = 9C² + 8C + 2: of a gate that is not constant, V has one zero and one maximum, both rational,
    and is monotonic between them, through infinity too. So it falls towards its limit on one side
    only, the maximum's, and rises towards it on the other.

    Attributes:
      slope: d - 2s.
      offset: d - s.
      zero: the C of the solution; None for the constant gates, where V is 0 everywhere.
      maximum: 2d/(s - 5d), where V is greatest; None for the constant gates.
      limit: V for C → ±∞: slope²/72.
      falls_towards: the infinity on whose side V falls to its limit: ±inf; None for constants.
      beside: the limit of V for C → -1: s²/24.
      at: V at C = -1 itself: (t01 - t10)²/8 more.
    """

    slope: Fraction
    offset: Fraction
    zero: Fraction | None
    maximum: Fraction | None
    limit: Fraction
    falls_towards: float | None
    beside: Fraction
    at: Fraction


def landscape(gate: Gate) -> Landscape:
    """V's shape for a gate with four rows."""
    s, d = _s_d(gate)
    slope, offset = d - 2 * s, d - s
    zero = maximum = falls_towards = None
    if slope:  # d = 2s has no solution in bits but d = s = 0, the constants
        zero, maximum = -offset / slope, 2 * d / (s - 5 * d)
        falls_towards = math.inf if maximum > zero else -math.inf
    at = V(gate, Fraction(-1))
    return Landscape(slope, offset, zero, maximum, slope**2 / 72, falls_towards, s**2 / 24, at)


class Point(NamedTuple):
    """Where the gradient vanishes, or a limit that a descent can run towards for ever.

    Attributes:
      name: a ``plateau``, ``ridge`` or ``saddle`` is attained; a ``valley`` is a limit.
      loss: the loss there.
      C: wq·wk·wv there; ±inf in the runaway valley, None where any C is meant.
      readout: (w1, w2, b) there; None in the valleys.
      kind: ``"solution"``; ``"strict saddle"``, whose Hessian has a negative eigenvalue (but where
        so many of wq, wk, wv are 0 that C is flat to the second order); ``"flat saddle"``, whose
        descent is of a higher order throughout; ``"limit"``, never attained; ``"not critical"``.
      note: where it is, in words.
    """

    name: str
    loss: Fraction
    C: Fraction | float | None
    readout: tuple[Fraction, Fraction, Fraction] | None
    kind: str
    note: str


def points(gate: Gate) -> tuple[Point, ...]:
    """Every critical point of the loss but the solutions, and every limit it can descend towards.

    The loss depends on wq, wk, wv through C alone: where the gradient vanishes the readout is the
    best at C, and ∂loss/∂C = 0 (for C ≠ -1 that is V' = 0) or two of the three are 0.

    - linear plateau: C = 0 and two of the three are 0. Where d = 0, V is greatest there, one of the
      three being 0 is enough, and where two are the Hessian has no negative eigenvalue.
    - constant plateau, w = 0: critical only at V's maximum, and only if t01 = t10.
    - ridge: V's maximum, if t01 ≠ t10 and it is not the linear plateau.
    - runaway valley: C grows without bound on the side where V falls to its limit, w ~ 1/C. Under
      gradient flow |C| grows as t^(3/5).
    - cancellation saddle and valley, if t01 ≠ t10: at C = -1 itself, and beside it, where V goes on
      falling towards C = -1 while w1 - w2 = (t10-t01)/(C+1) diverges, as t^(1/3).

    Constants have only the plateaus, which solve them.
    """
    _, t01, t10, _ = gate.targets
    (s, d), shape = _s_d(gate), landscape(gate)
    found = [_linear_plateau(gate, d), _constant_plateau(gate, shape)]
    if shape.maximum is None or shape.falls_towards is None:
        return tuple(found)
    if t01 != t10 and d:
        ridge = readout(gate, shape.maximum)
        note = "the greatest least loss of all C"
        found.append(_attained("ridge", gate, ridge, "strict saddle", note))
    sign = "+" if shape.falls_towards > 0 else "-"
    note = f"C → {sign}∞, w → 0 as 1/C"
    found.append(Point("runaway valley", shape.limit, shape.falls_towards, None, "limit", note))
    if t01 != t10:
        found += _cancellation(gate, shape, "above" if s * (3 * d - s) > 0 else "below")
    return tuple(found)


def attractors(gate: Gate) -> dict[str, Fraction]:
    """The losses at which a run that fails may be found: name of the point -> loss above 0.

    Saddles only slow a run down, valleys keep it. A point that is not critical is not among them.
    """
    found = (point for point in points(gate) if point.kind not in ("solution", "not critical"))
    return {point.name: point.loss for point in found}


def _linear_plateau(gate: Gate, d: Fraction) -> Point:
    note = "two of wq, wk, wv are 0"
    kind = "strict saddle" if d else "flat saddle"
    return _attained("linear plateau", gate, readout(gate, Fraction(0)), kind, note)


def _constant_plateau(gate: Gate, shape: Landscape) -> Point:
    mean, zero = Fraction(sum(gate.targets), 4), Fraction(0)
    at = Params(zero, Fraction(1), Fraction(1), (zero, zero), mean)
    note, kind = "w = 0", "strict saddle"
    if shape.maximum is not None and gate.targets[1] == gate.targets[2]:
        at, note = at._replace(wq=shape.maximum), f"w = 0 and C = {shape.maximum}"
    elif shape.maximum is not None:
        note, kind = "w = 0: nowhere is the gradient 0", "not critical"
    point = _attained("constant plateau", gate, at, kind, note)
    return point._replace(C=None) if point.kind in ("solution", "not critical") else point


def _cancellation(gate: Gate, shape: Landscape, side: str) -> list[Point]:
    """At C = -1 ∂loss/∂C is linear in the free w1 - w2, and vanishes for one value of it."""
    _, t01, t10, _ = gate.targets
    at = readout(gate, Fraction(-1))
    total = sum(at.w)
    apart = (2 * at.b - t01 - t10) * total / (t10 - t01)
    saddle = at._replace(w=((total + apart) / 2, (total - apart) / 2))
    note = f"C → -1 from {side}, w1 - w2 → ±∞"
    return [
        Point("cancellation valley", shape.beside, at.wq, None, "limit", note),
        _attained("cancellation saddle", gate, saddle, "strict saddle", "C = -1"),
    ]


def _attained(name: str, gate: Gate, at: Params, kind: str, note: str) -> Point:
    value = loss(at, ROWS, gate.targets)
    return Point(name, value, at.wq, (*at.w, at.b), kind if value else "solution", note)


def _s_d(gate: Gate) -> tuple[Fraction, Fraction]:
    """The two numbers that all depends on: s = t01 + t10 - 2 t00 and d = t11 - t00."""
    t00, t01, t10, t11 = map(Fraction, gate.targets)
    return t01 + t10 - 2 * t00, t11 - t00
