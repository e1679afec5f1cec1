"""Many seeds side by side: worker processes, each of which trains one part of a batch at a time."""

from __future__ import annotations

import atexit
import pickle
import signal
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import wait
from threading import Lock
from typing import Any

from attnlogic.backend import Finished, OnProgress, Training
from attnlogic.errors import InputError, WorkError
from attnlogic.outcomes import Outcome
from attnlogic_torch.worker import Work, Worker, signals_held_back


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


class Workers:
    """Worker processes, kept from one training to the next. Trainings at one time share none.

    Those that are idle end with this process.
    """

    def __init__(self) -> None:
        self._idle: list[Worker] = []
        self._lock = Lock()
        # Before multiprocessing's own, which waits for a SIGTERM to end them: they hear none.
        atexit.register(self.stop)

    def train(
        self,
        works: Sequence[Work],
        jobs: int,
        on_progress: OnProgress | None,
    ) -> Generator[Finished, None, None]:
        """Do each work in one of ``jobs`` processes, giving its runs as soon as they are done.

        If anything goes wrong, an interrupt included, or the iterator is closed before its end, the
        processes end with the work that is left. Runs that are done by then come first.

        Args:
          works: what to train; checked already.
          jobs: how many processes, at least 1.
          on_progress: called as runs proceed; the sum is their number.

        Yields:
          The runs of one work.

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
            with signals_held_back():
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
) -> Iterator[Finished]:
    """Keep the workers busy until all is trained; runs come as they are done."""
    waiting = deque(enumerate(works))
    busy: dict[Any, Worker] = {}

    def give(worker: Worker) -> None:
        if waiting:
            worker.give(*waiting.popleft())
            busy[worker.pipe] = worker

    for worker in workers:
        give(worker)
    try:
        while busy:
            for pipe in wait([*busy]):
                answer = _received(busy[pipe], works)
                if isinstance(answer, Outcome):
                    worker = busy.pop(pipe)
                    yield Finished(works[worker.index].first, answer)
                    give(worker)
                elif on_progress is not None:
                    on_progress(answer)
    except GeneratorExit:  # nobody takes more
        raise
    except BaseException:
        yield from _sent_already(busy.values(), works)
        raise


def _received(worker: Worker, works: Sequence[Work]) -> Outcome | float:
    """What a worker has sent: the outcome of its work, or how many more runs are done."""
    try:
        answer: Outcome | float | Exception = worker.pipe.recv()
    except (EOFError, OSError):
        raise _death(worker, works) from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _sent_already(workers: Iterable[Worker], works: Sequence[Work]) -> Iterator[Finished]:
    """Runs that are done and have not been received, of workers whose work ends here."""
    for worker in workers:
        with suppress(EOFError, OSError):  # it has died
            while worker.pipe.poll():
                answer = worker.pipe.recv()
                if isinstance(answer, Outcome):
                    yield Finished(works[worker.index].first, answer)


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
