"""Planes: every point is what it is when it is trained alone."""

from itertools import product

import numpy as np
import polars as pl
import pytest

from attnlogic.backend import Points, Training, in_order, one_condition
from attnlogic.errors import InputError
from attnlogic.optimizers import optimizer
from attnlogic.outcomes import NONE, status
from attnlogic.problems import problem
from attnlogic.results import ending, known_of
from attnlogic.studies import plane, planes
from attnlogic.theory import ENDINGS
from attnlogic_jax import JAX, chunks, compiled, platforms, points

NUMBERS = ("first_hit", "diverged_at", "final_loss", "gradient_norm")


def alone(found, by, start):
    """The same points, each trained alone by the study's path, in a batch of its own."""
    what = found.training.problem
    shape = found.final_loss.shape
    arrays = {name: np.empty(shape, getattr(found, name).dtype) for name in NUMBERS}
    arrays |= {name: np.empty(shape, found.training.precision) for name in found.quantities}
    for j, i in product(*map(range, shape)):
        at = float(found.x.values[i]), float(found.y.values[j])
        training = Training(
            what, optimizer(by(*at)), found.training.epochs, precision=found.training.precision
        )
        initial = what.initial(found.seed).astype(found.training.precision)
        for name, value in start(*at).items():
            initial[what.names.index(name)] = value
        (one,) = [*JAX.train(one_condition(training, initial[:, None]))]
        for name in NUMBERS:
            arrays[name][j, i] = getattr(one.outcome, name)[0]
        for name in found.quantities:
            arrays[name][j, i] = one.outcome.quantities[name][0]
    return arrays


def nothing(*at):
    return {}


CASES = {
    "rates": (
        ("sgd", "lr=0.03..10:log:5", "weight_decay=0..0.5:4"),
        lambda x, y: f"sgd(lr={x!r},weight_decay={y!r})",
        nothing,
    ),
    "momentum": (
        ("sgd(dampening=0.5)", "momentum=0..0.9:4", "lr=0.01..0.1:log:4"),
        lambda x, y: f"sgd(dampening=0.5,momentum={x!r},lr={y!r})",
        nothing,
    ),
    "starts": (
        ("adam(lr=0.1)", "start.wq=-3..3:5", "start.w1=-3..3:4"),
        lambda x, y: "adam(lr=0.1)",
        lambda x, y: {"wq": x, "w1": y},
    ),
    "one of each": (
        ("adamw", "start.b=-1..1:4", "lr=0.001..1:log:5"),
        lambda x, y: f"adamw(lr={y!r})",
        lambda x, y: {"b": x},
    ),
    "schedule": (
        ("sgd(lr=0.3)", "gamma=0.9..1:4", "weight_decay=0..0.1:3"),
        lambda x, y: f"sgd(lr=0.3,gamma={x!r},weight_decay={y!r})",
        nothing,
    ),
    "averages": (
        ("adam(lr=0.1)", "beta1=0..0.99:4", "beta2=0..0.999:4"),
        lambda x, y: f"adam(lr=0.1,beta1={x!r},beta2={y!r})",
        nothing,
    ),
    "many evaluations": (
        ("lbfgs", "start.wq=-3..3:5", "lr=0.1..1:3"),
        lambda x, y: f"lbfgs(lr={y!r})",
        lambda x, y: {"wq": x},
    ),
    "another package's": (
        ("optax:sgd", "learning_rate=0.03..3:log:4", "start.w1=-3..3:3"),
        lambda x, y: f"optax:sgd(learning_rate={x!r})",
        lambda x, y: {"w1": y},
    ),
}

