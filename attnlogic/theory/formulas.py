"""The model and V(C) written out as SymPy expressions, with symbols or exact numbers.

The expressions come from the model's own arithmetic. SymPy is imported when a function is called.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from attnlogic.problems import Gate, Params, neuron
from attnlogic.theory.exact_solutions import Solution
from attnlogic.theory.least_loss import landscape


class Expansion(NamedTuple):
    """The output as a polynomial: SymPy expressions in x1, x2 and the symbols that are left.

    Attributes:
      general: on any inputs, expanded.
      on_bits: on inputs in {0, 1}, where x² = x; a term for each product of inputs.
    """

    general: Any
    on_bits: Any


def output_formula() -> Expansion:
    """The model's output with the symbols C = wq·wk·wv, w1, w2, b.

    Example:
      >>> output_formula().on_bits
      C*x1*x2*(w1 + w2) + b + w1*x1*(C + 1) + w2*x2*(C + 1)
    """
    import sympy

    wq, wk, wv, w1, w2, b, C = sympy.symbols("wq wk wv w1 w2 b C")
    output = neuron.predict(Params(wq, wk, wv, (w1, w2), b), _tokens()).expand()
    return _expansion(output.subs(wq * wk * wv, C))


def solution_formula(solution: Solution) -> Expansion:
    """The model's output at a gate's solution: C or w1 stays a symbol where it is free.

    Example:
      >>> from attnlogic.problems import gate
      >>> from attnlogic.theory import solution
      >>> solution_formula(solution(gate("xor"))).on_bits
      -2*x1*x2 + x1 + x2
    """
    import sympy

    C = sympy.Symbol("C") if solution.C is None else _rational(solution.C)
    if solution.w is None:
        w1 = sympy.Symbol("w1")
        w = (w1, _rational(solution.w_sum) - w1)
    else:
        w = (_rational(solution.w[0]), _rational(solution.w[1]))
    one = sympy.Integer(1)
    return _expansion(neuron.predict(Params(C, one, one, w, _rational(solution.b)), _tokens()))


def least_loss_formula(gate: Gate) -> Any:
    """V(C) as a factored rational function of the symbol C: for every C but -1.

    Example:
      >>> from attnlogic.problems import gate
      >>> least_loss_formula(gate("xor"))
      (2*C + 1)**2/(2*(9*C**2 + 8*C + 2))
    """
    import sympy

    return sympy.factor(landscape(gate).least_loss(sympy.Symbol("C")))


def _tokens() -> tuple[Any, Any]:
    import sympy

    x1, x2 = sympy.symbols("x1 x2")
    return x1, x2


def _expansion(output: Any) -> Expansion:
    import sympy

    x1, x2 = _tokens()
    general = sympy.Poly(output, x1, x2)
    bits: Any = sympy.Poly(0, x1, x2)
    for (i, j), factor in general.terms():
        bits += factor * x1 ** min(i, 1) * x2 ** min(j, 1)
    factored = sum(sympy.factor(factor) * x1**i * x2**j for (i, j), factor in bits.terms())
    return Expansion(general.as_expr().expand(), factored)


def _rational(value: Any) -> Any:
    import sympy

    return sympy.Rational(value.numerator, value.denominator)
