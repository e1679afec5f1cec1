"""torch's worker processes: what they give, and that they are neither lost nor left behind.

Starting one takes seconds, so the tests share them; each test starts those that are missing.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from helpers import assert_same, condition, seeds

from attnlogic.backend import in_order, one_condition
from attnlogic.errors import WorkError
from attnlogic.outcomes import NONE, concatenate
from attnlogic.results import load
from attnlogic_torch.backend import TorchBackend

WEEKS = 2**31 - 1
"""A budget in epochs that nobody waits for."""


@pytest.fixture(scope="module")
def backend():
    one = TorchBackend("torch-plain", plain=True)
    yield one
    one._workers.stop()
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(
    ("by", "epochs", "precision"),
    [
        ("adam", 150, "float32"),
        ("sgd(lr=50)", 60, "float32"),  # diverges
        ("polyak", 60, "float64"),
        ("lbfgs", 5, "float32"),
    ],
)
def test_two_processes_give_what_one_gives(backend, by, epochs, precision):
    training, starts = condition("xor", by, epochs, precision=precision), seeds(8, 1, 2, 9, 4)
    shares = {1: [], 2: []}
    one, two = (
        list(
            backend.train(
                one_condition(training, starts), jobs=jobs, on_progress=shares[jobs].append
            )
        )
        for jobs in (1, np.int64(2))
    )
    assert len(one) == len(two) == 5
    one, two = in_order(one), in_order(two)
    assert_same(one, two)
    assert ((one.diverged_at != NONE) == by.startswith("sgd")).all()
    for some in shares.values():
        assert sum(some) == pytest.approx(5)


def test_two_trainings_at_one_time_do_not_end_each_other(backend):
    training = condition("xor", "adam", 20)
    one = backend.train(one_condition(training, seeds(0, 1, 2)), jobs=2)
    first = next(one)
    other = [*backend.train(one_condition(training, seeds(3, 4, 5)), jobs=3)]
    alone = backend.train(one_condition(training, seeds(0, 1, 2, 3, 4, 5)))
    both = concatenate([in_order([first, *one]), in_order(other)])
    assert_same(both, in_order(alone))


def test_a_worker_that_died_while_it_was_idle_is_replaced(backend):
    training = condition("xor", "adam", 20)
    before = [*backend.train(one_condition(training, seeds(0, 1)), jobs=2)]
    for worker in backend._workers._idle[-2:]:
        worker._process.kill()
        worker._process.join()
    after = [*backend.train(one_condition(training, seeds(0, 1)), jobs=2)]
    assert_same(in_order(before), in_order(after))


def test_an_error_in_a_worker_keeps_its_place(backend):
    with pytest.raises(ValueError, match="could not convert") as error:
        [
            *backend.train(
                one_condition(condition("xor", "adam", 5), np.array([["one", "two"]] * 6)), jobs=2
            )
        ]
    assert "attnlogic_torch/modules.py" in "".join(error.value.__notes__).replace("\\", "/")


def test_a_worker_that_is_killed_is_one_clear_error(backend):
    shares = []

    def on_progress(share):
        shares.append(share)
        for worker in multiprocessing.active_children():
            worker.kill()

    training = condition("xor", "adam", WEEKS)
    outcomes = backend.train(one_condition(training, seeds(0, 1)), jobs=2, on_progress=on_progress)
    with pytest.raises(WorkError) as error:
        next(outcomes)
    assert 0 < shares[0] < 1e-3  # reported while the run went on
    (message,) = str(error.value).splitlines()
    for part in ("SIGKILL", "of 2 of the runs, of xor · adam", "memory", "fewer --jobs"):
        assert part in message
    assert any(f"part {number} of" in message for number in (1, 2))
    # The next training has new workers.
    assert (
        len([*backend.train(one_condition(condition("xor", "adam", 5), seeds(0, 1)), jobs=2)]) == 2
    )


def test_closing_the_iterator_ends_the_work(backend):
    # The first seed starts at infinity and so ends at once; the others would train for weeks.
    values = seeds(0, 1, 2, 3)
    values[:, 0] = np.inf
    outcomes = backend.train(one_condition(condition("xor", "adam", WEEKS), values), jobs=2)
    assert next(outcomes).outcome.diverged_at.tolist() == [0]
    count = len(multiprocessing.active_children())
    outcomes.close()
    assert len(multiprocessing.active_children()) == count - 2


def test_workers_that_cannot_be_started_are_one_clear_error(monkeypatch):
    own, before = TorchBackend("torch-plain", plain=True), set(multiprocessing.active_children())
    started = []

    def start(process):
        if started:
            raise BlockingIOError("Resource temporarily unavailable")
        started.append(process)
        type(process).__mro__[1].start(process)

    monkeypatch.setattr(multiprocessing.get_context("spawn").Process, "start", start)
    outcomes = own.train(one_condition(condition("xor", "adam", 5), seeds(0, 1)), jobs=2)
    with pytest.raises(WorkError, match=r"cannot start 2 worker processes.*fewer --jobs"):
        next(outcomes)
    assert set(multiprocessing.active_children()) == before


UNGUARDED = """
import numpy as np
from attnlogic.backend import Training, one_condition
from attnlogic.optimizers import optimizer
from attnlogic.problems import problem
from attnlogic_torch import PLAIN

