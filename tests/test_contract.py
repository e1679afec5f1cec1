"""What every backend promises."""

from dataclasses import replace
from functools import partial

import helpers
import numpy as np
import pytest
from helpers import assert_same, leaves, seed, seeds, trained, whole_history

from attnlogic.backend import Backend, Batch, one_condition
from attnlogic.backend import backend as find
from attnlogic.errors import InputError
from attnlogic.history import join
from attnlogic.optimizers import OPTIMIZERS
from attnlogic.outcomes import NONE, NUMBERS, concatenate, numbers_of, own_numbers
from attnlogic.problems import invariant, problem, unpack

NAMES = ["jax", "torch"]
condition = partial(helpers.condition, precision="float64")


@pytest.mark.parametrize("name", NAMES)
def test_a_backend_says_who_it_is(name):
    backend = find(name)
    assert isinstance(backend, Backend)
    assert backend.name == name
    assert backend.seeds >= 1
    assert backend.devices()
    assert all(isinstance(device, str) and device for device in backend.devices())
    versions = backend.versions()
    assert name in versions
    assert all(isinstance(v, str) and v[0].isdigit() for v in versions.values())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("by", ["adam", "polyak", "lbfgs"])
def test_outcomes_are_numpy_arrays_of_the_trainings_precision(name, by, precision):
    starts = seeds(0, 1, 2)
    training = condition("xor", by, 9, precision=precision)
    outcomes = list(find(name).train(one_condition(training, starts)))
    assert sum(len(one.first_hit) for one in outcomes) == 3
    for one in outcomes:
        assert {type(leaf) for leaf in (one.initial, one.final, *leaves(one).values())} == {
            np.ndarray
        }
        (count,) = one.first_hit.shape
        assert {leaf.shape for leaf in leaves(one).values()} == {(count,)}
        assert one.initial.shape == one.final.shape == (6, count)
        assert one.initial.dtype == one.final.dtype == np.dtype(precision)
        declared = NUMBERS | own_numbers({"C": "wq·wk·wv"})
        assert [*numbers_of(one)] == [*declared]
        for name_of, leaf in numbers_of(one).items():
            assert leaf.dtype == declared[name_of].kind.dtype(precision), name_of
    # float32 fits into float64
    np.testing.assert_array_equal(concatenate(outcomes).initial, starts)
    assert starts.dtype == np.float32


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("epochs", [1, 8, 19])
def test_a_history_has_one_loss_an_epoch(name, precision, epochs):
    start = seed(4)
    run = whole_history(find(name), condition("xor", "adam", epochs, precision=precision), start)
    assert [*run.quantities] == ["C"]
    C = run.quantities["C"]
    assert run.losses.shape == C.shape == (epochs,)
    assert run.losses.dtype == C.dtype == np.dtype(precision)
    assert run.initial.dtype == run.final.dtype == np.dtype(precision)
    assert run.initial.shape == run.final.shape == (6,)
    np.testing.assert_array_equal(run.initial, start)
    assert run.evaluations.tolist() == [1] * epochs
    assert run.stopped_at == NONE
    # C in float64 of float32 parameters differs from C in float32 by three roundings.
    assert C[0] == pytest.approx(float(invariant(unpack(start))), rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_outcomes_come_in_the_order_of_the_seeds(name):
    training = condition("xor", "adam", 20)
    together = leaves(trained(name, training, seeds(5, 3, 9)))
    for i, number in enumerate((5, 3, 9)):
        alone = leaves(trained(name, training, seeds(number)))
        assert together.keys() == alone.keys()
        for field, one in alone.items():
            np.testing.assert_array_equal(together[field][i], one[0], err_msg=field)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("until", ["budget", "hit"])
def test_runs_of_several_conditions_are_those_of_each(name, until):
    """In one batch, whose conditions need not have as many seeds each."""
    gates, counts = ("nand", "xor", "or"), (2, 1, 3)
    trainings = tuple(
        condition(gate, "adam", 40, until=until, threshold=0.1, precision="float32")
        for gate in gates
    )
    starts = [seeds(*range(count)) for count in counts]
    which = np.repeat(np.arange(3, dtype=np.int32), counts)
    batch = Batch(trainings, which, np.concatenate(starts, axis=1))
    told = []
    together = concatenate([*find(name).train(batch, on_progress=told.append)])
    alone = [trained(name, *work) for work in zip(trainings, starts, strict=True)]
    assert_same(together, concatenate(alone))
    assert sum(told) == pytest.approx(6)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_with_one_condition_that_makes_no_sense_is_refused_at_once(name):
    good = condition("xor", "adam", 5)
    batch = Batch((good, replace(good, epochs=0)), np.array([0, 1], np.int32), seeds(0, 1))
    with pytest.raises(InputError, match="epochs"):
        find(name).train(batch)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_without_numbers_of_its_own_is_trained(name):
    what = problem("xor", "attention(scores=softmax)")
    training = replace(condition("xor", "adam", 9), problem=what)
    runs = trained(name, training, what.initial(range(3)))
    assert runs.quantities_initial == runs.quantities_first_hit == runs.quantities == {}
    assert [*numbers_of(runs)] == [*NUMBERS]
    history = whole_history(find(name), training, what.initial(1))
    assert history.quantities == {}
    assert len(history.losses) == 9
    assert history.losses[-1] == runs.final_loss[1]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("epochs", [1, 248])
@pytest.mark.parametrize("by", ["adam", "sgd(lr=50)", "polyak(tolerance=0.05)"])
def test_reported_progress_adds_up(name, epochs, by):
    """Also where runs end early: they diverge, or stop."""
    training, told = condition("xor", by, epochs, precision="float32"), []
    list(find(name).train(one_condition(training, seeds(0, 1, 2)), on_progress=told.append))
    assert sum(told) == pytest.approx(3)
    told.clear()
    whole_history(find(name), training, seed(0), on_progress=told.append)
    assert sum(told) == pytest.approx(1)
    assert min(told) > 0


@pytest.mark.parametrize("name", NAMES)
def test_no_seeds_give_no_outcomes(name):
    outcomes = find(name).train(one_condition(condition("xor", "adam", 5), seeds()))
    assert sum(len(one.first_hit) for one in outcomes) == 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "change", [{"epochs": 0}, {"threshold": -1.0}, {"precision": "float16"}], ids=str
)
def test_a_training_that_makes_no_sense_is_refused_at_once(name, change):
    backend, training = find(name), replace(condition("xor", "adam", 5), **change)
    (word,) = change
    batch = Batch((training,), np.zeros(1, np.int32), seeds(0))
    for work in (
        lambda: backend.check(training, 1),
        lambda: backend.train(batch),  # at the call, not at the first outcome
        lambda: backend.history(training, seed(0)),  # nor at the first part
    ):
        with pytest.raises(InputError, match=word):
            work()


