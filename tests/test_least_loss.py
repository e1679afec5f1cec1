"""V(C), the least loss at an invariant, held to exact least squares, SymPy and a search."""

import math
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
import sympy
from exact import SOME, gradient
from scipy.optimize import least_squares

from attnlogic import theory
from attnlogic.problems import GATES, ROWS, Params, gate, loss, predict
from attnlogic.theory import landscape

CONSTANT = ("false", "true")
VARIED = [g for g in GATES if g.name not in CONSTANT]
SPLIT = [g for g in VARIED if g.targets[1] != g.targets[2]]
"""The gates that tell row 01 from row 10."""


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
