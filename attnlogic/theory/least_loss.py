"""V(C): the least loss that any readout reaches at a fixed C = wq·wk·wv, over the rationals.

For a fixed C the model is linear in w1, w2, b. The vector n = (3C+1, -(2C+1), -(2C+1), C+1) over
the rows 00 01 10 11 is orthogonal to every output the model can have, so the least loss is
``V(C) = (n·t)²/(4 n·n)`` with the targets t, where ``n·t = (d-2s)C + (d-s)`` (s and d as in
``exact_solutions``) and ``n·n = 2(9C² + 8C + 2)``, which is never 0.

At C = -1 attention cancels the residual wherever a token stands alone: rows 01 and 10 have the same
output, and ``(t01-t10)²/8`` is added to V there. Where t01 ≠ t10, V jumps at that one point.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, NamedTuple

from attnlogic.problems import ROWS, Gate, Params, loss
from attnlogic.theory.exact_solutions import differences


def readout(gate: Gate, C: Fraction) -> Params:
    """The best readout at a fixed C, exactly; the shortest, where C = -1 leaves w1 - w2 free.

    The difference of the rows 10 and 01 fixes w1 - w2, which appears nowhere else. w1 + w2 and b
    are the regression of t00, (t01+t10)/2 twice, t11 on 0, (C+1)/2 twice, 2C+1.

    Args:
      gate: a gate with four rows.
      C: a ``Fraction``, or a number that ``Fraction`` accepts.

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
    """The least loss at a fixed C, exactly: the loss of ``readout``, at C = -1 too."""
    return Fraction(loss(readout(gate, C), ROWS, gate.targets))


class Landscape(NamedTuple):
    """V as a function of C, for every C but -1, and what follows from it.

    With p = slope·C + offset, ``V' = p((8 slope - 18 offset)C + 4 slope - 8 offset)/(8q²)`` with
    q = 9C² + 8C + 2. So V of a gate that is not constant has one zero and one maximum, both
    rational, and is monotonic between them, also through infinity: it falls towards its limit on
    the maximum's side only, and rises towards it on the other.

    Attributes:
      slope: d - 2s.
      offset: d - s.
      zero: the C of the solution; None for the constant gates, where V is 0 everywhere.
      maximum: 2d/(s - 5d), where V is greatest; None for the constant gates.
      limit: V for C → ±∞: slope²/72.
      falls_towards: the infinity on whose side V falls to its limit: ±inf; None for constants.
      beside_minus_1: the limit of V for C → -1: s²/24.
      at_minus_1: V at C = -1 itself: (t01 - t10)²/8 more.
    """

    slope: int
    offset: int
    zero: Fraction | None
    maximum: Fraction | None
    limit: Fraction
    falls_towards: float | None
    beside_minus_1: Fraction
    at_minus_1: Fraction

    def least_loss(self, C: Any) -> Any:
        """``V(C) = (slope·C + offset)²/(8(9C² + 8C + 2))``: for every C but -1.

        Args:
          C: a number of any arithmetic: float, ``Fraction``, NumPy array of any shape, polars
            expression, SymPy symbol.

        Returns:
          V in the same arithmetic and shape; exact for ``Fraction``s.

        Example:
          >>> from attnlogic.problems import gate
          >>> xor = landscape(gate("xor"))
          >>> xor.least_loss(0.0), xor.least_loss(Fraction(1))
          (0.25, Fraction(9, 38))
        """
        return (self.slope * C + self.offset) ** 2 / (8 * (9 * C**2 + 8 * C + 2))


def landscape(gate: Gate) -> Landscape:
    """V's shape for a gate with four rows."""
    s, d = differences(gate)
    slope, offset = d - 2 * s, d - s
    zero = maximum = falls_towards = None
    if slope:  # d = 2s has no solution in bits but d = s = 0, the constants
        zero, maximum = Fraction(-offset, slope), Fraction(2 * d, s - 5 * d)
        falls_towards = math.inf if maximum > zero else -math.inf
    return Landscape(
        slope,
        offset,
        zero,
        maximum,
        limit=Fraction(slope**2, 72),
        falls_towards=falls_towards,
        beside_minus_1=Fraction(s**2, 24),
        at_minus_1=V(gate, Fraction(-1)),
    )