PART_SECONDS = {"jax": "attnlogic_jax.traces.TARGET_PART_SECONDS",
                "torch": "attnlogic_torch.training.TARGET_PART_SECONDS"}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_history_in_parts_is_the_whole(monkeypatch, name):
    backend, training = find(name), condition("xor", "adam", 600, precision="float32")
    whole = whole_history(backend, training, seed(4))
    monkeypatch.setattr(PART_SECONDS[name], 0.001)
    parts = [*backend.history(training, seed(4))]
    assert len(parts) >= 3
    joined = join(parts)
    traces = [
        {"losses": run.losses, "evaluations": run.evaluations, **run.quantities}
        for run in (joined, whole)
    ]
    assert traces[0].keys() == traces[1].keys() == {"losses", "evaluations", "C"}
    for field, trace in traces[0].items():
        np.testing.assert_array_equal(trace, traces[1][field])
        assert trace.dtype == traces[1][field].dtype
    np.testing.assert_array_equal(joined.initial, whole.initial)
    np.testing.assert_array_equal(joined.final, whole.final)
    assert joined.stopped_at == whole.stopped_at
    # What a part says of the run so far is what the whole of a run of that length says.
    epochs = len(parts[0].losses) + len(parts[1].losses)
    until_then = whole_history(backend, replace(training, epochs=epochs), seed(4))
    np.testing.assert_array_equal(parts[1].final, until_then.final)
    assert parts[1].gradient_norm == until_then.gradient_norm


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("by", "until"),
    [("adam", "hit"), ("polyak(tolerance=0.05)", "budget"), ("sgd(lr=50)", "budget")],
)
def test_a_history_ends_with_its_run_however_long_the_budget(name, by, until):
    training, told = condition("xor", by, 2**31 - 1, precision="float32", until=until), []
    run = whole_history(find(name), training, seed(0), on_progress=told.append)
    assert 2 < len(run.losses) == len(run.quantities["C"]) == len(run.evaluations) < 1000
    ends = run.losses <= 1e-4 if until == "hit" else ~np.isfinite(run.losses)
    assert not ends[:-1].any()
    assert ends[-1] == (run.stopped_at == NONE)
    assert run.stopped_at in (NONE, len(run.losses) - 1)
    assert sum(told) == pytest.approx(1)


@pytest.mark.parametrize("name", NAMES)
def test_a_history_that_is_closed_does_no_more(monkeypatch, name):
    """A budget of weeks: the first part comes soon, and closing ends the work."""
    monkeypatch.setattr(PART_SECONDS[name], 0.0)
    shares = []
    parts = find(name).history(
        condition("xor", "sgd", 2**31 - 1), seed(0), on_progress=shares.append
    )
    assert shares == []
    assert len(next(parts).losses) < 100_000
    parts.close()
    assert len(shares) == 1
    assert next(parts, None) is None


@pytest.mark.parametrize(
    ("name", "by"),
    [(n, by) for n in NAMES for by in OPTIMIZERS if (n, by) != ("torch", "lbfgs_zoom")],
)
@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_a_run_that_starts_at_no_number_diverges_at_once(name, by, bad):
    start = np.float32([[0.5, bad], *[[0.5, 0.5]] * 5])
    training = condition("xor", by, 8, precision="float32")
    run = trained(name, training, start)
    assert run.diverged_at.tolist() == [NONE, 0]
    assert run.evaluations[1] == 1
    assert run.stopped_at[1] == NONE
    assert run.final_loss[1] == run.min_loss[1] == run.initial_loss[1] == np.inf
    assert np.isnan([*run.final[:, 1], run.quantities["C"][1]]).all()
    history = whole_history(find(name), training, start[:, 1])
    assert len(history.losses) == history.evaluations.sum() == 1
