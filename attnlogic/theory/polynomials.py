"""Polynomials with whole coefficients, exactly: their arithmetic, and their real roots by Sturm.

A polynomial is a tuple of ints, lowest power first, without zeros at the end: ``(2, 8, 9)`` is
2 + 8C + 9C², ``()`` is 0.

Reference: Basu, Pollack and Roy, "Algorithms in Real Algebraic Geometry", chapters 2 and 10.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise, zip_longest
from math import gcd, lcm
from typing import Any

Polynomial = tuple[int, ...]
Interval = tuple[Fraction, Fraction]


def trimmed(coefficients: Iterable[Any]) -> tuple[Any, ...]:
    """The coefficients without the zeros of the highest powers."""
    kept = list(coefficients)
    while kept and not kept[-1]:
        kept.pop()
    return tuple(kept)


def plus(a: Polynomial, b: Polynomial, factor: int = 1) -> Polynomial:
    """``a + factor·b``."""
    return trimmed(x + factor * y for x, y in zip_longest(a, b, fillvalue=0))


def times(*factors: Polynomial) -> Polynomial:
    """The product of polynomials; (1,) for none."""
    product: Polynomial = (1,)
    for factor in factors:
        entries = [0] * (len(product) + len(factor))
        for i, x in enumerate(product):
            for j, y in enumerate(factor):
                entries[i + j] += x * y
        product = trimmed(entries)
    return product


def derivative(p: Polynomial) -> Polynomial:
    """The derivative."""
    return tuple(i * c for i, c in enumerate(p))[1:]


def value(p: Sequence[int], C: Any) -> Any:
    """The polynomial at C, in C's own arithmetic and shape: the highest power is added first."""
    total = 0 * C**0
    for power in reversed(range(len(p))):
        if p[power]:
            total = total + p[power] * C**power
    return total


def primitive(coefficients: Sequence[Any]) -> Polynomial:
    """The polynomial times a positive number, so that its coefficients are whole and coprime."""
    shared = lcm(*(Fraction(c).denominator for c in coefficients))
    whole = [int(c * shared) for c in coefficients]
    divisor = gcd(*whole) or 1
    return trimmed(c // divisor for c in whole)


def divided(a: Polynomial, b: Polynomial) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]]:
    """The quotient and the remainder of a by b, with fractions for coefficients."""
    left, quotient = [Fraction(c) for c in a], [Fraction(0)] * max(len(a) - len(b) + 1, 0)
    for shift in range(len(a) - len(b), -1, -1):
        quotient[shift] = left[shift + len(b) - 1] / b[-1]
        for i, c in enumerate(b):
            left[shift + i] -= quotient[shift] * c
    return trimmed(quotient), trimmed(left)


def common(a: Polynomial, b: Polynomial) -> Polynomial:
    """The greatest common divisor, primitive, its highest coefficient above 0."""
    while b:
        a, b = b, primitive(divided(a, b)[1])
    a = primitive(a)
    return a if not a or a[-1] > 0 else tuple(-c for c in a)


def sign(p: Polynomial, x: Fraction) -> int:
    """The sign of p at x: -1, 0 or 1."""
    total, scale = 0, 1
    for c in reversed(p):
        total = total * x.numerator + c * scale
        scale *= x.denominator
    return (total > 0) - (total < 0)


def sturm_chain(p: Polynomial) -> list[Polynomial]:
    """Sturm's chain: p, p', and the negated remainders, each scaled by a positive number."""
    chain = [p, primitive(derivative(p))]
    while len(chain[-1]) > 1:
        remainder = divided(chain[-2], chain[-1])[1]
        chain.append(primitive([-c for c in remainder]))
    return [q for q in chain if q]


def count_roots(chain: Sequence[Polynomial], low: Fraction, high: Fraction) -> int:
    """How many different real roots lie in (low, high], by Sturm's theorem.

    Args:
      chain: Sturm's chain of the polynomial.
      low, high: the ends. Neither may be a root of it of multiplicity above one.
    """
    return _changes(chain, low) - _changes(chain, high)


def _changes(chain: Sequence[Polynomial], x: Fraction) -> int:
    signs = [s for s in (sign(q, x) for q in chain) if s]
    return sum(a != b for a, b in pairwise(signs))


def real_roots(p: Polynomial, width: Fraction) -> list[Interval]:
    """The real roots, in increasing order, each in an interval that holds no other.

    Args:
      p: a polynomial; a root of several times counts once.
      width: the intervals are no wider.

    Returns:
      A rational root as (root, root), always; any other as the open interval (low, high).
    """
    if len(p) < 2:
        return []
    p = primitive(divided(p, common(p, derivative(p)))[0])
    chain = sturm_chain(p)
    bound = Fraction(1)
    while bound <= 1 + max(abs(c) for c in p) / Fraction(abs(p[-1])):  # Cauchy's bound
        bound *= 2
    found, waiting = [], [(-bound, bound)]
    while waiting:
        low, high = waiting.pop()
        count = count_roots(chain, low, high)
        if count == 1:
            found.append(_narrowed(p, low, high, width))
        elif count:
            middle = (low + high) / 2
            waiting += [(low, middle), (middle, high)]
    return sorted(found)


def _narrowed(p: Polynomial, low: Fraction, high: Fraction, width: Fraction) -> Interval:
    """The one root in (low, high], which changes the sign of p, in a narrow interval.

    A rational root's denominator divides the highest coefficient a, so within less than 1/a² there
    is one candidate.
    """
    largest = abs(p[-1])
    width = min(width, Fraction(1, 2 * largest**2))
    if sign(p, high) == 0:
        return high, high
    above = sign(p, high)
    while high - low >= width:
        middle = (low + high) / 2
        at = sign(p, middle)
        if at == 0:
            return middle, middle
        low, high = (low, middle) if at == above else (middle, high)
    candidate = ((low + high) / 2).limit_denominator(largest)
    return (candidate, candidate) if sign(p, candidate) == 0 else (low, high)
