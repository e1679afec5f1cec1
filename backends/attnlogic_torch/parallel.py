"""Seeds side by side: worker processes that train one run each."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Thread

import torch

from attnlogic.backend import OnProgress, Training
from attnlogic.outcomes import Outcome, outcome
from attnlogic.problems import Params
from attnlogic_torch.training import history


def train_one(
    training: Training, initial: Params, on_progress: OnProgress | None = None
) -> Outcome:
    """Train one seed; ``initial`` and the outcome are scalars."""
    return outcome(history(training, initial, on_progress), training.threshold)


class Workers:
    """The processes, kept from one call to the next: each spends seconds on importing torch.

    They are spawned, not forked: JAX and torch both have threads. They end with this process, in
    whatever way it ends.
    """

    def __init__(self) -> None:
        self._jobs = 0
        self._executor: ProcessPoolExecutor | None = None
        self._lifeline: Connection | None = None

    def train(
        self,
        training: Training,
        starts: Sequence[Params],
        jobs: int,
        on_progress: OnProgress | None,
    ) -> Generator[Outcome, None, None]:
        """Train each seed in one of ``jobs`` processes, giving the outcomes in the seeds' order.

        If anything goes wrong, an interrupt included, or the iterator is closed before its end, the
        work that is left is dropped and the processes end.

        Raises:
          BrokenProcessPool: a process died.
        """
        executor = self._started(jobs)
        try:
            with _interrupts_held_back():
                futures = [executor.submit(train_one, training, start) for start in starts]
            for future in futures:
                outcome = future.result()
                if on_progress is not None:
                    on_progress(1.0)
                yield outcome
        except BrokenProcessPool as error:
            error.add_note(
                "A process that trained a seed died: it was killed, or the calling script starts "
                "its work outside of: if __name__ == '__main__'"
            )
            self.stop()
            raise
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the processes, and whatever they are doing, now."""
        if self._executor is not None and self._lifeline is not None:
            self._lifeline.close()
            self._executor.shutdown(cancel_futures=True)
        self._executor, self._lifeline, self._jobs = None, None, 0

    def _started(self, jobs: int) -> ProcessPoolExecutor:
        if self._executor is None or jobs != self._jobs:
            self.stop()
            context = get_context("spawn")
            # Only this process holds the writing end. When it closes it, or dies, the workers read
            # the end of the file.
            reader, self._lifeline = context.Pipe(duplex=False)
            self._executor = ProcessPoolExecutor(jobs, context, _begin, (reader,))
            self._jobs = jobs
        return self._executor


def _begin(lifeline: Connection) -> None:
    """What a worker does first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    torch.set_num_threads(1)
    Thread(target=_end_with, args=(lifeline,), daemon=True).start()


def _end_with(lifeline: Connection) -> None:
    lifeline.poll(None)  # nothing is ever sent: it returns at the end of the file
    os._exit(1)


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Ctrl-C waits until after the block; a process started within never sees it.

    A worker inherits the mask. Without it Ctrl-C would reach one that is still importing torch, and
    print its traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
