"""V(C): the least loss that any readout reaches at a fixed C = wq·wk·wv, over the rationals.

For a fixed C the model is linear in w and b (see ``normal_equations``), so V is a rational function
of C, with a denominator that is above 0, except at one C at most: there a part of the readout has
no effect, and V jumps up.

- Two bits: ``V(C) = ((d-2s)C + (d-s))² / (8(9C² + 8C + 2))`` with s and d as in
  ``exact_solutions``. At C = -1 attention cancels the residual wherever a token stands alone: rows
  01 and 10 have the same output, and ``(t01-t10)²/8`` is added to V there.
- Three bits and more, inputs in {0, 1}: degree 4 over degree 4 at most, and no jump.
- Inputs in {-1, 1}, or no residual: V is one number, and jumps at C = -1/n or 0, where the output
  is the bias alone.

V is a sum of two parts, each a quadratic over a quadratic that is above 0, and neither is below 0.
Where V is 0 both are, and a quadratic that touches 0 does so at a rational C: so a gate has an
exact solution for every C (all but one), for one C, which is a fraction, or for none.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from attnlogic.problems import Gate, Params
from attnlogic.theory.extrema import Bracket, Extremum, extrema, slope_numerator
from attnlogic.theory.form import NOTEBOOK, Form
from attnlogic.theory.normal_equations import Term, equations
from attnlogic.theory.polynomials import (
    Polynomial,
    common,
    derivative,
    divided,
    plus,
    primitive,
    times,
    value,
)


def readout(gate: Gate, C: Fraction, form: Form = NOTEBOOK) -> Params:
    """The best readout at a fixed C, exactly; the shortest, where C leaves some of it free.

    Args:
      gate: a gate of any number of bits.
      C: a ``Fraction``, or a number that ``Fraction`` accepts.
      form: of the model.

    Returns:
      ``Params`` with wq = C and wk = wv = 1, and as many weights w as the gate has inputs.
    """
    w: tuple[Any, ...]
    w, b = equations(gate, form).readout(Fraction(C))
    return Params(Fraction(C), Fraction(1), Fraction(1), w, b)


def V(gate: Gate, C: Fraction, form: Form = NOTEBOOK) -> Fraction:  # noqa: N802
    """The least loss at a fixed C, exactly: the loss of ``readout``, also where V jumps."""
    return equations(gate, form).loss(Fraction(C))


class Jump(NamedTuple):
    """The one C at which V is greater than beside it, since a part of the readout has no effect.

    Attributes:
      C: where.
      V: there.
      beside: the limit of V towards it.
    """

    C: Fraction
    V: Fraction
    beside: Fraction


class Landscape(NamedTuple):
    """V as a function of C, for every C but that of the jump, and what follows from it.

    ``V(C) = (slope·C + offset)² rest(C) / (scale denominator(C))``, in lowest terms.

    Attributes:
      slope, offset: the factor that is 0 at the solution; 0 and 1 where V is nowhere 0.
      rest, denominator: polynomials in C, lowest power first; the denominator is above 0.
      scale: a whole number.
      zero: the C of the solution; None where V is 0 for every C, or for none.
      extrema: every C at which V' is 0, in increasing order; none where V is constant.
      limit: V for C → ±∞.
      valleys: the infinities on whose side V falls to its limit: -inf, inf.
      jump: None where V has none.
    """

    slope: int
    offset: int
    rest: Polynomial
    denominator: Polynomial
    scale: int
    zero: Fraction | None
    extrema: tuple[Extremum, ...]
    limit: Fraction
    valleys: tuple[float, ...]
    jump: Jump | None

    def least_loss(self, C: Any) -> Any:
        """V(C), for every C but that of the jump.

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
        top = (self.slope * C + self.offset) ** 2 * value(self.rest, C)
        return top / (self.scale * value(self.denominator, C))

    @property
    def constant(self) -> bool:
        """Whether V is the same for every C but that of the jump."""
        return len(self.denominator) == 1

    @property
    def solvable(self) -> bool:
        """Whether some parameters solve the gate exactly."""
        return self.zero is not None or not self.rest

    @property
    def least(self) -> Bracket:
        """The greatest lower bound of V: its least value, or its limit for an infinite C."""
        if self.solvable:
            return Bracket(Fraction(0), Fraction(0))
        values = [Bracket(self.limit, self.limit), *(e.value for e in self.extrema)]
        return Bracket(min(v.low for v in values), min(v.high for v in values))

    @property
    def greatest(self) -> Extremum | None:
        """The greatest of V's maxima; None where V has none."""
        tops = [e for e in self.extrema if e.kind == "maximum"]
        return max(tops, key=lambda e: e.value.low, default=None)

    @property
    def maximum(self) -> Fraction | None:
        """The C of the greatest maximum, rounded where it is no fraction; None without one."""
        if self.greatest is None:
            return None
        return (self.greatest.C.low + self.greatest.C.high) / 2

    @property
    def falls_towards(self) -> float | None:
        """The infinity on whose side V falls to its limit; None where there is none, or both."""
        return self.valleys[0] if len(self.valleys) == 1 else None

    @property
    def basin(self) -> tuple[float, float] | None:
        """The C from which V falls all the way to its zero; None where V has no single zero."""
        if self.zero is None:
            return None
        tops = [float(e.C) for e in self.extrema if e.kind != "minimum"]
        below = [C for C in tops if self.zero > C]
        above = [C for C in tops if self.zero < C]
        return max(below, default=-math.inf), min(above, default=math.inf)

    def rises_at(self, C: Fraction) -> bool:
        """Whether V rises with C there; C is no extremum."""
        later = [e for e in self.extrema if e.C.low > C]
        falls = later[0].kind == "minimum" if later else math.inf in self.valleys
        return not falls

    @property
    def beside_minus_1(self) -> Fraction:
        """The limit of V for C → -1: s²/24 for two bits."""
        return Fraction(self.least_loss(Fraction(-1)))

    @property
    def at_minus_1(self) -> Fraction:
        """V at C = -1 itself: (t01 - t10)²/8 more for two bits."""
        jumps = self.jump is not None and self.jump.C == -1
        return self.jump.V if self.jump and jumps else self.beside_minus_1


