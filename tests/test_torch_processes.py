"""The torch backend: many seeds, in processes side by side."""

import multiprocessing
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from helpers import condition, seeds, whole_history

from attnlogic.errors import WorkError
from attnlogic.history import outcome
from attnlogic.outcomes import NONE, concatenate, leaves_of
from attnlogic.problems import initial_params
from attnlogic.problems.model import pack, unpack
from attnlogic_torch import TORCH
from attnlogic_torch.backend import TorchBackend

# --- many seeds ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def processes():
    """A backend whose worker processes end with this module's tests."""
    one = TorchBackend()
    yield one
    one._workers.stop()


@pytest.mark.parametrize(
    ("by", "epochs", "precision"),
    [
        ("adam", 150, "float32"),
        ("sgd(lr=50)", 60, "float32"),  # diverges
        ("polyak", 60, "float64"),
        ("lbfgs", 5, "float32"),
    ],
)
def test_two_processes_give_what_one_gives(processes, by, epochs, precision):
    training, starts = condition("xor", by, epochs, precision=precision), seeds(8, 1, 2, 9, 4)
    told = {1: [], 2: []}
    one, two = (
        list(processes.train(training, starts, jobs=jobs, on_progress=told[jobs].append))
        for jobs in (1, 2)
    )
    assert len(one) == len(two) == 5
    for a, b in zip(leaves_of(concatenate(one)), leaves_of(concatenate(two)), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    diverges = by.startswith("sgd")
    assert ((concatenate(one).diverged_at != NONE) == diverges).all()
    for shares in told.values():
        assert sum(shares) == pytest.approx(5)


def test_an_outcome_is_that_of_its_history():
    training = condition("xor", "adamw", 250, threshold=1e-3)
    (one,) = TORCH.train(training, seeds(0))
    expected = outcome(whole_history(TORCH, training, initial_params(0)), 1e-3)
    for got, want in zip(leaves_of(one), leaves_of(expected), strict=True):
        np.testing.assert_array_equal(got, [want])
    assert one.first_hit[0] > 0


def test_closing_the_iterator_ends_the_work():
    # The first seed starts at infinity and so ends at once; the others would train for days.
    values = np.stack(pack(seeds(0, 1, 2, 3)))
    values[:, 0] = np.inf
    own, before = TorchBackend(), set(multiprocessing.active_children())
    outcomes = own.train(condition("xor", "adam", 2**31 - 1), unpack(tuple(values)), jobs=2)
    assert next(outcomes).diverged_at.tolist() == [0]
    assert set(multiprocessing.active_children()) > before
    outcomes.close()
    assert set(multiprocessing.active_children()) <= before  # in no order


def test_two_trainings_at_one_time_do_not_end_each_other(processes):
    training = condition("xor", "adam", 20)
    one = processes.train(training, seeds(0, 1, 2), jobs=2)
    first = next(one)
    other = concatenate([*processes.train(training, seeds(0, 1, 2), jobs=3)])
    both = concatenate([first, *one])
    for a, b in zip(leaves_of(both), leaves_of(other), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_worker_that_is_killed_is_one_clear_error():
    own, before = TorchBackend(), set(multiprocessing.active_children())
    outcomes = own.train(condition("xor", "adam", 2**31 - 1), seeds(0, 1), jobs=2)

    def kill_one():
        (victim, *_) = set(multiprocessing.active_children()) - before
        victim.kill()

    killer = threading.Timer(2.0, kill_one)
    killer.start()
    with pytest.raises(WorkError, match="ended by SIGKILL while it trained"):
        next(outcomes)
    killer.join()
    # The next training has fresh processes.
    assert len([*own.train(condition("xor", "adam", 5), seeds(0, 1), jobs=2)]) == 2
    own._workers.stop()
    assert set(multiprocessing.active_children()) <= before


def workers_of(pid):
    """The processes that a process has started, but for Python's tracker of resources."""
    return [
        int(child)
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


@pytest.mark.skipif(not Path("/proc").exists(), reason="reads Linux's /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_behind_by_a_signal(tmp_path, number):
    """No worker goes on, and Python finds no semaphore that was forgotten."""
    words = ["study", "xor", "-o", "adam", "--backend", "torch", "--jobs", "2", "--seeds", "4"]
    command = [sys.executable, "-m", "attnlogic", *words, "--epochs", "100000000"]
    with subprocess.Popen(
        [*command, "--out", str(tmp_path / "demo")], stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 60
        while len(started := workers_of(process.pid)) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert len(started) == 2
        process.send_signal(number)
        error = process.communicate(timeout=30)[1]
        while any(map(running, started)) and time.monotonic() < deadline:
            time.sleep(0.1)
    assert not any(map(running, started))
    assert "leaked" not in error


def running(pid):
    """Whether there is such a process, and it is not a dead one that nobody has asked after."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
