"""One run with its whole history: what is in it, and what of it goes into JSON."""

import json

import numpy as np
import pytest

from attnlogic import theory
from attnlogic.errors import InputError
from attnlogic.history import History, outcome, rises
from attnlogic.optimizers import OPTIMIZERS
from attnlogic.outcomes import NONE
from attnlogic.problems import initial_params, neuron, pack
from attnlogic.problems.gates import ROWS, gate
from attnlogic.studies.single_run import train

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
        np.testing.assert_equal(
            run.outcome, outcome(run.history, run.training.threshold, run.training.problem)
        )
        np.testing.assert_equal(run.history.initial, pack(initial_params(0)))
        first = neuron.loss(initial_params(0), ROWS, run.training.problem.data.targets)
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
            "gate", "model", "encoding", "optimizer", "seed", "backend", "precision", "init",
            "epochs", "threshold", "until", "interrupted",
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
    assert [*told["params"].values()] == [float(v) for v in final]
    p = told["params"]
    # The dict's numbers were rounded to float32 when they were multiplied.
    assert told["C"] == pytest.approx(p["wq"] * p["wk"] * p["wv"], rel=1e-6)
    assert told["C"] == pytest.approx(float(theory.solution(gate("xor")).C), abs=0.02)
    for x1, x2 in ROWS:
        c = told["coefficients"]
        expanded = c["x1"] * x1 + c["x2"] * x2 + c["x1x2"] * x1 * x2 + c["bias"]
        assert expanded == pytest.approx(neuron.predict(neuron.unpack(final), (x1, x2)), abs=1e-5)

    gone = runs["diverged"].as_dict()
    assert {*gone["params"].values(), *gone["coefficients"].values()} == {None}
    assert gone["C"] is gone["final_loss"] is gone["losses"][-1] is gone["first_hit"] is None
    assert gone["diverged_at"] == len(gone["losses"]) - 1


def test_precision_and_initialisation_are_heeded():
    run = train("nand", "adam", 5, epochs=9, precision="float64", init="normal(scale=0.5)")
    assert run.history.losses.dtype == run.outcome.quantities["C"].dtype == np.float64
    assert run.as_dict()["init"] == str(run.init) == "normal(scale=0.5)"
    np.testing.assert_equal(run.outcome.initial, pack(initial_params(5, run.init)))


class Still:
    """A backend that trains nothing: it stays where it starts.

    Its history comes in parts of ``size`` epochs, after ``good`` of which the error is raised.
    """

    name = "still"

    def __init__(self, size=None, good=None, error=None):
        self.size, self.good, self.error, self.closed = size, good, error, False

    def devices(self):
        return []

    def versions(self):
        return {}

    def default_seeds(self, training):
        return 1

    def check(self, training, jobs):
        if training.problem.data.name == "or":
            raise InputError("no 'or' here")

    def train(self, batch, *, jobs=1, on_progress=None):
        raise NotImplementedError

    def history(self, training, initial, *, on_progress=None):
        self.check(training, 1)
        return self.parts(training, initial, on_progress)

    def parts(self, training, initial, on_progress):
        C = np.full(training.epochs, neuron.invariant(neuron.unpack(initial)))
        losses = 0.9 ** np.arange(training.epochs)
        size = self.size or training.epochs
        try:
            for k, first in enumerate(range(0, training.epochs, size)):
                if k == self.good:
                    raise self.error
                some = slice(first, first + size)
                on_progress(len(C[some]) / len(C))
                counts = np.ones(len(C[some]), int)
                yield History(losses[some], {"C": C[some]}, initial, initial, NONE, counts, 0.0)
        finally:
            self.closed = True


@pytest.mark.parametrize("seed", [0, 2**32 - 1, np.int64(7), np.uint32(7)], ids=repr)
def test_a_seed_is_any_whole_number_of_32_bits(seed):
    run = train("xor", "adam", seed, epochs=3, backend=Still())
    assert (run.seed, type(run.seed)) == (int(seed), int)
    assert json.loads(json.dumps(run.as_dict(), allow_nan=False))["seed"] == int(seed)
    np.testing.assert_equal(run.outcome.initial, pack(initial_params(int(seed))))