def landscape(gate: Gate, form: Form = NOTEBOOK) -> Landscape:
    """V's shape for a gate of any number of bits.

    Raises:
      InputError: no such encoding.
    """
    found = equations(gate, form)
    shape, C = _shape(found.energy, found.explained, found.scale), found.singular
    if C is None:
        return shape
    at, beside = found.loss(C), shape.least_loss(C)
    return shape if at == beside else shape._replace(jump=Jump(C, at, beside))


def linear_least_loss(gate: Gate, encoding: str = "01", bias: bool = True) -> Fraction:
    """The least loss of a linear model ``w·x + b``: that of attention at C = 0.

    Example:
      >>> from attnlogic.problems import gate
      >>> linear_least_loss(gate("xor")), linear_least_loss(gate("x1"))
      (Fraction(1, 4), Fraction(0, 1))
    """
    return V(gate, Fraction(0), Form(bias=bias, encoding=encoding))


@lru_cache(maxsize=8192)
def _shape(energy: int, explained: tuple[Term, Term], scale: int) -> Landscape:
    """V = (energy - the two explained terms)/scale, without its jump; many gates share it."""
    (L, Q), (a, A) = explained
    top = plus(times((energy,), Q, A), plus(times(L, A), times(a, Q)), -1)
    bottom = times((scale,), Q, A)
    top, bottom = _lowest_terms(top, bottom)
    factor = common(top, derivative(top))
    slope, offset, rest = 0, 1, top
    if len(factor) == 2 and top:  # the only real root, twice: see the module's text
        offset, slope = factor
        rest = _whole(divided(top, times(factor, factor))[0])
    denominator = primitive(bottom)
    zero = Fraction(-offset, slope) if slope else None
    return Landscape(
        slope,
        offset,
        rest,
        denominator,
        bottom[-1] // denominator[-1],
        zero,
        extrema(top, bottom),
        Fraction(top[-1], bottom[-1]) if len(top) == len(bottom) else Fraction(0),
        _valleys(slope_numerator(top, bottom)),
        jump=None,
    )


def _lowest_terms(top: Polynomial, bottom: Polynomial) -> tuple[Polynomial, Polynomial]:
    shared = common(top, bottom)
    parts = [divided(p, shared)[0] for p in (top, bottom)]
    together = primitive([*parts[0], *parts[1]])
    return together[: len(parts[0])], together[len(parts[0]) :]


def _whole(p: tuple[Fraction, ...]) -> Polynomial:
    return tuple(c.numerator for c in p)


def _valleys(slope: Polynomial) -> tuple[float, ...]:
    """From the numerator of V', whose highest coefficient decides far away."""
    if not slope:
        return ()
    upwards = slope[-1] > 0
    falls_below = upwards if len(slope) % 2 else not upwards
    return tuple(end for end, falls in ((-math.inf, falls_below), (math.inf, not upwards)) if falls)
