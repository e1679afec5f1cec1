"""Where weight decay settles C: held to SciPy's minimum, to the rules themselves, and to runs."""

import numpy as np
import pytest
import sympy
from scipy.optimize import minimize

import attnlogic
from attnlogic import theory
from attnlogic.errors import InputError
from attnlogic.optimizers import OPTIMIZERS, optimizer
from attnlogic.problems import GATES, gate, loss, pack, unpack
from attnlogic.theory import decay

SOLVED = [*GATES, *(gate(name) for name in ("not_all_equal3", "00000011", "x2_of4", "true5"))]
"""The two-bit gates, and some of more bits that have a solution."""


def gradient(gate, params):
    """The loss's gradient to 40 digits: of 1e-10, doubles would keep few."""
    symbols = sympy.symbols(f"a:{gate.n + 4}")
    value = loss(unpack(symbols), gate.rows, gate.targets)
    there = {s: sympy.Float(p, 40) for s, p in zip(symbols, pack(params), strict=True)}
    return np.array([float(sympy.diff(value, s).subs(there)) for s in symbols])


def curvatures(gate, values):
    """The loss's Hessian by SymPy."""
    symbols = sympy.symbols(f"a:{gate.n + 4}")
    value = loss(unpack(symbols), gate.rows, gate.targets)
    there = dict(zip(symbols, values, strict=True))
    return np.array(sympy.hessian(value, symbols).subs(there), float)


@pytest.mark.parametrize("gate", SOLVED, ids=str)
@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_l2_settles_in_a_minimum_of_the_penalised_loss(gate, name):
    rest = decay.fixed_point(gate, optimizer(f"{name}(weight_decay=0.003)"))

    def penalised(p):
        return loss(unpack(p), gate.rows, gate.targets) + 0.003 / 2 * sum(p**2)

    start = np.array(pack(rest.params))
    found = minimize(penalised, start + 1e-3, method="BFGS", options={"gtol": 1e-9})
    # BFGS with numeric gradients ends within 1e-5; signs and sizes of wq, wk, wv are the same.
    np.testing.assert_allclose(found.x, start, atol=3e-4)
    assert penalised(start) <= found.fun + 1e-12
    np.testing.assert_allclose(gradient(gate, rest.params), -0.003 * start, atol=1e-13)


@pytest.mark.parametrize("gate", SOLVED, ids=str)
def test_adamws_rest_is_a_fixed_point_of_its_update(gate):
    rate, eps = 0.01, 1e-8
    rest = decay.fixed_point(gate, optimizer("adamw"))
    g, θ = gradient(gate, rest.params), np.array(pack(rest.params))
    # The moments of a constant gradient: m̂ = g and √v̂ = |g|. A θ rounded to 1e-16 leaves g, with
    # curvatures up to 44, uncertain by some 1e-15, next to an eps of 1e-8.
    np.testing.assert_allclose(g / (np.abs(g) + eps), -rate * θ, atol=1e-6)
    assert rest.shift is None or abs(rest.shift) < 1e-9


@pytest.mark.parametrize("gate", SOLVED, ids=str)
def test_as_it_runs_the_pull_and_the_edge_agree(gate):
    chosen = optimizer("adamw(beta1=0.8, lr=0.02)")
    rest = decay.edge_of_stability(gate, chosen)
    θ, S = np.array(pack(rest.params)), np.array(rest.strength)
    np.testing.assert_allclose(gradient(gate, rest.params), -0.01 * S * θ, atol=1e-12)
    H = curvatures(gate, pack(rest.params))
    # Adam's momentum is stable for curvatures up to 2(1 + beta1)/((1 - beta1) lr).
    sharpest = np.linalg.eigvalsh(H / np.sqrt(np.outer(S, S)))[-1]
    assert sharpest == pytest.approx(2 * 1.8 / (0.2 * 0.02), rel=1e-3)


@pytest.mark.parametrize(("beta1", "lr"), [(0.9, 0.05), (0.8, 0.02), (0.0, 0.5), (0.99, 1e-3)])
def test_adam_is_stable_up_to_that_limit_and_not_beyond(beta1, lr):
    """On a parabola of curvature h, with √v̂ = 1: |eigenvalue| of a step of (θ, m)."""
    limit = decay.stability_limit(beta1, lr)
    for h, stable in [(0.999 * limit, True), (1.001 * limit, False)]:
        step = [[1 - lr * (1 - beta1) * h, -lr * beta1], [(1 - beta1) * h, beta1]]
        assert (np.abs(np.linalg.eigvals(step)).max() < 1) == stable


