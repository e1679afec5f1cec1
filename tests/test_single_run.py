"""One run with its whole history: what is in it, and what of it goes into JSON."""

import json

import numpy as np
import pytest

from attnlogic.errors import InputError
from attnlogic.optimizers.hyperparameters import FAMILIES
from attnlogic.outcomes import NONE, History, outcome, rises
from attnlogic.problems import model
from attnlogic.problems.gates import ROWS, gate
from attnlogic.problems.initializations import initial
from attnlogic.studies.single_run import train
from attnlogic.theory import exact_solutions as theory

# One of each end. SGD at this rate comes down to 0.001, where it is unstable, and ends at 0.012.
ENDS = {
    "solved": ("xor", "adamw", {"epochs": 300, "threshold": 1e-3}),
    "lost": ("xor", "sgd", {"epochs": 3000, "threshold": 2e-3}),
    "unsolved": ("xor", "adamw", {"epochs": 25}),
    "diverged": ("xor", "sgd(lr=50)", {"epochs": 25}),
    "stopped": ("xor", "polyak(tolerance=0.01)", {"epochs": 100}),
}


@pytest.fixture(scope="module")
def runs():
    return {end: train(gate, by, 0, backend="jax", **how) for end, (gate, by, how) in ENDS.items()}


def test_the_notebooks_run(runs):
    printed = [0.8390, 0.1130, 0.0257, 0.0036, 0.0005]
    # Four places are printed, and the last may be rounded the other way.
    assert runs["solved"].history.losses[:201:50].tolist() == pytest.approx(printed, abs=1e-4)


def test_a_run_is_its_history_and_what_is_kept_of_it(runs):
    for run in runs.values():
        np.testing.assert_equal(run.outcome, outcome(run.history, run.training.threshold))
        np.testing.assert_equal(run.history.initial, initial(0))
        first = model.loss(initial(0), ROWS, run.training.gate.targets)
        # One float32 sum in another order.
        assert run.history.losses[0] == pytest.approx(first, rel=1e-6)
        assert (run.seed, run.backend, str(run.init)) == (0, "jax", "torch")


def test_how_each_run_ends(runs):
    ends = {"solved", "lost", "unsolved", "diverged"}
    assert {end: runs[end].status for end in ends} == {end: end for end in ends}
    for end in ("solved", "lost", "unsolved"):
        assert len(runs[end].history.losses) == ENDS[end][2]["epochs"]
    cut = runs["diverged"].history.losses
    assert np.isfinite(cut[:-1]).all()
    assert not np.isfinite(cut[-1])
    assert runs["stopped"].outcome.stopped_at == len(runs["stopped"].history.losses) - 1 < 99


def test_rises_are_those_counted(runs):
    for run in runs.values():
        hit, losses = int(run.outcome.first_hit), run.history.losses
        counted = [e for e in range(1, len(losses)) if -1 < hit < e and losses[e] > losses[e - 1]]
        assert run.rises == counted == rises(losses, hit).tolist()
        assert run.outcome.rises == len(run.rises)
    assert len(runs["solved"].rises) > 10  # so that the first ten are not all


def test_as_dict_is_strict_json_with_null_for_what_does_not_exist(runs):
    for end, run in runs.items():
        told = json.loads(json.dumps(run.as_dict(), allow_nan=False))
        assert told == run.as_dict(), "nothing but plain Python values"
        assert [*told] == [
            "gate", "optimizer", "seed", "backend", "precision", "init", "epochs", "threshold",
            "until",
            "status", "stopped_at", "diverged_at", "first_hit", "sustained_from", "rises",
            "first_rises", "exits", "worst_after_hit", "min_loss", "final_loss", "evaluations",
            "gradient_norm",
            "params", "C", "C_first_hit", "coefficients", "losses",
        ]  # fmt: skip
        assert [*told["params"]] == ["wq", "wk", "wv", "w1", "w2", "b"]
        assert [*told["coefficients"]] == ["x1", "x2", "x1x2", "bias"]
        for name in ("first_hit", "sustained_from", "stopped_at", "diverged_at"):
            epoch = getattr(run.outcome, name)
            assert told[name] == (None if epoch == NONE else epoch), (end, name)
        np.testing.assert_array_equal(
            np.array(told["losses"], run.history.losses.dtype),  # None becomes NaN
            np.where(np.isfinite(run.history.losses), run.history.losses, np.nan),
        )
        assert (told["gate"], told["optimizer"]) == ("xor", str(run.training.optimizer))
        assert told["rises"] == len(run.rises)
        assert told["first_rises"] == run.rises[:10]
        assert told["evaluations"] == len(told["losses"])


