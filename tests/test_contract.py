"""What every backend promises."""

from dataclasses import replace
from functools import partial

import helpers
import numpy as np
import pytest
from helpers import seeds, trained, whole_history

from attnlogic.backend import Backend
from attnlogic.backend import backend as find
from attnlogic.errors import InputError
from attnlogic.history import join
from attnlogic.optimizers import OPTIMIZERS
from attnlogic.outcomes import NONE, NUMBERS, concatenate, leaves_of, numbers_of
from attnlogic.problems import initial_params
from attnlogic.problems.model import invariant, pack, unpack

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
    outcomes = list(find(name).train(condition("xor", by, 9, precision=precision), starts))
    assert sum(len(one.first_hit) for one in outcomes) == 3
    for one in outcomes:
        assert {type(leaf) for leaf in leaves_of(one)} == {np.ndarray}
        assert {leaf.shape for leaf in leaves_of(one)} == {one.first_hit.shape}
        assert {leaf.dtype for leaf in leaves_of(one)[:12]} == {np.dtype(precision)}
        for name_of, leaf in numbers_of(one).items():
            assert leaf.dtype == NUMBERS[name_of].kind.dtype(precision), name_of
    for given, kept in zip(pack(starts), pack(concatenate(outcomes).initial), strict=True):
        np.testing.assert_array_equal(kept, given)  # float32 fits into float64
    assert {leaf.dtype for leaf in pack(starts)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("epochs", [1, 8, 19])
def test_a_history_has_one_loss_an_epoch(name, precision, epochs):
    start = initial_params(4)
    run = whole_history(find(name), condition("xor", "adam", epochs, precision=precision), start)
    assert run.losses.shape == run.C.shape == (epochs,)
    assert run.losses.dtype == run.C.dtype == np.dtype(precision)
    assert {np.asarray(p).dtype for p in pack(run.final)} == {np.dtype(precision)}
    assert {np.shape(p) for p in pack(run.final)} == {()}
    np.testing.assert_array_equal(pack(run.initial), pack(start))
    assert run.evaluations.tolist() == [1] * epochs
    assert run.stopped_at == NONE
    # C in float64 of float32 parameters differs from C in float32 by three roundings.
    assert run.C[0] == pytest.approx(float(invariant(start)), rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_outcomes_come_in_the_order_of_the_seeds(name):
    training = condition("xor", "adam", 20)
    together = leaves_of(trained(name, training, seeds(5, 3, 9)))
    for i, seed in enumerate((5, 3, 9)):
        alone = leaves_of(trained(name, training, seeds(seed)))
        for leaf, one in zip(together, alone, strict=True):
            np.testing.assert_array_equal(leaf[i], one[0])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("epochs", [1, 248])
@pytest.mark.parametrize("by", ["adam", "sgd(lr=50)", "polyak(tolerance=0.05)"])
def test_reported_progress_adds_up(name, epochs, by):
    """Also where runs end early: they diverge, or stop."""
    training, told = condition("xor", by, epochs, precision="float32"), []
    list(find(name).train(training, seeds(0, 1, 2), on_progress=told.append))
    assert sum(told) == pytest.approx(3)
    told.clear()
    whole_history(find(name), training, initial_params(0), on_progress=told.append)
    assert sum(told) == pytest.approx(1)
    assert min(told) > 0


@pytest.mark.parametrize("name", NAMES)
def test_no_seeds_give_no_outcomes(name):
    outcomes = find(name).train(condition("xor", "adam", 5), seeds())
    assert sum(len(one.first_hit) for one in outcomes) == 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "change", [{"epochs": 0}, {"threshold": -1.0}, {"precision": "float16"}], ids=str
)
def test_a_training_that_makes_no_sense_is_refused_at_once(name, change):
    backend, training = find(name), replace(condition("xor", "adam", 5), **change)
    (word,) = change
    for work in (
        lambda: backend.check(training, 1),
        lambda: backend.train(training, seeds(0)),  # at the call, not at the first outcome
        lambda: backend.history(training, initial_params(0)),  # nor at the first part
    ):
        with pytest.raises(InputError, match=word):
            work()


PART_SECONDS = {"jax": "attnlogic_jax.traces.TARGET_PART_SECONDS",
                "torch": "attnlogic_torch.training.TARGET_PART_SECONDS"}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_history_in_parts_is_the_whole(monkeypatch, name):
    backend, training = find(name), condition("xor", "adam", 600, precision="float32")
    whole = whole_history(backend, training, initial_params(4))
    monkeypatch.setattr(PART_SECONDS[name], 0.001)
    parts = [*backend.history(training, initial_params(4))]
    assert len(parts) >= 3
    joined = join(parts)
    for field in ("losses", "C", "evaluations"):
        np.testing.assert_array_equal(getattr(joined, field), getattr(whole, field))
        assert getattr(joined, field).dtype == getattr(whole, field).dtype
    assert joined[2:5] == whole[2:5]
    # What a part says of the run so far is what the whole of a run of that length says.
    epochs = len(parts[0].losses) + len(parts[1].losses)
    until_then = whole_history(backend, replace(training, epochs=epochs), initial_params(4))
    assert parts[1].final == until_then.final
    assert parts[1].gradient_norm == until_then.gradient_norm


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("by", "until"),
    [("adam", "hit"), ("polyak(tolerance=0.05)", "budget"), ("sgd(lr=50)", "budget")],
)
def test_a_history_ends_with_its_run_however_long_the_budget(name, by, until):
    training, told = condition("xor", by, 2**31 - 1, precision="float32", until=until), []
    run = whole_history(find(name), training, initial_params(0), on_progress=told.append)
    assert 2 < len(run.losses) == len(run.C) == len(run.evaluations) < 1000
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
        condition("xor", "sgd", 2**31 - 1), initial_params(0), on_progress=shares.append
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
    start = unpack([np.float32([0.5, bad]), *np.float32([[0.5, 0.5]] * 5)])
    training = condition("xor", by, 8, precision="float32")
    run = trained(name, training, start)
    assert run.diverged_at.tolist() == [NONE, 0]
    assert run.evaluations[1] == 1
    assert run.stopped_at[1] == NONE
    assert run.final_loss[1] == run.min_loss[1] == run.initial_loss[1] == np.inf
    assert np.isnan([leaf[1] for leaf in (*pack(run.final), run.C)]).all()
    history = whole_history(find(name), training, unpack([leaf[1] for leaf in pack(start)]))
    assert len(history.losses) == history.evaluations.sum() == 1
