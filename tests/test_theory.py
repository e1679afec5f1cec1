"""Exact theory, held to SymPy, NumPy and SciPy, which know nothing of its formulas."""

import math
from fractions import Fraction
from functools import lru_cache

import numpy as np
import polars as pl
import pytest
import sympy
from scipy.integrate import solve_ivp
from scipy.optimize import least_squares

from attnlogic import theory
from attnlogic.problems import GATES, ROWS, Params, gate, loss, pack, predict, unpack
from attnlogic.theory import landscape, points, solution, solutions

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
CONSTANT = ("false", "true")
VARIED = [g for g in GATES if g.name not in CONSTANT]
SPLIT = [g for g in VARIED if g.targets[1] != g.targets[2]]
"""The gates that tell row 01 from row 10."""


def at(C, w, b):
    return Params(Fraction(C), Fraction(1), Fraction(1), w, b)


def members(s):
    """Parameters that the solution says solve the gate: several where it leaves a choice."""
    cs = SOME if s.C is None else [s.C]
    ws = [(t, s.w_sum - t) for t in SOME] if s.w is None else [s.w]
    return [at(c, w, s.b) for c in cs for w in ws]


@lru_cache
def derivatives():
    """Gradient and Hessian of four times the loss, by SymPy: of six parameters and four targets.

    Four times: the coefficients are whole, so that fractions stay fractions.
    """
    parameters, targets = sympy.symbols("a:6"), sympy.symbols("t:4")
    value = sympy.expand(4 * loss(unpack(parameters), ROWS, targets))
    first = [sympy.diff(value, p) for p in parameters]
    second = [[sympy.diff(d, p) for p in parameters] for d in first]
    arguments = [*parameters, *targets]
    return sympy.lambdify(arguments, first), sympy.lambdify(arguments, second)


def gradient(params, targets):
    return derivatives()[0](*pack(params), *targets)


def curvatures(params, targets):
    second = derivatives()[1](*map(float, pack(params)), *targets)
    return np.linalg.eigvalsh(np.array(second, float))


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


def design(C):
    """The outputs on the rows for each unit vector of (w1, w2, b): shape (4, 3)."""
    units = [((1, 0), 0), ((0, 1), 0), ((0, 0), 1)]
    return np.array([[predict(Params(C, 1, 1, w, b), x) for w, b in units] for x in ROWS], float)


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_V_is_what_least_squares_leaves(gate):  # noqa: N802
    for C in [-1, -1 + 1e-3, -1 - 1e-3, -0.5, -0.4, 0, 1, *np.linspace(-9, 9, 37) + 0.01]:
        A, t = design(C), np.array(gate.targets, float)
        residual = A @ np.linalg.lstsq(A, t, rcond=None)[0] - t
        # 1e-3 from the singular C = -1 the condition number is 1e3.
        assert float(theory.V(gate, C)) == pytest.approx(np.mean(residual**2), abs=1e-12)


@pytest.mark.parametrize("gate", GATES, ids=str)
@pytest.mark.parametrize("C", [-1, -1.01, -0.99, -0.5, 0, 3])
def test_no_search_over_readouts_gets_below_V(gate, C):  # noqa: N802
    rng = np.random.default_rng(1)
    A, t = design(C), np.array(gate.targets, float)
    for start in rng.normal(scale=3, size=(5, 3)):
        found = least_squares(lambda p: (A @ p - t) / 2, start, xtol=1e-15, ftol=1e-15, gtol=1e-15)
        params = Params(C, 1, 1, tuple(found.x[:2]), found.x[2])
        assert loss(params, ROWS, gate.targets) == pytest.approx(float(theory.V(gate, C)), abs=1e-9)


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_the_best_readout_satisfies_the_normal_equations_exactly(gate):
    for C in [Fraction(-1), *SOME]:
        params = theory.readout(gate, C)
        assert gradient(params, gate.targets)[3:] == [0, 0, 0]
        assert C != -1 or params.w[0] == params.w[1]  # the shortest of a line


def rational(value):
    return sympy.Rational(value.numerator, value.denominator)


