"""The model and V(C) written out as SymPy expressions, with symbols or exact numbers.

The expressions come from the model's own arithmetic. SymPy is imported when a function is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from attnlogic.problems import Gate, Params, predict
from attnlogic.theory.exact_solutions import Solution
from attnlogic.theory.form import NOTEBOOK, Form
from attnlogic.theory.least_loss import landscape


class Expansion(NamedTuple):
    """The output as a polynomial: SymPy expressions in x1, x2, … and the symbols that are left.

    Attributes:
      general: on any inputs, expanded for two, in factors for more.
      on_bits: on the inputs that stand for bits, where x² = x (or 1, in {-1, 1}); a term for each
        product of inputs.
    """

    general: Any
    on_bits: Any


def output(params: Params, x: Sequence[Any], form: Form) -> Any:
    """The model's output in this form, in whatever arithmetic it is given; b is 0 without one."""
    value = predict(params if form.bias else params._replace(b=0), x)
    if form.residual:
        return value
    return value - sum(weight * token for weight, token in zip(params.w, x, strict=True))


def output_formula(n: int = 2, form: Form = NOTEBOOK) -> Expansion:
    """The model's output on n inputs with the symbols C = wq·wk·wv, w1, w2, …, b.

    Example:
      >>> output_formula().on_bits
      C*x1*x2*(w1 + w2) + b + w1*x1*(C + 1) + w2*x2*(C + 1)
    """
    import sympy

    w, b = sympy.symbols(f"w1:{n + 1}"), sympy.Symbol("b") if form.bias else sympy.Integer(0)
    return _expansion(sympy.Symbol("C"), w, b, form)


def solution_formula(solution: Solution, form: Form = NOTEBOOK) -> Expansion:
    """The model's output at a gate's solution: C or some of w stay symbols where they are free.

    Example:
      >>> from attnlogic.problems import gate
      >>> from attnlogic.theory import solution
      >>> solution_formula(solution(gate("xor"))).on_bits
      -2*x1*x2 + x1 + x2
    """
    import sympy

    C = sympy.Symbol("C") if solution.C is None else rational(solution.C)
    p, q = solution.scale or (0, 1)
    w = [rational(weight) / (p * C + q) for weight in solution.w or ()]
    if solution.w is None:
        w = list(sympy.symbols(f"w1:{solution.inputs + 1}"))
    if solution.w is None and solution.w_sum is not None:
        w[-1] = rational(solution.w_sum) - sum(w[:-1])
    return _expansion(C, w, rational(solution.b), form)


def least_loss_formula(gate: Gate, form: Form = NOTEBOOK) -> Any:
    """V(C) as a factored rational function of the symbol C: for every C but that of the jump.

    Example:
      >>> from attnlogic.problems import gate
      >>> least_loss_formula(gate("xor"))
      (2*C + 1)**2/(2*(9*C**2 + 8*C + 2))
    """
    import sympy

    return sympy.factor(landscape(gate, form).least_loss(sympy.Symbol("C")))


def polynomial_text(p: Sequence[int]) -> str | None:
    """A polynomial in C with its lowest power first, as SymPy reads it; None for the empty one.

    Example:
      >>> polynomial_text((1, 3, 2))
      '2*C**2 + 3*C + 1'
    """
    import sympy

    return str(sympy.Poly(p[::-1], sympy.Symbol("C")).as_expr()) if p else None


def _expansion(C: Any, w: Any, b: Any, form: Form) -> Expansion:
    import sympy

    x, one = sympy.symbols(f"x1:{len(w) + 1}"), sympy.Integer(1)
    value = output(Params(C, one, one, tuple(w), b), x, form)
    general = sympy.Poly(sympy.expand(value), *x)
    written = general.as_expr().expand() if len(w) == 2 else sympy.factor(value - b) + b
    bits: Any = sympy.Poly(0, *x)
    for powers, factor in general.terms():
        kept = [p % 2 if form.encoding == "pm1" else min(p, 1) for p in powers]
        bits += factor * sympy.prod(token**p for token, p in zip(x, kept, strict=True))
    factored = sum(
        sympy.factor(factor) * sympy.prod(token**p for token, p in zip(x, powers, strict=True))
        for powers, factor in bits.terms()
    )
    return Expansion(written, factored)


def rational(value: Any) -> Any:
    """The fraction as SymPy's."""
    import sympy

    return sympy.Rational(value.numerator, value.denominator)