training = Training(problem("xor"), optimizer("{by}"), {epochs})
starts = training.problem.initial(np.arange(2))
starts[5, 0] = {b}
batch = one_condition(training, starts)
for _ in PLAIN.train(batch, jobs=2, on_progress=lambda _: print("trains", flush=True)):
    pass
"""


def test_a_script_without_its_guard_learns_what_it_lacks(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED.format(by="adam", epochs=5, b=0), encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 1
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("attnlogic.errors.WorkError: a worker process ended with exit code 1")
    assert "if __name__ == '__main__'" in last


# --- whatever ends the process that started them ------------------------------------------------

LINUX = pytest.mark.skipif(not Path("/proc").exists(), reason="reads Linux's /proc")


def workers_of(pid):
    """The processes that a process has started, but for Python's tracker of resources."""
    return [
        int(child)
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def has_torch(pid):
    """Whether a process has loaded torch, and so is past its beginning."""
    return "libtorch" in Path(f"/proc/{pid}/maps").read_text()


def running(pid):
    """Whether there is such a process, and it is not a dead one that nobody has asked after."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(true, seconds=60):
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert true()


def end(process, number, code=None):
    """End a process by a signal; its workers end too. Returns what it says."""
    workers = workers_of(process.pid)
    assert len(workers) == 2
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    assert process.returncode == (-number if code is None else code)
    wait_until(lambda: not any(map(running, workers)), seconds=10)
    return error


@pytest.mark.parametrize("backend", ["torch", "torch-plain"])
def test_a_study_that_is_finished_ends_with_its_workers(tmp_path, backend):
    """Their parent waits for them, and they hear no SIGTERM."""
    words = ["study", "xor", "-o", "lbfgs", "--backend", backend, "--jobs", "2", "--seeds", "4"]
    command = [sys.executable, "-m", "attnlogic", *words, "--epochs", "2", "--out", tmp_path / "s"]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert len(load(tmp_path / "s")) == 4


@LINUX
def test_a_study_that_is_terminated_leaves_nothing_behind(tmp_path):
    words = ["study", "xor", "-o", "lbfgs", "--backend", "torch", "--jobs", "2", "--seeds", "4"]
    command = [sys.executable, "-m", "attnlogic", *words, "--epochs", str(WEEKS)]
    with subprocess.Popen(
        [*command, "--out", tmp_path / "demo"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        wait_until(lambda: len([*filter(has_torch, workers_of(process.pid))]) == 2)
        said = end(process, signal.SIGTERM, 128 + signal.SIGTERM)
    # No traceback, and no "leaked semaphore objects".
    assert said == "interrupted by SIGTERM: no run is kept\n"


@LINUX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_whole_group_is_the_parents_to_answer(tmp_path, number):
    """As a terminal or a scheduler sends it: it is no error, and runs that are done are kept."""
    directory = tmp_path / "demo"
    # SGD diverges at once, and Adam trains for weeks.
    words = ["xor", "-o", "sgd(lr=1000)", "-o", "adam", "--backend", "torch-plain", "--jobs", "2"]
    command = [sys.executable, "-m", "attnlogic", "study", *words, "--epochs", str(WEEKS)]
    with subprocess.Popen(
        [*command, "--seeds", "2", "--out", directory],
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        wait_until(lambda: (directory / "study.json").exists() and len(load(directory)) == 2)
        workers = workers_of(process.pid)
        os.killpg(process.pid, number)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + number
    wait_until(lambda: not any(map(running, workers)), seconds=10)
    kept = "2 finished runs are kept: the same command again trains the rest"
    assert said.splitlines()[-1].startswith(f"interrupted by {number.name}: {kept}")
    assert "Traceback" not in said


ENDLESS = "lbfgs(lr=1e-9, max_iter=1000000, tolerance_grad=0, tolerance_change=0)"
"""An epoch of this takes a quarter of an hour."""


@LINUX
@pytest.mark.parametrize(
    ("number", "by", "b"),
    [
        (signal.SIGTERM, "adam", "0"),  # epoch after epoch
        (signal.SIGKILL, ENDLESS, "np.inf"),  # one is idle, the other in the midst of an epoch
    ],
    ids=["epochs", "one epoch"],
)
def test_workers_in_training_end_with_the_process_that_started_them(number, by, b):
    # Python starts no file anew for what is given by -c, so that this script needs no guard.
    with subprocess.Popen(
        [sys.executable, "-c", UNGUARDED.format(by=by, epochs=WEEKS, b=b)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout.readline() == "trains\n"
        assert end(process, number) == ""