@pytest.mark.parametrize("gate", SOLVED, ids=str)
def test_decay_makes_a_minimum_of_the_linear_plateau(gate):
    # At wq = wk = wv = 0 no curvature of the loss itself is negative or, in those three, positive.
    *readout, b = map(float, theory.points(gate)[0].readout)
    H = curvatures(gate, [0, 0, 0, *readout, b])
    assert not H[:3].any()
    assert np.linalg.eigvalsh(H[3:, 3:]).min() > 0.01


def test_without_decay_nothing_is_shifted():
    for text in ("sgd", "adam", "adamw(weight_decay=0)"):
        rest = decay.fixed_point(gate("or"), optimizer(text))
        assert (rest.C, rest.shift) == (float(theory.solution(gate("or")).C), 0)
        assert rest.loss < 1e-30


def test_a_decay_that_is_too_strong_leaves_nothing():
    assert decay.fixed_point(gate("xor"), optimizer("sgd(weight_decay=1)")) is None
    # AdamW keeps every parameter within 1/λ = 1, and XOR needs w = 2.
    assert decay.fixed_point(gate("xor"), optimizer("adamw(weight_decay=1)")) is None
    assert decay.edge_of_stability(gate("xor"), optimizer("adamw(weight_decay=1)")) is None


@pytest.mark.parametrize(
    ("function", "text", "fragment"),
    [
        (decay.fixed_point, "polyak", "weight decay"),
        (decay.fixed_point, "lbfgs", "weight decay"),
        (decay.fixed_point, "polyak", "expected adam, adamw, amsgrad, adamax, sgd"),
        (decay.fixed_point, "radam", "one of its own kind"),
        (decay.edge_of_stability, "adam(weight_decay=0.1)", "adamw"),
        (decay.edge_of_stability, "adamw(gamma=0.99)", "no schedule"),
        (decay.edge_of_stability, "adamw(schedule=cosine)", "no schedule"),
        (decay.edge_of_stability, "adamw(amsgrad=True)", "amsgrad=False"),
    ],
)
def test_what_has_no_such_point_is_refused(function, text, fragment):
    with pytest.raises(InputError, match=fragment):
        function(gate("xor"), optimizer(text))


def test_of_a_gate_without_a_solution_nothing_is_said():
    with pytest.raises(InputError, match=r"parity3: .*no exact solution.*0\.25"):
        decay.fixed_point(gate("parity3"), optimizer("adamw"))


def test_the_rule_follows_from_the_record_and_not_from_the_name(monkeypatch):
    """An optimizer of another name whose weight decay enters as AdamW's comes to rest where AdamW
    does, one whose decay enters as SGD's where SGD does."""
    for twin_of in ("adamw", "sgd"):
        twin = OPTIMIZERS[twin_of]._replace(name="twin")
        monkeypatch.setitem(OPTIMIZERS, "twin", twin)
        settings = "(weight_decay=0.02)"
        expected = decay.fixed_point(gate("xor"), optimizer(twin_of + settings))
        assert decay.fixed_point(gate("xor"), optimizer("twin" + settings)) == expected
    monkeypatch.setitem(OPTIMIZERS, "twin", OPTIMIZERS["adamw"]._replace(name="twin"))
    expected = decay.edge_of_stability(gate("xor"), optimizer("adamw"))
    assert decay.edge_of_stability(gate("xor"), optimizer("twin")) == expected


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


def test_runs_of_sgd_with_decay_end_at_the_fixed_point(tmp_path):
    text = "sgd(weight_decay=0.01)"
    for name, (C, count) in found(tmp_path, ["xor", "nand", "or"], text).items():
        assert count > 20
        # After 8000 epochs they have not come to rest entirely.
        assert pytest.approx(decay.fixed_point(gate(name), optimizer(text)).C, abs=5e-5) == C


def test_runs_of_adamw_settle_at_the_edge_and_not_at_the_fixed_point(tmp_path):
    text = "adamw(weight_decay=0.1)"
    for name, (C, count) in found(tmp_path, ["nand", "or"], text).items():
        expected = decay.edge_of_stability(gate(name), optimizer(text))
        assert count > 50
        # A tenth of the shift: what the estimate leaves out, and the runs' swing around it.
        assert pytest.approx(expected.shift, rel=0.1) == C - float(theory.solution(gate(name)).C)
        assert expected.shift > 1e3 * decay.fixed_point(gate(name), optimizer(text)).shift
