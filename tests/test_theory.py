"""The exact solutions, put back into the model over the rationals."""

from fractions import Fraction

import pytest
import sympy

from attnlogic.gates import GATES, ROWS, gate
from attnlogic.model import Params, loss
from attnlogic.theory import Solution, solution

HALF, THIRD = Fraction(1, 2), Fraction(1, 3)
C_OF = {
    "false": None, "true": None,
    "x1": 0, "x2": 0, "not_x1": 0, "not_x2": 0,
    "xor": -HALF, "xnor": -HALF,
    "implication": -HALF, "converse_implication": -HALF,
    "inhibition": -HALF, "converse_inhibition": -HALF,
    "or": -THIRD, "nor": -THIRD,
    "and": -1, "nand": -1,
}  # fmt: skip
SOME = [Fraction(0), Fraction(1), Fraction(-7, 3), Fraction(11, 5)]


def points(s: Solution) -> list[Params]:
    """Parameters that the solution says solve the gate: several where it leaves a choice."""
    cs = SOME if s.C is None else [s.C]
    ws = [(t, s.w_sum - t) for t in SOME] if s.w is None else [s.w]
    return [Params(c, Fraction(1), Fraction(1), w, s.b) for c in cs for w in ws]


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_the_loss_at_a_solution_is_exactly_zero(gate):
    for params in points(solution(gate)):
        value = loss(params, ROWS, gate.targets)
        assert isinstance(value, Fraction)
        assert value == 0


@pytest.mark.parametrize(("name", "C"), C_OF.items())
def test_the_invariant_of_each_gate(name, C):
    assert solution(gate(name)).C == C


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_there_is_no_other_solution(gate):
    C, w1, w2, b = symbols = sympy.symbols("C w1 w2 b")
    t00, t01, t10, t11 = gate.targets
    both = (w1 + w2) * (2 * C + 1) + b  # x1² + x2² is 2
    equations = [b - t00, w2 * (C + 1) + b - t01, w1 * (C + 1) + b - t10, both - t11]
    families = sympy.solve(equations, symbols, dict=True)
    found = {tuple(family.get(s, s) for s in symbols) for family in families}

    got = solution(gate)
    if got.C is None:  # w = 0 with any C; or the line, which is the residual cancelled by C = -1
        expected = {(C, 0, 0, got.b), (-1, -w2, w2, got.b)}
    elif got.w is None:
        expected = {(got.C, got.w_sum - w2, w2, got.b)}
    else:
        expected = {(got.C, *got.w, got.b)}
    assert found == {tuple(map(sympy.sympify, values)) for values in expected}


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_the_sum_of_the_readout_is_told_with_the_readout(gate):
    got = solution(gate)
    assert got.w is None or got.w_sum == sum(got.w)


def test_the_learned_solutions_of_the_notebook():
    # The notebook's runs end within 2e-3 of them.
    xor, nand = solution(gate("xor")), solution(gate("nand"))
    assert (float(xor.C), *map(float, xor.w)) == pytest.approx((-0.5011, 1.9998, 1.9997), abs=2e-3)
    assert (float(nand.C), float(nand.w_sum), float(nand.b)) == pytest.approx(
        (-0.9995, 1, 1), abs=2e-3
    )
