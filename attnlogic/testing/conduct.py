"""Tests: how a backend reports its work, and ends it when it is closed or interrupted."""

from __future__ import annotations

import gc
import importlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from attnlogic.backend import MAX_EPOCHS, Training, one_condition
from attnlogic.optimizers import Optimizer
from attnlogic.testing.comparing import expect, expect_rows
from attnlogic.testing.subject import Subject, starts, with_rate

PATIENCE_SECONDS = 60.0
"""How long a backend may take to answer; compilation included, on a busy machine."""

INTERRUPT_AFTER_SECONDS = 0.5
"""When Ctrl-C comes."""


class ConductContract(Subject):
    """Progress, closing and interrupts."""

    def test_progress_adds_up(self, by: str | Optimizer) -> None:
        """To the number of runs, also where the optimizer's own rule ends them."""
        self._expect_progress(self.training(by, epochs=8))

    @pytest.mark.parametrize("until", ["budget", "hit"])
    @pytest.mark.parametrize("epochs", [1, 150])
    def test_progress_adds_up_whatever_ends_the_runs(self, epochs: int, until: str) -> None:
        """Their budget, or their first hit."""
        self._expect_progress(self.training(epochs=epochs, until=until, threshold=0.2))

    def _expect_progress(self, training: Training) -> None:
        """Of five runs, one of which diverges at once, and of two histories."""
        begin = starts(training, 5)
        begin[:, 3] = np.nan
        told = Told()
        self.trained(training, begin, on_progress=told)
        told.expect_sum(5, "train")
        for start in begin.T[2:4]:
            told = Told()
            self.whole(training, start, on_progress=told)
            told.expect_sum(1, "history")

    def test_a_batch_that_is_closed_does_no_more(self) -> None:
        """Before it is begun, and after its first outcomes."""
        training, before = self.training(epochs=200), _work_under_way()
        for advanced in (False, True):
            told = Told()
            work = self.tested.train(
                one_condition(training, starts(training, 40)), on_progress=told
            )
            if advanced:
                next(work)
            _close(work)
            _expect_ended(before, told, "when the iterator of train is closed")

    def test_an_interrupt_between_finished_runs_passes(self) -> None:
        """It comes at a ``yield``, where a study writes; runs done by then may come before it."""
        training, before, told = self.training(epochs=200), _work_under_way(), Told()
        work = self.tested.train(one_condition(training, starts(training, 40)), on_progress=told)
        throw = getattr(work, "throw", None)
        if throw is None:
            pytest.skip("train's iterator is no generator: it hears of no interrupt")
        given = [next(work)]
        with suppress(KeyboardInterrupt):
            given.append(throw(KeyboardInterrupt()))
            given += work
            raise AssertionError(f"train, at a yield, swallowed {_LET_PASS}")
        _expect_ended(before, told, "when an interrupt reaches the iterator of train")
        runs = [run for one in given for run in range(one.first, one.end)]
        expect(len({*runs}) == len(runs), "train gave a run again when it was interrupted")

    def test_a_history_that_is_closed_does_no_more(self) -> None:
        """Of a budget of weeks, whose first part comes soon."""
        training, before, told = self.training(epochs=MAX_EPOCHS), _work_under_way(), Told()
        soon = "give a history in parts, about one a second: a run may take weeks"
        with within(PATIENCE_SECONDS, soon):
            parts = self.tested.history(training, starts(training)[:, 0], on_progress=told)
            next(parts)
            _close(parts)
        _expect_ended(before, told, "when the iterator of history is closed")
        expect(next(parts, None) is None, "a history that is closed must give no more parts")

    @pytest.mark.parametrize("kind", ["train", "history"])
    def test_an_interrupt_in_on_progress_passes(self, kind: str) -> None:
        """Afterwards the backend works as before."""
        training, before = self.training(), _work_under_way()
        usual = self.trained(training, starts(training))

        def interrupt(_: float) -> None:
            raise KeyboardInterrupt

        try:
            if kind == "train":
                self.trained(training, starts(training), on_progress=interrupt)
            else:
                self.whole(training, starts(training)[:, 0], on_progress=interrupt)
        except KeyboardInterrupt:
            pass
        else:
            raise AssertionError(f"{kind} swallowed {_LET_PASS}")
        _expect_ended(before, Told(), "when on_progress raises an interrupt")
        expect_rows(
            self.trained(training, starts(training)), usual, training.problem,
            "after an interrupt the backend must train as before",
        )  # fmt: skip

    @pytest.mark.parametrize("kind", ["train", "history"])
    @pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for this")
    def test_ctrl_c_ends_the_work(self, kind: str) -> None:
        """Of a budget of weeks, with all loaded that a study loads."""
        importlib.import_module("polars")  # its handler lets a wait without a timeout go on
        training = with_rate(self.training(epochs=MAX_EPOCHS), 1e-3)
        begin = starts(training)
        # What is imported and compiled first is no place to be interrupted.
        self.trained(replace(training, epochs=100), begin)
        self.whole(replace(training, epochs=100), begin[:, 0])
        before, told = _work_under_way(), Told()
        sent, main = threading.Event(), threading.main_thread().ident or 0

        def send() -> None:
            sent.set()
            # To the main thread: one that waits for another hears of no signal but its own.
            signal.pthread_kill(main, signal.SIGINT)

        timer = threading.Timer(INTERRUPT_AFTER_SECONDS, send)
        gc.disable()  # Python drops an interrupt in a callback of the collector's, and JAX has one
        try:
            with within(PATIENCE_SECONDS, f"Ctrl-C must end {kind}: {_WITH_A_TIMEOUT}"):
                timer.start()
                if kind == "train":
                    self.trained(training, begin, on_progress=told)
                else:
                    self.whole(training, begin[:, 0], on_progress=told)
        except KeyboardInterrupt:
            _expect_ended({*before, timer}, told, "when Ctrl-C ends it")
        else:
            expect(not sent.is_set(), f"{kind} swallowed {_LET_PASS}")
            pytest.skip("the runs ended before they could be interrupted")
        finally:
            gc.enable()
            timer.cancel()