ROUNDED = {"averages", "momentum"}
"""Cases whose arithmetic on numbers, such as β₁ᵗ, XLA vectorises for points, with another last bit.
"""


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES)
def test_every_point_is_what_it_is_when_trained_alone(case, precision):
    given, by, start = CASES[case]
    found = plane("xor", *given, seed=3, epochs=60, precision=precision, progress=False)
    wanted = alone(found, by, start)
    eps = np.finfo(precision).eps
    for name, expected in wanted.items():
        got = found.quantities.get(name)
        got = getattr(found, name) if got is None else got
        assert got.dtype == expected.dtype
        if case in ROUNDED:
            # 60 epochs, each rounded otherwise in its last bit, in runs that do not amplify it.
            np.testing.assert_allclose(got, expected, rtol=2e4 * eps, atol=100 * eps)
        else:
            np.testing.assert_array_equal(got, expected)


RATES = ("nand", "sgd", "lr=0.03..30:log:40", "weight_decay=0..0.5:3")


def small(**options):
    return plane(*RATES, **{"epochs": 80, "progress": False, **options})


def same(a, b):
    return all(
        np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True) for name in NUMBERS
    ) and np.array_equal(a.quantities["C"], b.quantities["C"], equal_nan=True)


def test_a_plane_in_pieces_is_the_whole(monkeypatch):
    whole = small()
    monkeypatch.setattr(planes, "POINTS_AT_ONCE", 50)  # a row at a time
    assert same(small(), whole)


def test_the_codes_are_those_of_status_and_ending():
    found = small(threshold=0.05, epochs=1500)
    what = problem("nand")
    starts = np.repeat(what.initial(0)[:, None], found.final_loss.size, axis=1)
    settings = {
        "lr": np.tile(found.x.values, 3),
        "weight_decay": np.repeat(found.y.values, 40),
    }
    training = Training(what, optimizer("sgd(weight_decay=0.1)"), 1500, 0.05)
    runs = in_order(JAX.train_points(Points(training, settings, starts)))
    assert found.status.ravel().tolist() == status(runs).tolist()
    assert {*found.status.ravel()} >= {"solved", "unsolved", "diverged"}
    rows = pl.DataFrame(
        {
            "status": status(runs),
            "C": runs.quantities["C"],
            "final_loss": runs.final_loss,
            "gradient_norm": runs.gradient_norm,
        }
    )
    of = known_of({"gate": "nand", "model": "attention", "encoding": "01"})
    wanted = rows.select(ending(of).alias("ending"))["ending"].to_list()
    assert found.ending.ravel().tolist() == wanted
    assert [ENDINGS[k] for k in found.ending_codes.ravel()] == wanted


def test_a_row_of_the_table_is_a_point():
    found = small()
    table = found.table()
    assert table.columns == [
        "x", "y", "status", "first_hit", "diverged_at", "final_loss", "gradient_norm", "C"
    ]  # fmt: skip
    assert len(table) == 120
    for row, (j, i) in enumerate(product(range(3), range(40))):
        x, y, named, hit, diverged, loss, *_ = table.row(row)
        assert (x, y) == (found.x.values[i], found.y.values[j])
        assert named == found.status[j, i]
        assert loss == found.final_loss[j, i]
        assert (NONE if hit is None else hit) == found.first_hit[j, i]
        assert (diverged is None) == (named != "diverged")


def test_ctrl_c_ends_it():
    def interrupt(done):
        raise KeyboardInterrupt

    given = Points(
        Training(problem("xor"), optimizer("sgd"), 10**6),
        {"lr": np.geomspace(0.01, 1, 500)},
        np.repeat(problem("xor").initial(0)[:, None], 500, axis=1),
    )
    with pytest.raises(KeyboardInterrupt):
        [*JAX.train_points(given, on_progress=interrupt)]


