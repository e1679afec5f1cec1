"""Training on an executor: units of work are sent out, and this process alone writes to disk."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Future,
    wait,
)
from typing import Any, NamedTuple

from attnlogic.errors import WorkError
from attnlogic.results import Counter
from attnlogic.studies.collecting import Collector, rows_of, tallies_of
from attnlogic.studies.executors import Pool
from attnlogic.studies.makers import OtherWorkerError
from attnlogic.studies.pieces import Left
from attnlogic.studies.progress import Progress
from attnlogic.studies.units import Kind, Trained, Unit, train_unit
from attnlogic.studies.work import Work, in_words
from attnlogic.words import counted

AHEAD = 2
"""Units that are sent out for each worker, so that none waits for its next one."""

ATTEMPTS = 3
"""How often a unit is trained that raises an error."""

UNIT_SECONDS = 4.0
"""How long a unit should take: long beside sending it, short beside what its loss costs."""

LEAST_SECONDS = 0.25
"""How long a unit should take at least, even if that leaves a worker without work at the end."""

STEP = 16
"""Units have a power of this many runs: code is compiled for each size, a second or so."""

MOST_ROWS, MOST_COUNTED = STEP**4, STEP**5
"""Runs of a unit at most: of rows about 13 MB are sent back, of a tally what does not grow."""

WAIT_SECONDS = 0.1
"""How long the main thread waits at a time: so often it hears of Ctrl-C."""


class Group:
    """Conditions of one kind with something to train: cuts units of a good size.

    Args:
      work: what is to be trained.
      group: the conditions of the study.
      kind: these, for another process.
    """

    def __init__(self, work: Work, group: Sequence[int], kind: Kind) -> None:
        self.kind, self.folder = kind, work.folders[group[0]]
        self.numbers = tuple(int(work.numbers[k]) for k in group)
        self.left = Left([(place, work.missing[k]) for place, k in enumerate(group)])
        conditions = [work.study.conditions[k] for k in group]
        self.words = in_words(conditions)
        self.size = _size(kind.trainer.default_seeds(conditions[0].training))
        self.rate = 0.0  # runs a second

    def unit(
        self, workers: int, most: int, count: Counter | None, made_by: Mapping[str, Any]
    ) -> Unit:
        """The next runs; towards the end fewer, so that all workers end together."""
        share = max(_size(self.left.runs / workers), _size(self.rate * LEAST_SECONDS))
        some = self.left.take(min(self.size, share, most))
        return Unit(self.kind, self.numbers, some, count, made_by)

    def learn(self, unit: Unit, seconds: float) -> None:
        """Make the next units as large as the fastest so far says: a first one is compiled, too."""
        self.rate = max(self.rate, unit.runs / max(seconds, 1e-3))
        self.size = min(_size(self.rate * UNIT_SECONDS), STEP * self.size)


class Sent(NamedTuple):
    """A unit that is being trained.

    Attributes:
      group: where it comes from.
      unit: the unit.
      attempt: 1 for the first.
    """

    group: Group
    unit: Unit
    attempt: int


class Failed(NamedTuple):
    """A unit that was given up.

    Attributes:
      unit: the unit.
      trace: the traceback of its last error.
    """

    unit: Unit
    trace: str


def train_elsewhere(
    work: Work,
    groups: Sequence[tuple[Sequence[int], Kind]],
    pool: Pool,
    count: Counter | None,
    made_by: Mapping[str, Any],
    bar: Progress,
) -> None:
    """Train what is missing of a study.

    Args:
      work: what is to be trained.
      groups: of ``work.groups``, each with what other processes need of it.
      pool: what trains.
      count: counts rows, where tallies are kept; None where every row is.
      made_by: what makes the rows of the pool's workers.
      bar: is told of the progress.

    Raises:
      WorkError: a unit failed again and again, a worker would make other rows, or all are gone. All
        other runs that were finished have been written.
    """
    collector: Collector[Any] = rows_of(work.runs) if count is None else tallies_of(work.runs)
    most = MOST_ROWS if count is None else MOST_COUNTED
    todo = iter([Group(work, group, kind) for group, kind in groups])
    try:
        failed = [*_trained(todo, pool, most, count, made_by, collector, bar)]
    finally:
        collector.flush()
    if failed:
        runs = counted(sum(one.unit.runs for one in failed), "run")
        raise WorkError(
            f"{failed[0].trace}{runs} in {counted(len(failed), 'unit')} failed, {ATTEMPTS} times "
            "each, and all others are done; the first one's error stands above"
        )


def _trained(
    todo: Iterator[Group],
    pool: Pool,
    most: int,
    count: Counter | None,
    made_by: Mapping[str, Any],
    collector: Collector[Any],
    bar: Progress,
) -> Iterator[Failed]:
    """Send all units out and collect what comes back. Yields those that are given up."""
    flying: dict[Future[Trained], Sent] = {}
    group = next(todo, None)

    def send(sent: Sent) -> None:
        flying[pool.submit(train_unit, sent.unit)] = sent

    try:
        while group is not None or flying:
            while group is not None and len(flying) < AHEAD * pool.workers:
                bar.describe(group.words)
                send(Sent(group, group.unit(pool.workers, most, count, made_by), 1))
                group = group if group.left.runs else next(todo, None)
            done, _ = wait(flying, WAIT_SECONDS, FIRST_COMPLETED)
            collector.flush_if_late()
            for future in done:
                sent = flying.pop(future)  # first: an interrupt must not have it added twice
                error = _error(future)
                if error is None:
                    _add(collector, sent, future.result(), bar)
                elif sent.attempt < ATTEMPTS and not _is_final(error):
                    send(sent._replace(attempt=sent.attempt + 1))
                else:
                    yield Failed(sent.unit, "".join(traceback.format_exception(error)))
    except KeyboardInterrupt:
        for future, sent in [*flying.items()]:
            if not future.cancel() and future.done() and future.exception() is None:
                _add(collector, sent, future.result(), bar)
        raise
    finally:
        for future in flying:
            future.cancel()


def _add(collector: Collector[Any], sent: Sent, trained: Trained, bar: Progress) -> None:
    collector.add(sent.group.folder, trained.kept, (sent.unit.kind.digests, sent.unit.some))
    sent.group.learn(sent.unit, trained.seconds)
    bar.advance(sent.unit.runs)


def _error(future: Future[Trained]) -> BaseException | None:
    """Why a unit failed; None if it did not.

    Raises:
      WorkError: no other unit would fare better.
    """
    try:
        error = future.exception()
    except CancelledError as cancelled:
        error = cancelled
    if isinstance(error, OtherWorkerError):
        raise error
    if isinstance(error, BrokenExecutor):
        raise WorkError(
            "a worker process has died, and its pool with it (out of memory, or killed): start "
            f"anew with fewer of them. It says: {error}"
        ) from error
    if isinstance(error, CancelledError):
        raise WorkError("the scheduler has dropped what it was given: has it ended?") from error
    return error


def _is_final(error: BaseException) -> bool:
    """Whether the executor itself has tried again already."""
    return type(error).__name__ == "KilledWorker"


def _size(runs: float) -> int:
    """The largest power of ``STEP`` that is not above a number; 1 at least."""
    size = 1
    while size * STEP <= runs:
        size *= STEP
    return size
