"""Training in this process: a piece of the study after the other, written as runs are finished."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from attnlogic.backend import Backend, closed
from attnlogic.outcomes import Outcome
from attnlogic.results import Counter, table, write_part
from attnlogic.studies.collecting import tallies_of
from attnlogic.studies.parts import write_in_parts
from attnlogic.studies.pieces import batch_of, pieces
from attnlogic.studies.progress import Progress
from attnlogic.studies.work import Work, in_words

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
    for group in work.groups():
        bar.describe(in_words([work.study.conditions[k] for k in group]))
        _train_group(work, group, trainer, jobs, keep, bar)


def _train_group(
    work: Work, group: Sequence[int], trainer: Backend, jobs: int, keep: Keep, bar: Progress
) -> None:
    """Train what is missing of some conditions that share code and a folder."""
    own, folder = work.own(group), work.folders[group[0]]
    for piece in pieces([(k, work.missing[k]) for k in group]):
        batch = batch_of(work.study.conditions, piece)

        def write(first: int, outcomes: Outcome) -> None:
            some = slice(first, first + len(outcomes.first_hit))
            numbers, seeds = work.numbers[piece.conditions[some]], piece.seeds[some]  # noqa: B023
            problem = batch.trainings[0].problem  # noqa: B023
            keep(folder, table(problem, work.study.precision, numbers, seeds, outcomes, own))

        with closed(trainer.train(batch, jobs=jobs, on_progress=bar.advance)) as outcomes:
            write_in_parts(outcomes, write)