def test_numbers_in_the_dict_are_those_of_the_run(runs):
    told, final = runs["solved"].as_dict(), runs["solved"].outcome.final
    assert [*told["params"].values()] == [float(v) for v in model.pack(final)]
    p = told["params"]
    # The dict's numbers were rounded to float32 when they were multiplied.
    assert told["C"] == pytest.approx(p["wq"] * p["wk"] * p["wv"], rel=1e-6)
    assert told["C"] == pytest.approx(float(theory.solution(gate("xor")).C), abs=0.02)
    for x1, x2 in ROWS:
        c = told["coefficients"]
        expanded = c["x1"] * x1 + c["x2"] * x2 + c["x1x2"] * x1 * x2 + c["bias"]
        assert expanded == pytest.approx(model.predict(final, (x1, x2)), abs=1e-5)

    gone = runs["diverged"].as_dict()
    assert {*gone["params"].values(), *gone["coefficients"].values()} == {None}
    assert gone["C"] is gone["final_loss"] is gone["losses"][-1] is gone["first_hit"] is None
    assert gone["diverged_at"] == len(gone["losses"]) - 1


def test_precision_and_initialisation_are_heeded():
    run = train("nand", "adam", 5, epochs=9, precision="float64", init="normal(scale=0.5)")
    assert run.history.losses.dtype == run.outcome.C.dtype == np.float64
    assert run.as_dict()["init"] == str(run.init) == "normal(scale=0.5)"
    np.testing.assert_equal(run.outcome.initial, initial(5, run.init))


class Still:
    """A backend that trains nothing: it stays where it starts."""

    name, seeds = "still", 1

    def devices(self):
        return []

    def versions(self):
        return {}

    def check(self, training, jobs):
        if training.gate.name == "or":
            raise InputError("no 'or' here")

    def train(self, training, initial, *, jobs=1, on_progress=None):
        raise NotImplementedError

    def history(self, training, initial, *, on_progress=None):
        on_progress(1.0)
        C = np.full(training.epochs, model.invariant(initial))
        return History(np.ones_like(C), C, initial, initial, NONE, np.ones(len(C), int), 0.0)


@pytest.mark.parametrize("seed", [0, 2**32 - 1, np.int64(7), np.uint32(7)], ids=repr)
def test_a_seed_is_any_whole_number_of_32_bits(seed):
    run = train("xor", "adam", seed, epochs=3, backend=Still())
    assert (run.seed, type(run.seed)) == (int(seed), int)
    assert json.loads(json.dumps(run.as_dict(), allow_nan=False))["seed"] == int(seed)
    np.testing.assert_equal(run.outcome.initial, initial(int(seed)))


def test_a_budget_is_the_optimizers_own_unless_one_is_given():
    for name, family in FAMILIES.items():
        assert len(train("xor", name, backend=Still()).history.losses) == family.epochs


@pytest.mark.parametrize("seed", [-1, 2**32, 2**70, 1.5, "a", True, None, [], [1, 2]], ids=repr)
def test_a_seed_that_is_none_is_refused(seed):
    with pytest.raises(InputError, match="seed"):
        train("xor", "adam", seed, epochs=3, backend=Still())


@pytest.mark.parametrize(
    ("change", "fragment"),
    [
        ({"gate": "xro"}, "did you mean 'xor'"),
        ({"gate": "or"}, "no 'or' here"),
        ({"optimizer": "adamm"}, "did you mean 'adam'"),
        ({"epochs": 0}, "epochs"),
        ({"threshold": -1.0}, "threshold"),
        ({"precision": "half"}, "unknown precision"),
        ({"init": "zeros"}, "unknown initialization"),
        ({"backend": "jaxx"}, "did you mean 'jax'"),
    ],
    ids=str,
)
def test_bad_input_is_refused(change, fragment):
    asked = {"gate": "xor", "optimizer": "adam", "epochs": 3, "backend": Still()}
    with pytest.raises(InputError) as error:
        train(**{**asked, **change})
    assert fragment in str(error.value)


@pytest.mark.parametrize("show", [True, False, None])
def test_progress_is_drawn_on_stderr_if_at_all(capsys, show):
    train("xor", "adam", epochs=3, backend=Still(), progress=show)
    out, err = capsys.readouterr()
    assert out == ""
    assert ("1 of 1 runs" in err) == bool(err) == bool(show)
