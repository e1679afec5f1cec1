"""The best readout at a fixed C as polynomials in C: the normal equations, solved by symmetry.

For a fixed C the model is linear in w and b, with the features ``g(x)·x`` where g = C Σx² + r. With
N = 2ⁿ rows, S = Σt and ``m_i(C) = Σ t g x_i``:

- Inputs in {0, 1}: a mean readout (all w_i equal) gives outputs that depend on k = Σx alone, and a
  w that sums to 0 gives outputs that sum to 0 over the rows of each k. So the two are orthogonal:
  ``w_i = L/Q + a_i/A`` with ``a_i = n m_i - Σm``, ``A = n Σ_k (n-2 choose k-1) g_k²``, and with the
  bias ``L = N Σm - S Σu`` and ``Q = N Σu² - (Σu)²`` where u = k g_k; without it L = Σm, Q = Σu².
- Inputs in {-1, 1}: Σx² = n, all features are orthogonal to one another and to the bias:
  ``w_i = a_i/A`` with ``a_i = m_i``, ``A = N g²``, and L = 0, Q = g².

Where a denominator is 0, that part of the readout has no effect, and 0 is taken for it. Only the
least-squares problem's own symmetry is used: what swaps two inputs leaves the features alike.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import compress, zip_longest
from math import comb
from operator import mul
from typing import NamedTuple

from attnlogic.problems import Gate
from attnlogic.theory.form import NOTEBOOK, Form, inputs
from attnlogic.theory.polynomials import Polynomial, common, derivative, plus, times, trimmed, value

Term = tuple[Polynomial, Polynomial]
"""A numerator and a denominator."""


class Equations(NamedTuple):
    """The best readout of a gate at each C.

    Attributes:
      mean: L and Q: the part that all weights share.
      apart: a_i for each weight, and A.
      bias: S and Σu, as far as the bias corrects for them: ``b = (S - L/Q Σu)/N``; None without.
      energy: ``scale`` times the loss of w = 0.
      explained: by how much each part lowers it, as two fractions.
      scale: a whole number that makes all of them whole.
    """

    mean: Term
    apart: tuple[tuple[Polynomial, ...], Polynomial]
    bias: tuple[int, Polynomial] | None
    energy: int
    explained: tuple[Term, Term]
    scale: int

    def readout(self, C: Fraction) -> tuple[tuple[Fraction, ...], Fraction]:
        """The best w, and b, at C exactly; the shortest where several are best. b = 0 without."""
        mean, (apart, A) = ratio(self.mean, C), self.apart
        w = tuple(mean + ratio((a, A), C) for a in apart)
        if self.bias is None:
            return w, Fraction(0)
        ones, u = self.bias
        return w, Fraction(ones - mean * value(u, C)) / 2 ** len(apart)

    def loss(self, C: Fraction) -> Fraction:
        """The loss of ``readout``, exactly."""
        part, other = (ratio(term, C) for term in self.explained)
        return (self.energy - part - other) / self.scale

    def without_effect(self, C: Fraction) -> int:
        """In how many directions w has no effect on the outputs at C."""
        Q, A = value(self.mean[1], C), value(self.apart[1], C)
        return (0 if Q else 1) + (0 if A else len(self.apart[0]) - 1)

    @property
    def singular(self) -> Fraction | None:
        """The C at which some of w has no effect: a quadratic, nowhere below 0, is 0 there."""
        return _double_root(self.apart[1])


class _Design(NamedTuple):
    """What all gates of n inputs share: sums over the inputs alone.

    Attributes:
      columns: x_i on each row, and Σx²·x_i on each row, for each token.
      u: Σu, as a polynomial.
      Q, A: the denominators.
    """

    columns: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]
    u: Polynomial
    Q: Polynomial
    A: Polynomial


@lru_cache
def _design(tokens: tuple[tuple[int, ...], ...], form: Form) -> _Design:
    n, N, r = len(tokens[0]), len(tokens), int(form.residual)
    sizes = [sum(x * x for x in row) for row in tokens]
    columns = tuple((x, tuple(map(mul, sizes, x))) for x in zip(*tokens, strict=True))
    if form.encoding == "pm1":
        g = trimmed((r, n))
        return _Design(columns, (), times(g, g), times((N,), g, g))
    u: Polynomial = ()
    square: Polynomial = ()
    A: Polynomial = ()
    for k in range(1, n + 1):
        g = trimmed((r, k))
        u = plus(u, g, comb(n, k) * k)
        square = plus(square, times(g, g), comb(n, k) * k * k)
        A = plus(A, times(g, g), n * comb(n - 2, k - 1))
    Q = plus(times((N,), square), times(u, u), -1) if form.bias else square
    return _Design(columns, u, Q, A)


def equations(gate: Gate, form: Form = NOTEBOOK) -> Equations:
    """The normal equations of a gate, solved for every C.

    Raises:
      InputError: no such encoding.
    """
    n, N, t = gate.n, 2**gate.n, gate.targets
    design, r, ones = _design(inputs(gate, form), form), int(form.residual), sum(t)
    moments = [trimmed((r * sum(compress(x, t)), sum(compress(kx, t)))) for x, kx in design.columns]
    L: Polynomial = ()
    if form.encoding == "pm1":
        apart, share = moments, n * N
    else:
        total = trimmed(map(sum, zip_longest(*moments, fillvalue=0)))
        L = plus(times((N,), total), design.u, -ones) if form.bias else total
        apart, share = [plus(times((n,), m), total, -1) for m in moments], N
    squares = trimmed(map(sum, zip_longest(*(times(a, a) for a in apart), fillvalue=0)))
    return Equations(
        mean=(L, design.Q),
        apart=(tuple(apart), design.A),
        bias=(ones, design.u) if form.bias else None,
        energy=n * (N * ones - (ones**2 if form.bias else 0)),
        explained=(
            (times((n if form.bias else n * N,), L, L), design.Q),
            (times((share,), squares), design.A),
        ),
        scale=n * N**2,
    )


@lru_cache
def _double_root(p: Polynomial) -> Fraction | None:
    factor = common(p, derivative(p))
    return Fraction(-factor[0], factor[1]) if len(factor) == 2 else None


def ratio(term: Term, C: Fraction) -> Fraction:
    """The term at C; 0 where its denominator is 0."""
    numerator, denominator = (Fraction(value(p, C)) for p in term)
    return numerator / denominator if denominator else Fraction(0)