_WITH_A_TIMEOUT = "let the main thread wait for others with a timeout"
_LET_PASS = "a KeyboardInterrupt: let it pass, or Ctrl-C will not end a study"


class Told:
    """An ``on_progress`` that remembers what it was told, and whether two threads told at once."""

    def __init__(self) -> None:
        self.shares: list[float] = []
        self._lock, self._clash = threading.Lock(), False

    def __call__(self, share: float) -> None:
        if not self._lock.acquire(blocking=False):
            self._clash = True
            return
        try:
            time.sleep(0.001)  # give a second thread the time to come in
            self.shares.append(share)
        finally:
            self._lock.release()

    def expect_sum(self, total: float, kind: str) -> None:
        """Fail unless the shares add up."""
        __tracebackhide__ = True
        expect(not self._clash, "on_progress was called from two threads at once: use a lock")
        expect(
            abs(sum(self.shares) - total) < 1e-6,
            f"what {kind} gave on_progress adds up to {sum(self.shares):g}, expected {total:g}: "
            "report what has been done since the last call, and at a run's end the rest of it",
        )
        expect(min(self.shares) >= 0, f"{kind} reported the progress {min(self.shares):g}, below 0")


def _close(work: Any) -> None:
    close: Callable[[], None] | None = getattr(work, "close", None)
    if close is not None:
        close()


def _work_under_way() -> set[Any]:
    """The threads and processes that there are."""
    return {*threading.enumerate(), *multiprocessing.active_children()}


def _expect_ended(before: set[Any], told: Told, when: str) -> None:
    """Fail if threads or processes are left, or report progress yet."""
    __tracebackhide__ = True
    give_up = time.monotonic() + 5
    while (left := _work_under_way() - before) and time.monotonic() < give_up:
        time.sleep(0.01)
    expect(not left, f"{sorted(map(str, left))} go on: {when}, end every thread and process")
    count = len(told.shares)
    time.sleep(0.05)
    expect(len(told.shares) == count, f"on_progress is called still: {when}, the work must end")


@contextmanager
def within(seconds: float, message: str) -> Iterator[None]:
    """Fail with the message if the block takes longer, where the system has timers."""

    def ring(*_: object) -> None:
        raise AssertionError(f"no answer within {seconds:g} s: {message}")

    if not hasattr(signal, "setitimer"):  # Windows
        yield
        return
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