def test_a_budget_is_the_optimizers_own_unless_one_is_given():
    for name, record in OPTIMIZERS.items():
        assert len(train("xor", name, backend=Still()).history.losses) == record.epochs


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
    assert ("3 of 3 epochs" in err) == bool(err) == bool(show)


# --- interrupted --------------------------------------------------------------------------------


@pytest.mark.parametrize("good", [1, 2, 4])
def test_an_interrupt_keeps_the_epochs_that_were_done(good):
    whole = train("xor", "adam", 3, epochs=50, threshold=0.1, backend=Still())
    backend = Still(10, good, KeyboardInterrupt())
    run = train("xor", "adam", 3, epochs=50, threshold=0.1, backend=backend)
    assert backend.closed
    assert run.interrupted
    assert not whole.interrupted
    assert run.training.epochs == len(run.history.losses) == 10 * good
    np.testing.assert_array_equal(run.history.losses, whole.history.losses[: 10 * good])
    again = train("xor", "adam", 3, epochs=run.training.epochs, threshold=0.1, backend=Still(7))
    assert again.history.losses.tolist() == whole.history.losses[: 10 * good].tolist()
    np.testing.assert_equal(run.outcome, outcome(run.history, 0.1, run.training.problem))
    kept = json.loads(json.dumps(run.as_dict(), allow_nan=False))
    assert (kept["interrupted"], kept["epochs"]) == (True, 10 * good)
    assert whole.as_dict()["interrupted"] is False
    assert "interrupted" in repr(run)
    assert "interrupted" not in repr(whole)


def test_an_interrupt_before_there_is_anything_is_raised():
    backend = Still(10, 0, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        train("xor", "adam", epochs=50, backend=backend)
    assert backend.closed


@pytest.mark.parametrize("error", [RuntimeError("a wire snapped"), MemoryError()], ids=repr)
@pytest.mark.parametrize("good", [0, 2])
def test_another_error_is_raised(error, good):
    with pytest.raises(type(error)) as raised:
        train("xor", "adam", epochs=50, backend=Still(10, good, error))
    assert raised.value is error


def test_however_its_history_is_cut_it_is_the_same_run():
    whole, *cut = (
        train("xor", "adam", 3, epochs=50, threshold=0.1, backend=Still(size))
        for size in (None, 1, 7, 50, 51)
    )
    for run in cut:
        np.testing.assert_equal(run.history, whole.history)
        np.testing.assert_equal(run.outcome, whole.outcome)


# --- settings and texts -------------------------------------------------------------------------


@pytest.mark.parametrize("number", [np.float64, np.float32, np.longdouble], ids=repr)
def test_numpys_numbers_mean_what_pythons_mean(number):
    """A threshold of NumPy's would be compared in its own precision, not in the losses'."""
    losses = np.float32([1, 1e-4, 5e-5])

    class Fixed(Still):
        def parts(self, training, initial, on_progress):
            C, counts = np.ones(3, "float32"), np.ones(3, int)
            yield History(losses, {"C": C}, initial, initial, NONE, counts, 0.0)

    plain, numpys = (
        train("xor", "adam", np.int8(3), epochs=epochs, threshold=threshold, backend=Fixed())
        for epochs, threshold in ((3, 1e-4), (np.int64(3), number(1e-4)))
    )
    assert plain.outcome.first_hit == numpys.outcome.first_hit == 1
    assert type(numpys.training.threshold) is float
    assert json.loads(json.dumps(numpys.as_dict(), allow_nan=False))["epochs"] == 3


def test_its_text_is_one_line(runs):
    solved, diverged = repr(runs["solved"]), repr(runs["diverged"])
    assert solved.startswith("Run(xor · adamw · seed 0: 300 epochs, Outcome(solved: first_hit=")
    assert "Outcome(diverged: first_hit=-1" in diverged
    assert max(len(solved), len(diverged)) < 120
