"""Where weight decay settles C: held to SciPy's minimum, to the rules themselves, and to runs."""

import numpy as np
import pytest
import sympy
from scipy.optimize import minimize

import attnlogic
from attnlogic.errors import InputError
from attnlogic.optimizers.hyperparameters import optimizer
from attnlogic.problems.gates import GATES, ROWS, gate
from attnlogic.problems.model import loss, pack, unpack
from attnlogic.theory import decay
from attnlogic.theory import exact_solutions as theory

SYMBOLS = sympy.symbols("a:6")


def gradient(gate, params):
    """The loss's gradient to 40 digits: of 1e-10, doubles would keep few."""
    value = loss(unpack(SYMBOLS), ROWS, gate.targets)
    there = {s: sympy.Float(p, 40) for s, p in zip(SYMBOLS, pack(params), strict=True)}
    return np.array([float(sympy.diff(value, s).subs(there)) for s in SYMBOLS])


@pytest.mark.parametrize("gate", GATES, ids=str)
@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_l2_settles_in_a_minimum_of_the_penalised_loss(gate, name):
    rest = decay.at_rest(gate, optimizer(f"{name}(weight_decay=0.003)"))

    def penalised(p):
        return loss(unpack(p), ROWS, gate.targets) + 0.003 / 2 * sum(p**2)

    start = np.array(pack(rest.params))
    found = minimize(penalised, start + 1e-3, method="BFGS", options={"gtol": 1e-9})
    # BFGS with numeric gradients ends within 1e-5; signs and sizes of wq, wk, wv are the same.
    np.testing.assert_allclose(found.x, start, atol=3e-4)
    assert penalised(start) <= found.fun + 1e-12
    np.testing.assert_allclose(gradient(gate, rest.params), -0.003 * start, atol=1e-13)


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_adamws_rest_is_a_fixed_point_of_its_update(gate):
    rate, eps = 0.01, 1e-8
    rest = decay.at_rest(gate, optimizer("adamw"))
    g, θ = gradient(gate, rest.params), np.array(pack(rest.params))
    # The moments of a constant gradient: m̂ = g and √v̂ = |g|. A θ rounded to 1e-16 leaves g, with
    # curvatures up to 44, uncertain by some 1e-15, next to an eps of 1e-8.
    np.testing.assert_allclose(g / (np.abs(g) + eps), -rate * θ, atol=1e-6)
    assert rest.shift is None or abs(rest.shift) < 1e-9


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_as_it_runs_the_pull_and_the_edge_agree(gate):
    chosen = optimizer("adamw(beta1=0.8, lr=0.02)")
    rest = decay.as_it_runs(gate, chosen)
    θ, S = np.array(pack(rest.params)), np.array(rest.strength)
    np.testing.assert_allclose(gradient(gate, rest.params), -0.01 * S * θ, atol=1e-12)
    value = loss(unpack(SYMBOLS), ROWS, gate.targets)
    there = dict(zip(SYMBOLS, pack(rest.params), strict=True))
    H = np.array(sympy.hessian(value, SYMBOLS).subs(there), float)
    # Adam's momentum is stable for curvatures up to 2(1 + beta1)/((1 - beta1) lr).
    sharpest = np.linalg.eigvalsh(H / np.sqrt(np.outer(S, S)))[-1]
    assert sharpest == pytest.approx(2 * 1.8 / (0.2 * 0.02), rel=1e-3)


def test_adam_is_stable_up_to_that_edge_and_not_beyond():
    # Momentum on a parabola of curvature h, preconditioned by a constant: |eigenvalue| of its step.
    beta, lr = 0.9, 0.05
    edge = 2 * (1 + beta) / ((1 - beta) * lr)
    for h, stable in [(0.999 * edge, True), (1.001 * edge, False)]:
        step = np.array([[1 - lr * (1 - beta) * h, -lr * beta], [(1 - beta) * h, beta]])
        assert (np.abs(np.linalg.eigvals(step)).max() < 1) == stable


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_decay_makes_a_minimum_of_the_linear_plateau(gate):
    # At wq = wk = wv = 0 no curvature of the loss itself is negative or, in those three, positive.
    *readout, b = map(float, theory.points(gate)[0].readout)
    value = loss(unpack(SYMBOLS), ROWS, gate.targets)
    there = dict(zip(SYMBOLS, [0, 0, 0, *readout, b], strict=True))
    H = np.array(sympy.hessian(value, SYMBOLS).subs(there), float)
    assert not H[:3].any()
    assert np.linalg.eigvalsh(H[3:, 3:]).min() > 0.01


def test_without_decay_nothing_is_shifted():
    for text in ("sgd", "adam", "adamw(weight_decay=0)"):
        rest = decay.at_rest(gate("or"), optimizer(text))
        assert (rest.C, rest.shift) == (float(theory.solution(gate("or")).C), 0)
        assert rest.loss < 1e-30


def test_a_decay_that_is_too_strong_leaves_nothing():
    assert decay.at_rest(gate("xor"), optimizer("sgd(weight_decay=1)")) is None
    # AdamW keeps every parameter within 1/λ = 1, and XOR needs w = 2.
    assert decay.at_rest(gate("xor"), optimizer("adamw(weight_decay=1)")) is None
    assert decay.as_it_runs(gate("xor"), optimizer("adamw(weight_decay=1)")) is None


@pytest.mark.parametrize(
    ("function", "text", "fragment"),
    [
        (decay.at_rest, "polyak", "weight decay"),
        (decay.at_rest, "lbfgs", "weight decay"),
        (decay.as_it_runs, "adam(weight_decay=0.1)", "adamw"),
        (decay.as_it_runs, "adamw(gamma=0.99)", "gamma=1"),
        (decay.as_it_runs, "adamw(amsgrad=True)", "amsgrad=False"),
    ],
)
def test_what_has_no_such_point_is_refused(function, text, fragment):
    with pytest.raises(InputError, match=fragment):
        function(gate("xor"), optimizer(text))


def found(tmp_path, names, text):
    """The C of each gate's runs that came near the solution, median, and how many they are."""
    study = attnlogic.Study(names, [text], seeds=256, precision="float64")
    rows = attnlogic.run(study, out=tmp_path / "runs", progress=False).table()
    result = {}
    for name in names:
        C = rows["C"].filter(rows["gate"] == name).drop_nulls().to_numpy()
        near = C[np.abs(C - float(theory.solution(gate(name)).C)) < 0.06]
        result[name] = (np.median(near), len(near))
    return result


def test_runs_of_sgd_with_decay_end_where_told(tmp_path):
    text = "sgd(weight_decay=0.01)"
    for name, (C, count) in found(tmp_path, ["xor", "nand", "or"], text).items():
        assert count > 20
        # After 8000 epochs they have not come to rest entirely.
        assert pytest.approx(decay.at_rest(gate(name), optimizer(text)).C, abs=5e-5) == C


def test_runs_of_adamw_settle_at_the_edge_and_not_at_the_fixed_point(tmp_path):
    text = "adamw(weight_decay=0.1)"
    for name, (C, count) in found(tmp_path, ["nand", "or"], text).items():
        told = decay.as_it_runs(gate(name), optimizer(text))
        assert count > 50
        # A tenth of the shift: what the estimate leaves out, and the runs' swing around it.
        assert pytest.approx(told.shift, rel=0.1) == C - float(theory.solution(gate(name)).C)
        assert told.shift > 1e3 * decay.at_rest(gate(name), optimizer(text)).shift
