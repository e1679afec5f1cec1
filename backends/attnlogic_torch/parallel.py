"""Many seeds side by side: worker processes that train one run at a time.

Each worker has a pipe of its own. Over it the worker is given runs, and answers with their progress
and their outcomes. When this process ends, in whatever way, its workers see it and end too. Nothing
else is shared, so nothing, such as a semaphore, can be left behind.
"""

from __future__ import annotations

import os
import pickle
import signal
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Lock, Thread
from typing import Any, NamedTuple

import torch

from attnlogic.backend import Batch, OnProgress, Training
from attnlogic.errors import InputError, WorkError
from attnlogic.history import join, outcome
from attnlogic.outcomes import Outcome, concatenate
from attnlogic_torch.training import history


class Work(NamedTuple):
    """What a worker is given.

    Attributes:
      train: from the batch and ``OnProgress`` to the outcome; a function with a name.
      batch: the runs.
    """

    train: Callable[[Batch, OnProgress | None], Outcome]
    batch: Batch


def train_alone(batch: Batch, on_progress: OnProgress | None = None) -> Outcome:
    """Train the run of a batch that has only one.

    Args:
      batch: the run; checked already.
      on_progress: called with shares of the run, which add up to 1 at its end.

    Returns:
      NumPy leaves (1,).
    """
    training = batch.trainings[batch.which[0]]
    run = join([*history(training, batch.initial[:, 0], on_progress)])
    return concatenate([outcome(run, training.threshold, training.problem)])


def check_can_be_sent(training: Training) -> None:
    """Refuse what no other process can be given: functions of a user's own without a name.

    Raises:
      InputError: it cannot be pickled.
    """
    try:
        pickle.dumps(training)
    except Exception as error:
        raise InputError(
            f"{training}: it cannot be sent to another process ({error}): define it by name at the "
            "top of a module, or leave --jobs out"
        ) from error


class Worker:
    """A process that trains one run after the other. It takes seconds to start: it imports torch.

    It is spawned, not forked: JAX and torch both have threads.

    Attributes:
      pipe: this process's end of the pipe to it.
      index: which of the runs it was given last, from 0.
    """

    def __init__(self) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.index = 0
        self._process: BaseProcess = context.Process(target=_work, args=(theirs,), daemon=True)
        try:
            self._process.start()
        finally:
            theirs.close()  # or the death of the worker would not end the pipe

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        return self._process.is_alive()

    def give(self, index: int, work: Work) -> None:
        """Have it train some runs.

        Over the pipe come the runs that are done since (float), then their ``Outcome``, or the
        exception that training raised. If the process dies the pipe ends.
        """
        self.index = index
        with suppress(OSError):  # it died while idle: reading will find the end of the pipe
            self.pipe.send(work)

    def exit_code(self) -> int | None:
        """That of a process that is about to end: below 0 for a signal. None if it does not end."""
        self._process.join(5)
        return self._process.exitcode

    def end(self) -> None:
        """End the process now, whatever it is doing."""
        self.pipe.close()
        self._process.terminate()
        self._process.join()


class Workers:
    """Worker processes, kept from one training to the next. Trainings at one time share none."""

    def __init__(self) -> None:
        self._idle: list[Worker] = []
        self._lock = Lock()

    def train(
        self,
        works: Sequence[Work],
        jobs: int,
        on_progress: OnProgress | None,
    ) -> Generator[Outcome, None, None]:
        """Do each work in one of ``jobs`` processes, giving the outcomes in their order.

        If anything goes wrong, an interrupt included, or the iterator is closed before its end, the
        processes end with the work that is left.

        Args:
          works: what to train; checked already.
          jobs: how many processes, at least 1.
          on_progress: called as runs proceed; the sum is their number.

        Yields:
          Outcomes of NumPy leaves (n,), one for each work.

        Raises:
          WorkError: a process died, or could not be started.
        """
        taken: list[Worker] = []
        try:
            self._take(min(jobs, len(works)), taken)
            yield from _train(works, taken, on_progress)
        except BaseException:
            for worker in taken:
                worker.end()
            raise
        with self._lock:
            self._idle += taken

    def stop(self) -> None:
        """End the idle processes."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.end()

    def _take(self, count: int, taken: list[Worker]) -> None:
        """Append ``count`` workers: idle ones, and new ones where there are too few."""
        with self._lock:
            while self._idle and len(taken) < count:
                worker = self._idle.pop()
                if worker.alive:
                    taken.append(worker)
        try:
            with _interrupts_held_back():
                while len(taken) < count:
                    taken.append(Worker())
        except OSError as error:
            raise WorkError(
                f"cannot start {count} worker processes ({error}): use fewer --jobs"
            ) from error


def _train(
    works: Sequence[Work],
    workers: Sequence[Worker],
    on_progress: OnProgress | None,
) -> Iterator[Outcome]:
    """Keep the workers busy until all is trained; outcomes come in the works' order."""
    waiting = deque(enumerate(works))
    busy: dict[Any, Worker] = {}
    done: dict[int, Outcome] = {}

    def give(worker: Worker) -> None:
        if waiting:
            worker.give(*waiting.popleft())
            busy[worker.pipe] = worker

    for worker in workers:
        give(worker)
    for index in range(len(works)):
        while index not in done:
            for pipe in wait(list(busy)):
                worker = busy[pipe]
                try:
                    answer = worker.pipe.recv()
                except (EOFError, OSError):
                    raise _death(worker, works) from None
                if isinstance(answer, Exception):
                    raise answer
                if isinstance(answer, Outcome):
                    done[worker.index] = answer
                    del busy[pipe]
                    give(worker)
                elif on_progress is not None:
                    on_progress(answer)
        yield done.pop(index)


def _death(worker: Worker, works: Sequence[Work]) -> WorkError:
    """An error for a worker that died: what it trained, what happened, and what to do."""
    batch = works[worker.index].batch
    code = worker.exit_code() or 0
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        what = f"was ended by {name}"
        advice = "it was killed, perhaps since the memory was full: try again with fewer --jobs"
    else:
        what = f"ended with exit code {code}"
        advice = (
            "see its message above. A script must start its work under: if __name__ == '__main__'"
        )
    return WorkError(
        f"a worker process {what} while it trained part {worker.index + 1} of {len(works)} of the "
        f"runs, of {batch.trainings[batch.which[0]]}: {advice}"
    )


def _work(pipe: Connection) -> None:
    """What a worker does: train the runs that it is given, until its pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    torch.set_num_threads(1)
    Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):  # the other end is closed: nobody waits for the work
        while True:
            train, batch = pipe.recv()
            answer: Outcome | Exception
            try:
                answer = train(batch, pipe.send)
            except Exception as error:
                error.add_note(traceback.format_exc())  # the place would not reach the parent
                answer = error
            pipe.send(answer)


def _end_with_parent() -> None:
    """End this process, whatever it is doing, once the parent process has ended."""
    parent = parent_process()
    if parent is not None:
        parent.join()
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
