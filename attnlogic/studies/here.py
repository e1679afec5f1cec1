"""Training in this process: a piece of the study after the other, written as runs are finished.

While one is trained the next one's starts are drawn, and the code of the next kinds of conditions
is compiled, in threads beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial

import polars as pl

from attnlogic.backend import Backend, Batch, closed
from attnlogic.outcomes import Outcome
from attnlogic.problems import Model
from attnlogic.results import Counter, table, write_part
from attnlogic.studies.ahead import ahead, result, threads
from attnlogic.studies.collecting import tallies_of
from attnlogic.studies.parts import write_in_parts
from attnlogic.studies.pieces import Piece, batch_of, pieces, undrawn
from attnlogic.studies.progress import Progress
from attnlogic.studies.work import Work, in_words

KINDS_AHEAD = 3
"""Kinds of conditions for which a backend is made ready while others are trained: compiled code
takes memory, and a core the time in which it could train."""

Keep = Callable[[str, pl.DataFrame], None]
"""Keeps some rows, given the folder of their kind. After an interrupt it may be called again with
the last rows, and must then keep them once."""


def train_here(
    work: Work, trainer: Backend, jobs: int, count: Counter | None, bar: Progress
) -> None:
    """Train what is missing of a study.

    Args:
      work: what is to be trained.
      trainer: the backend.
      jobs: the number of its processes.
      count: counts rows, where tallies are kept; None where every row is.
      bar: is told of the progress.
    """
    if count is None:
        _train(work, trainer, jobs, lambda folder, rows: write_part(work.runs, folder, rows), bar)
        return
    tallies = tallies_of(work.runs)

    def keep(folder: str, rows: pl.DataFrame) -> None:
        tallies.add(folder, count(rows), (rows["condition"][0], rows["seed"][0]))

    try:
        _train(work, trainer, jobs, keep, bar)
    finally:
        tallies.flush()


def _train(work: Work, trainer: Backend, jobs: int, keep: Keep, bar: Progress) -> None:
    groups = work.groups()
    with threads() as pool:
        # The first kind is made ready by its own training, at once. The last of the next three is
        # L-BFGS in the default study, which takes as long as the others together.
        prepared = ahead(pool, _preparations(work, trainer), KINDS_AHEAD, last_first=True)
        drawn = ahead(pool, _draws(work), 1)
        for group in groups:
            next(prepared)  # an error is dropped: the training meets the same in its turn
            bar.describe(in_words([work.study.conditions[k] for k in group]))
            _train_group(work, group, trainer, jobs, keep, bar, drawn)


def _train_group(
    work: Work,
    group: Sequence[int],
    trainer: Backend,
    jobs: int,
    keep: Keep,
    bar: Progress,
    drawn: Iterator[Future[Batch | None]],
) -> None:
    """Train what is missing of some conditions that share code and a folder."""
    own, folder = work.own(group), work.folders[group[0]]
    for piece, future in zip(_pieces(work, group), drawn, strict=False):
        batch = result(future) or batch_of(work.study.conditions, piece)

        # Called for this piece alone, before the loop goes on: it may read the loop's variables.
        def write(first: int, outcomes: Outcome) -> None:
            some = slice(first, first + len(outcomes.first_hit))
            numbers, seeds = work.numbers[piece.conditions[some]], piece.seeds[some]  # noqa: B023
            problem = batch.trainings[0].problem  # noqa: B023
            keep(folder, table(problem, work.study.precision, numbers, seeds, outcomes, own))

        with closed(trainer.train(batch, jobs=jobs, on_progress=bar.advance)) as outcomes:
            write_in_parts(outcomes, write)


def _pieces(work: Work, group: Sequence[int]) -> Iterator[Piece]:
    return pieces([(k, work.missing[k]) for k in group])


def _draws(work: Work) -> Iterator[Callable[[], Batch | None]]:
    """What draws the starts of each piece of each group, in order.

    It gives None where a user's own code draws them, in the main thread then: that code may rely on
    its thread's settings of a framework, or on a generator that all threads share.
    """
    conditions = work.study.conditions
    for group in work.groups():
        ours = isinstance(conditions[group[0]].training.problem.model, Model)
        for piece in _pieces(work, group):
            yield partial(batch_of, conditions, piece) if ours else lambda: None


def _preparations(work: Work, trainer: Backend) -> Iterator[Callable[[], None]]:
    """What makes the backend ready for each group, in order."""
    for group in work.groups():
        yield _preparation(trainer, undrawn(work.study.conditions, next(_pieces(work, group))))


def _preparation(trainer: Backend, batch: Batch) -> Callable[[], None]:
    """What makes the backend ready for a batch: nothing, where it knows of none or fails."""
    prepare: Callable[[Batch], Callable[[], None]] | None = getattr(trainer, "prepare", None)
    if prepare is not None:
        with suppress(Exception):  # the training meets the same in its turn
            return prepare(batch)
    return lambda: None