def from_scratch(gate):
    """The symbol C, V(C) and the zeros of its derivative: SymPy solves the normal equations."""
    C, *readout = sympy.symbols("C w1 w2 b")
    value = loss(Params(C, 1, 1, tuple(readout[:2]), readout[2]), ROWS, gate.targets)
    best = sympy.solve([sympy.diff(value, p) for p in readout], readout, dict=True)[0]
    V = sympy.cancel(value.subs(best))
    slope = sympy.numer(sympy.cancel(sympy.diff(V, C)))
    return C, V, set(sympy.Poly(slope, C).all_roots()) if slope != 0 else set()


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_V_is_the_rational_function_that_sympy_derives(gate):  # noqa: N802
    C, V, stationary = from_scratch(gate)
    shape = landscape(gate)
    assert sympy.simplify(V - shape.least_loss(C)) == 0
    ends = [c for c in (shape.zero, shape.maximum) if c is not None]
    assert {r for r in stationary if r.is_real} == set(map(rational, ends))
    assert sympy.limit(V, C, sympy.oo) == rational(shape.limit)
    assert sympy.limit(V, C, -sympy.oo) == rational(shape.limit)
    assert sympy.limit(V, C, -1) == rational(shape.beside_minus_1)
    for c in [Fraction(-2, 5), *SOME]:
        assert rational(theory.V(gate, c)) == V.subs(C, rational(c))


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_the_formula_of_V_is_the_least_loss_in_every_arithmetic(gate):  # noqa: N802
    formula = landscape(gate).least_loss
    points = [Fraction(n, 8) for n in range(-40, 41) if n != -8]
    exact = [theory.V(gate, C) for C in points]
    assert [formula(C) for C in points] == exact
    assert all(isinstance(formula(C), Fraction) for C in points)
    assert [formula(rational(C)) for C in points] == [rational(V) for V in exact]
    doubles = np.array(points, float)
    # Eighths: the squares are exact, and one division is left to round.
    expected = np.array(exact, float)
    assert [formula(float(C)) for C in points] == expected.tolist()
    np.testing.assert_array_equal(formula(doubles), expected)
    np.testing.assert_array_equal(formula(doubles.reshape(2, -1)), expected.reshape(2, -1))
    frame = pl.DataFrame({"C": doubles})
    column = frame.select(formula(pl.col("C"))).to_series()
    np.testing.assert_array_equal(column.to_numpy(), expected)


@pytest.mark.parametrize("gate", VARIED, ids=str)
def test_V_is_zero_at_its_zero_and_nowhere_greater_than_its_maximum(gate):  # noqa: N802
    shape = landscape(gate)
    top = theory.V(gate, shape.maximum)
    assert theory.V(gate, shape.zero) == 0
    step = Fraction(1, 10**6)
    for C in (shape.zero, shape.maximum):
        slope = (theory.V(gate, C + step) - theory.V(gate, C - step)) / (2 * step)
        # V' is 0 and V''' at most some hundreds: the difference is of the order of the step².
        assert abs(slope) < 1e-9
    grid = [Fraction(n, 50) + Fraction(1, 977) for n in range(-500, 500)]
    assert max(theory.V(gate, C) for C in grid) <= top <= gate_variance(gate)


def gate_variance(gate):
    mean = Fraction(sum(gate.targets), 4)
    return sum((t - mean) ** 2 for t in gate.targets) / 4


@pytest.mark.parametrize("gate", VARIED, ids=str)
def test_V_falls_to_its_limit_on_one_side_and_rises_on_the_other(gate):  # noqa: N802
    shape = landscape(gate)
    sign = 1 if shape.falls_towards == math.inf else -1
    fall = [theory.V(gate, sign * 10**n) for n in range(3, 7)]
    rise = [theory.V(gate, -sign * 10**n) for n in range(3, 7)]
    assert sorted(fall, reverse=True) == fall
    assert fall[-1] > shape.limit
    assert sorted(rise) == rise
    assert rise[-1] < shape.limit
    # The next term of the expansion is of the order of 1/C.
    assert fall[-1] - rise[-1] < 1e-6


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_V_jumps_at_minus_1_for_the_gates_that_tell_the_tokens_apart(gate):  # noqa: N802
    shape, near = landscape(gate), Fraction(1, 10**9)
    for C in (-1 - near, -1 + near):
        assert abs(theory.V(gate, C) - shape.beside_minus_1) < 1e-8
    assert theory.V(gate, Fraction(-1)) == shape.at_minus_1
    assert shape.at_minus_1 - shape.beside_minus_1 == (Fraction(1, 8) if gate in SPLIT else 0)


@pytest.mark.parametrize(
    ("name", "losses"),
    [
        ("xor", {"linear plateau": "1/4", "constant plateau": "1/4", "runaway valley": "2/9"}),
        ("nand", {"linear plateau": "1/16", "constant plateau": "3/16", "runaway valley": "1/72"}),
        ("or", {"linear plateau": "1/16", "constant plateau": "3/16", "runaway valley": "1/8"}),
        (
            "x1",
            {
                "ridge": "1/8",
                "runaway valley": "1/72",
                "cancellation valley": "1/24",
                "cancellation saddle": "1/6",
            },
        ),
        ("true", {}),
    ],
)
def test_the_losses_at_which_runs_fail(name, losses):
    assert theory.attractors(gate(name)) == {k: Fraction(v) for k, v in losses.items()}


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
