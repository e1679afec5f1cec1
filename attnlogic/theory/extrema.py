"""The minima and maxima of a rational function, exactly or between two fractions that are proved.

Where its derivative vanishes is found by Sturm's theorem; that the value there lies between two
fractions is proved by it too: the function minus the fraction has no root nearby.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from typing import Literal, NamedTuple

from attnlogic.theory.polynomials import (
    Interval,
    Polynomial,
    common,
    count_roots,
    derivative,
    divided,
    plus,
    primitive,
    real_roots,
    sign,
    sturm_chain,
    times,
    value,
)

DIGITS = 12
"""Decimals of the fractions between which an irrational number is proved to lie."""

UNIT = Fraction(1, 10**DIGITS)
"""What such a bracket is wide, or a few times it."""

ROOT_WIDTH = Fraction(1, 2**44)
"""The width of the interval in which an irrational extremum is isolated: less than ``UNIT``."""


class Bracket(NamedTuple):
    """A real number that lies in [low, high]; exactly the one fraction where they are equal."""

    low: Fraction
    high: Fraction

    @property
    def exact(self) -> bool:
        """Whether the number is known exactly."""
        return self.low == self.high

    def equals(self, number: Fraction | int | None) -> bool:
        """Whether it is known to be exactly this number."""
        return self.low == self.high == number

    def __float__(self) -> float:
        return float((self.low + self.high) / 2)


Kind = Literal["minimum", "maximum", "inflection"]


class Extremum(NamedTuple):
    """Where the derivative vanishes.

    Attributes:
      C: where; a bracket holds no other such place.
      value: of the function there.
      kind: of it; an inflection is neither a minimum nor a maximum.
      polynomial: C is its root, and the other irrational C are; no rational root, no root twice.
        Empty where C is a fraction.
      flat: whether the second derivative vanishes there, too.
    """

    C: Bracket
    value: Bracket
    kind: Kind
    polynomial: Polynomial
    flat: bool


def slope_numerator(top: Polynomial, bottom: Polynomial) -> Polynomial:
    """The numerator of the derivative of top/bottom, over bottom²."""
    return plus(times(derivative(top), bottom), times(top, derivative(bottom)), -1)


def extrema(top: Polynomial, bottom: Polynomial) -> tuple[Extremum, ...]:
    """Where the derivative of top/bottom vanishes, in increasing order of C.

    Args:
      top: a polynomial.
      bottom: one that is above 0 everywhere.

    Returns:
      All such places; none for a constant function.
    """
    slope = primitive(slope_numerator(top, bottom))
    roots = real_roots(slope, ROOT_WIDTH)
    if not roots:
        return ()
    repeated = common(slope, derivative(slope))
    fractions = times(*((-a.numerator, a.denominator) for a, b in roots if a == b))
    irrational = primitive(divided(slope, times(repeated, fractions))[0])
    irrational = common(irrational, ())  # its highest coefficient above 0
    gaps = [(a[1] + b[0]) / 2 for a, b in pairwise(roots)]
    signs = [sign(slope, x) for x in (roots[0][0] - 1, *gaps, roots[-1][1] + 1)]
    found = []
    for root, (before, after) in zip(roots, pairwise(signs), strict=True):
        kind: Kind = "inflection" if before == after else "minimum" if before < 0 else "maximum"
        polynomial = () if root[0] == root[1] else irrational
        flat = _has_root(repeated, root)
        found.append(
            Extremum(_outward(root), _value(top, bottom, root, kind), kind, polynomial, flat)
        )
    return tuple(found)


def _has_root(p: Polynomial, within: Interval) -> bool:
    low, high = within
    return sign(p, low) == 0 if low == high else count_roots(sturm_chain(p), low, high) > 0


def _outward(root: Interval) -> Bracket:
    low, high = root
    if low == high:
        return Bracket(low, high)
    return Bracket(floor(low / UNIT) * UNIT, ceil(high / UNIT) * UNIT)


def _value(top: Polynomial, bottom: Polynomial, root: Interval, kind: Kind) -> Bracket:
    """The value at the root; the function is monotonic on both sides of it within the interval."""
    low, high = root
    at = Fraction(value(top, (low + high) / 2)) / value(bottom, (low + high) / 2)
    if low == high:
        return Bracket(at, at)
    # A minimum is at most what the function is anywhere, and above what it equals nowhere nearby.
    down, up = floor(at / UNIT), floor(at / UNIT) + 1
    while kind != "maximum" and not _apart(top, bottom, root, down * UNIT, 1):
        down -= 1
    while kind != "minimum" and not _apart(top, bottom, root, up * UNIT, -1):
        up += 1
    return Bracket(down * UNIT, up * UNIT)


def _apart(top: Polynomial, bottom: Polynomial, root: Interval, level: Fraction, side: int) -> bool:
    """Whether top/bottom is above (1) or below (-1) the level on the whole interval."""
    difference = plus(times((level.denominator,), top), bottom, -level.numerator)
    if sign(difference, root[0]) != side:
        return False
    return count_roots(sturm_chain(difference), *root) == 0