@pytest.mark.usefixtures("on_a_cpu")
def test_runs_that_take_as_long_are_put_side_by_side_with_their_settings(monkeypatch, cores):
    given = Points(
        Training(problem("xor"), optimizer("lbfgs"), 60),
        {"lr": np.geomspace(0.05, 1, 512)},
        problem("xor").initial(range(512)),
    )
    cores(1)
    monkeypatch.setitem(platforms.WITH_HISTORY.chunk, "cpu", 64)  # one group: none is moved
    whole = in_order(JAX.train_points(given))
    monkeypatch.setitem(platforms.WITH_HISTORY.chunk, "cpu", 512)
    monkeypatch.setattr(chunks, "PROBE_EPOCHS", 8)
    monkeypatch.setitem(chunks.TARGET_CALL_SECONDS, "budget", 0.01)
    moved, regroup = [], compiled.regroup

    def watched(given, chosen, size):
        moved.append(chosen)
        return regroup(given, chosen, size)

    monkeypatch.setattr(compiled, "regroup", watched)
    again = in_order(JAX.train_points(given))
    np.testing.assert_array_equal(again.final, whole.final)
    assert any(not np.array_equal(chosen.ravel(), np.arange(512)) for chosen in moved)


def test_progress_adds_up_to_the_points():
    given = Points(
        Training(problem("xor"), optimizer("sgd"), 200),
        {"lr": np.geomspace(0.01, 1, 500)},
        np.repeat(problem("xor").initial(0)[:, None], 500, axis=1),
    )
    done = []
    finished = [*JAX.train_points(given, on_progress=done.append)]
    assert sum(done) == pytest.approx(500)
    assert sorted(place for one in finished for place in range(one.first, one.end)) == [*range(500)]


WRONG = {
    "a switch, which is compiled in": {"y": "nesterov=0..1:2"},
    "a whole number, which is compiled in": {"y": "warmup=0..9:2"},
    "a word, which is compiled in": {"y": "schedule=0..9:2"},
    "did you mean 'momentum'": {"y": "momentun=0..1:3"},
    "unknown parameter of attention 'qw'": {"x": "start.qw=0..1:3"},
    "both axes are lr": {"y": "lr=0.1..1:3"},
    "sgd(weight_decay=0.1) gives weight_decay a value": {"optimizer": "sgd(weight_decay=0.1)"},
    "expected a finite number above 0": {"x": "lr=0..1:3"},
    "at least two points": {"x": "lr=0.1..0.1:1"},
    "lacks its number of points": {"x": "lr=0.1..0.2"},
    "expected lr=": {"x": "0.1..0.2:3"},
    "same number in float32: use --precision float64": {"x": "lr=0.1..0.1000001:99"},
    "the torch backend has no runs with settings of their own": {"backend": "torch"},
    "at most 16,777,216 points": {"x": "lr=0.1..1:5000", "y": "weight_decay=0..1:5000"},
    "nesterov=True needs a momentum above 0": {
        "optimizer": "sgd(nesterov=true,momentum=0.5)", "x": "dampening=0..0.5:3"
    },
}  # fmt: skip


@pytest.mark.parametrize("message", WRONG)
def test_what_cannot_be_a_plane_is_refused_before_any_work(message, monkeypatch):
    monkeypatch.setattr(points, "train", None)
    asked = {
        "gate": "xor", "optimizer": "sgd", "x": "lr=0.1..1:4", "y": "weight_decay=0..0.5:4"
    }  # fmt: skip
    with pytest.raises(InputError) as error:
        plane(**asked | WRONG[message], progress=False)
    assert message in str(error.value)


def test_a_number_that_depends_on_two_settings_is_refused():
    """Without momentum torch has nothing to dampen."""
    with pytest.raises(InputError, match="depends on momentum and dampening together"):
        plane("xor", "sgd", "momentum=0..0.9:3", "dampening=0..0.9:3", epochs=2, progress=False)
    plane("xor", "sgd", "momentum=0.1..0.9:3", "dampening=0..0.9:3", epochs=2, progress=False)


def test_what_another_packages_code_branches_on_is_refused():
    """Its structure differs from value to value: no array stands for it."""
    with pytest.raises(InputError, match="momentum of test_foreign_jax:branching is compiled"):
        plane(
            "xor", "test_foreign_jax:branching(learning_rate=0.1)", "momentum=0..0.9:3",
            "start.b=0..1:3",
            epochs=2, progress=False,
        )  # fmt: skip
