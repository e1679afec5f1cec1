"""Polynomials with whole coefficients, held to SymPy."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import sympy

from attnlogic.theory import polynomials
from attnlogic.theory.polynomials import real_roots

C = sympy.Symbol("C")
RNG = np.random.default_rng(4)
RANDOM = [(*map(int, RNG.integers(-9, 10, size=n)), 7) for n in (1, 2, 3, 4, 5, 6)]
OTHERS = [
    (-1, 3),
    (0, 0, 1),  # 0 twice
    (1, 2, 1, 0, 0),  # zeros at the end
    (2, 8, 9),  # no root
    (-2, 0, 1),  # irrational
    polynomials.times((-1, 3), (-1, 3), (5, 7), (-2, 0, 1)),
    polynomials.times((-1, 1), (-1000001, 1000000)),  # near each other
    polynomials.times((-999, 1000), (-1, 0, 1), (0, 1)),
]
EVERY = [polynomials.trimmed(p) for p in RANDOM + OTHERS]


def text(p):
    return sympy.Poly(p[::-1], C)


@pytest.mark.parametrize("p", EVERY, ids=str)
def test_the_real_roots_are_all_and_each_alone_in_its_interval(p):
    width = Fraction(1, 10**9)
    found = real_roots(p, width)
    exact = sorted(set(sympy.real_roots(text(p))))
    assert len(found) == len(exact)
    for (low, high), root in zip(found, exact, strict=True):
        assert high - low < width
        assert (low == high) == bool(root.is_rational)
        ends = [sympy.Rational(end.numerator, end.denominator) for end in (low, high)]
        assert ends == [root, root] if low == high else ends[0] < root < ends[1]
    assert all(a[1] < b[0] for a, b in pairwise(found))


@pytest.mark.parametrize("a", EVERY, ids=str)
@pytest.mark.parametrize("b", EVERY[3:9], ids=str)
def test_arithmetic_is_sympys(a, b):
    assert text(polynomials.plus(a, b, -3)) == text(a) - 3 * text(b)
    assert text(polynomials.times(a, b, b)) == text(a) * text(b) ** 2
    assert text(polynomials.derivative(a)) == text(a).diff()
    quotient, remainder = (p[::-1] for p in polynomials.divided(a, b))
    expected = sympy.div(text(a), text(b), domain="QQ")
    assert [sympy.Poly(p or [0], C, domain="QQ") for p in (quotient, remainder)] == list(expected)
    shared, theirs = polynomials.common(a, b), sympy.gcd(text(a), text(b)).primitive()[1]
    assert text(shared) in (theirs, -theirs)
    assert shared[-1] > 0


@pytest.mark.parametrize("p", EVERY, ids=str)
def test_values_and_signs(p):
    for x in (Fraction(0), Fraction(-7, 3), Fraction(1, 3), Fraction(10**6)):
        expected = text(p).eval(sympy.Rational(x.numerator, x.denominator))
        value = polynomials.value(p, x)
        assert sympy.Rational(value.numerator, value.denominator) == expected
        assert polynomials.sign(p, x) == sympy.sign(expected)
    grid = np.array([[-2.0, 0.5], [3.0, 0.0]])
    np.testing.assert_allclose(polynomials.value(p, grid), np.polyval(p[::-1], grid), rtol=1e-13)


def test_a_constant_has_the_shape_of_its_argument():
    assert polynomials.value((3,), np.zeros((2, 2))).tolist() == [[3, 3], [3, 3]]
    assert polynomials.value((), np.zeros(2)).tolist() == [0, 0]
    assert real_roots((3,), Fraction(1)) == real_roots((), Fraction(1)) == []
