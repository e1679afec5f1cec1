"""The backends keep the contract: the suite that any backend's author runs, and a little more."""

from dataclasses import replace
from functools import partial

import helpers
import numpy as np
import pytest
from abacus import Abacus
from helpers import seed, trained, whole_history

from attnlogic.backend import backend as find
from attnlogic.history import join
from attnlogic.optimizers import OPTIMIZERS
from attnlogic.outcomes import NONE
from attnlogic.testing import BackendContract
from attnlogic.testing.conduct import ConductContract
from attnlogic.testing.endings import EndingsContract
from attnlogic.testing.identity import IdentityContract
from attnlogic_torch import PLAIN

OF_EACH_KIND = ["sgd", "adam", "polyak(tolerance=0.05)", "lbfgs"]
"""An optimizer without memory, one with, one that stops by itself, and one that counts evaluations.
The others are compared epoch by epoch in ``test_optimizer_contract``."""


class TestJax(BackendContract):
    backend = "jax"
    optimizers = OF_EACH_KIND


class TestTorch(BackendContract):
    backend = "torch"
    optimizers = OF_EACH_KIND


class TestTorchPlain(BackendContract):
    backend = PLAIN
    optimizers = OF_EACH_KIND


class TestAbacus(ConductContract, EndingsContract, IdentityContract):
    """The tests' own, which learns nothing: it has no trajectories to compare."""

    backend = Abacus()
    optimizers = ("sgd", "adam")


# --- more, of the two that are the package's own ------------------------------------------------

NAMES = ["jax", "torch"]
condition = partial(helpers.condition, precision="float64")

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


@pytest.mark.parametrize(
    ("name", "by"),
    [(n, by) for n in NAMES for by in OPTIMIZERS if (n, by) != ("torch", "lbfgs_zoom")],
)
def test_a_run_that_starts_at_no_number_diverges_at_once(name, by):
    start = np.float32([[0.5, np.inf, np.nan], *[[0.5] * 3] * 5])
    training = condition("xor", by, 8, precision="float32")
    run = trained(name, training, start)
    assert run.diverged_at.tolist() == [NONE, 0, 0]
    for bad in (1, 2):
        assert run.evaluations[bad] == 1
        assert run.stopped_at[bad] == NONE
        assert run.final_loss[bad] == run.min_loss[bad] == run.initial_loss[bad] == np.inf
        assert np.isnan([*run.final[:, bad], run.quantities["C"][bad]]).all()
        history = whole_history(find(name), training, start[:, bad])
        assert len(history.losses) == history.evaluations.sum() == 1
