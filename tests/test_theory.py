"""Exact theory, held to SymPy, NumPy and SciPy, which know nothing of its formulas."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from exact import SOME, at, curvatures, derivatives, gradient
from scipy.integrate import solve_ivp
from scipy.optimize import least_squares

from attnlogic import theory
from attnlogic.problems import GATES, ROWS, Params, gate, loss, pack, predict, unpack
from attnlogic.theory import points, solution, solutions

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


def members(s):
    """Parameters that the solution says solve the gate: several where it leaves a choice."""
    cs = SOME if s.C is None else [s.C]
    ws = [(t, s.w_sum - t) for t in SOME] if s.w is None else [s.w]
    return [at(c, w, s.b) for c in cs for w in ws]


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_the_loss_at_every_solution_is_exactly_zero(gate):
    for params in (p for s in solutions(gate) for p in members(s)):
        value = loss(params, ROWS, gate.targets)
        assert isinstance(value, Fraction)
        assert value == 0


@pytest.mark.parametrize(("name", "C"), C_OF.items())
def test_the_invariant_of_each_gate(name, C):
    assert solution(gate(name)).C == C


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_there_is_no_other_solution(gate):
    C, w1, w2, b = symbols = sympy.symbols("C w1 w2 b")
    equations = [
        sympy.expand(predict(Params(C, 1, 1, (w1, w2), b), x) - t)
        for x, t in zip(ROWS, gate.targets, strict=True)
    ]
    families = sympy.solve(equations, symbols, dict=True)
    found = {tuple(family.get(s, s) for s in symbols) for family in families}

    def given(s):
        w = (s.w_sum - w2, w2) if s.w is None else s.w
        return tuple(map(sympy.sympify, (C if s.C is None else s.C, *w, s.b)))

    assert found == set(map(given, solutions(gate)))


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_the_sum_of_the_readout_is_given_with_the_readout(gate):
    assert all(s.w is None or s.w_sum == sum(s.w) for s in solutions(gate))


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_the_free_directions_are_those_that_leave_the_output_alone(gate):
    parameters = sympy.symbols("a:6")
    outputs = sympy.Matrix([predict(unpack(parameters), x) for x in ROWS])
    jacobian = outputs.jacobian(parameters)
    for s in solutions(gate):
        there = dict(zip(parameters, pack(members(s)[-1]), strict=True))
        assert s.free == 6 - jacobian.subs(there).rank()


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_the_signs_are_all_that_the_product_allows(gate):
    every = {f"{q}{k}{v}" for q in "+-" for k in "+-" for v in "+-"}
    for s in solutions(gate):
        fits = {t for t in every if s.C and (t.count("-") % 2 == 1) == (s.C < 0)}
        assert set(s.signs) == fits
        assert len(s.signs) == len(fits)


def test_the_learned_solutions_of_the_notebook():
    # The notebook's runs end within 2e-3 of them.
    xor, nand = solution(gate("xor")), solution(gate("nand"))
    assert (float(xor.C), *map(float, xor.w)) == pytest.approx((-0.5011, 1.9998, 1.9997), abs=2e-3)
    assert (float(nand.C), float(nand.w_sum), float(nand.b)) == pytest.approx(
        (-0.9995, 1, 1), abs=2e-3
    )


def places(point):
    """Parameters at a critical point: the three ways two of wq, wk, wv can be 0, or C, 1, 1."""
    *w, b = point.readout
    if point.name == "linear plateau":
        zero, one = Fraction(0), Fraction(3, 2)
        triples = [(zero, zero, one), (zero, one, zero), (one, zero, zero)]
        return [Params(*triple, tuple(w), b) for triple in triples]
    return [at(c, tuple(w), b) for c in (SOME if point.C is None else [point.C])]


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_the_gradient_vanishes_exactly_at_critical_points_and_the_hessian_says_saddle(gate):
    for point in (p for p in points(gate) if p.kind != "limit"):
        for params in places(point):
            assert loss(params, ROWS, gate.targets) == point.loss
            vanishes = not any(gradient(params, gate.targets))
            assert vanishes == (point.kind != "not critical"), point
            lowest = curvatures(params, gate.targets)[0]
            if point.kind == "strict saddle":
                assert lowest < -1e-3, point
            elif vanishes:
                assert lowest > -1e-12, point


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_a_flat_saddle_has_a_way_down_all_the_same(gate):
    point = points(gate)[0]
    if point.kind == "flat saddle":
        assert theory.V(gate, Fraction(1, 100)) < point.loss
        assert theory.V(gate, Fraction(-1, 100)) < point.loss


@pytest.mark.parametrize("name", ["xor", "nand", "or", "x1", "inhibition"])
def test_every_critical_point_that_a_search_finds_is_known(name):
    rng = np.random.default_rng(3)
    targets = gate(name).targets
    known = {p.loss for p in points(gate(name)) if p.readout and p.kind != "not critical"}
    first, second = derivatives()
    found = []
    for start in rng.uniform(-2, 2, size=(60, 6)):
        end = least_squares(
            lambda p: first(*p, *targets), start, jac=lambda p: second(*p, *targets),
            xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=400,
        )  # fmt: skip
        if np.abs(end.fun).max() < 1e-9 and np.abs(end.x).max() < 10:
            found.append(loss(unpack(end.x), ROWS, targets))
    # A gradient of 1e-9 leaves a flat point's loss uncertain by far less than 1e-5.
    assert len(found) > 10
    for value in found:
        assert min(abs(value - float(t)) for t in {0, *known}) < 1e-5
    assert any(value > 1e-3 for value in found)


VALLEYS = {
    # gate, and where the flow starts: wq, wk, wv, w1, w2, b
    ("xor", "runaway valley"): (2, 2, 1, -0.1, -0.1, 0.6),
    ("nand", "runaway valley"): (1, 1, 2, -0.2, -0.2, 1),
    ("or", "runaway valley"): (2, -2, 1, -0.1, -0.1, 0.6),
    ("x1", "cancellation valley"): (1, 1, -0.8, 2, -3, 0.4),
    ("inhibition", "cancellation valley"): (1, 1, -1.2, -2, 3, 0.4),
}


@pytest.mark.parametrize(("name", "valley"), VALLEYS)
def test_gradient_flow_runs_down_the_valley(name, valley):
    target = gate(name)
    point = next(p for p in points(target) if p.name == valley)
    first, second = derivatives()
    flow = solve_ivp(
        lambda _, p: -np.array(first(*p, *target.targets)),
        (0, 1e5), VALLEYS[name, valley], method="BDF", t_eval=[1e2, 1e3, 1e4, 1e5],
        jac=lambda _, p: -np.array(second(*p, *target.targets)), rtol=1e-8, atol=1e-10,
    )  # fmt: skip
    losses = [loss(unpack(p), ROWS, target.targets) for p in flow.y.T]
    C = flow.y[:3].prod(axis=0)
    size = np.abs(C) if valley == "runaway valley" else np.abs(flow.y[3] - flow.y[4])
    above = np.array(losses) - float(point.loss)
    assert all(above > 0)
    assert all(np.diff(above) < 0)
    # The last two times are a factor of ten apart, and late enough for the power to show.
    power = 3 / 5 if valley == "runaway valley" else 1 / 3
    assert np.log10(size[-1] / size[-2]) == pytest.approx(power, abs=0.08)
    assert np.log10(above[-2] / above[-1]) == pytest.approx(power, abs=0.12)
    if valley == "runaway valley":
        assert np.sign(C[-1]) == np.sign(point.C)
    else:
        assert ("above" in point.note) == (C[-1] > -1)
        assert abs(C[-1] + 1) < 0.1
