"""A little of a study, trained to see what it takes; none of it is kept."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from attnlogic.backend import Backend, in_order
from attnlogic.results import Counter, census_frame, own_columns, table, together
from attnlogic.studies.parts import PART_ROWS
from attnlogic.studies.pieces import batch_of, piece_of
from attnlogic.studies.study import Study


class OnDisk(NamedTuple):
    """What some runs would need on disk.

    Attributes:
      row: bytes of a row.
      share: of how many of the runs the rows are kept, from 0 to 1.
      counts: bytes of the counts of all runs; 0 where every row is kept.
      growth: by how many bytes these grow when the runs double.
    """

    row: float
    share: float = 1
    counts: float = 0
    growth: float = 0


class Sample(NamedTuple):
    """What a little of some conditions took.

    Attributes:
      runs: how many it had.
      conditions: of how many conditions.
      starting: seconds of compiling.
      training: seconds of drawing the starts and training.
      keeping: seconds of making rows, and of counting them or writing them to memory.
      disk: of what would be on disk.
      memory: bytes of the rows in memory.
    """

    runs: int
    conditions: int
    starting: float
    training: float
    keeping: float
    disk: OnDisk
    memory: int


def sample_of(
    study: Study,
    group: Sequence[int],
    seeds: range,
    trainer: Backend,
    jobs: int,
    counter: Counter | None,
) -> Sample:
    """Train seeds of each of these conditions twice: the first time compiles."""
    own = own_columns(study.conditions[group[0]].training.problem, [*study.parameters])

    def trained() -> tuple[pl.DataFrame, float, float]:
        """Rows, and the seconds of training and of making them."""
        begun = time.perf_counter()
        piece = piece_of([(k, seeds.start, seeds.stop) for k in group])
        batch = batch_of(study.conditions, piece)
        outcomes = in_order(trainer.train(batch, jobs=jobs))
        done, problem = time.perf_counter(), batch.trainings[0].problem
        rows = table(problem, study.precision, piece.conditions, piece.seeds, outcomes, own)
        return rows, done - begun, time.perf_counter() - done

    _, first, _ = trained()
    rows, training, making = trained()
    begun = time.perf_counter()
    disk = _written(rows) if counter is None else _counted(rows, counter)
    keeping = making + time.perf_counter() - begun
    if counter is not None:
        disk = disk._replace(growth=_growth(rows, counter, disk.counts))
    return Sample(
        len(rows),
        len(group),
        max(0.0, first - training),
        training,
        keeping,
        disk,
        int(rows.estimated_size()),
    )


def _written(rows: pl.DataFrame) -> OnDisk:
    return OnDisk(_size(rows) / len(rows))


def _counted(rows: pl.DataFrame, counter: Counter) -> OnDisk:
    counted = together([counter(some) for some in rows.iter_slices(PART_ROWS)])
    counts = _size(census_frame(counted._replace(rows=counted.rows.clear())))
    if counter.keep_rows is None:
        return OnDisk(0, 0, counts)
    row = (_size(census_frame(counted)) - counts) / max(1, len(counted.rows))
    return OnDisk(row, sum(counted.matching.values()) / len(rows), counts)


def _growth(rows: pl.DataFrame, counter: Counter, counts: float) -> float:
    """By how much the counts grew when the runs doubled the last time."""
    seeds = rows["seed"]
    half = rows.filter(seeds <= seeds.quantile(0.5, "lower"))
    return max(0.0, counts - _counted(half, counter).counts)


def _size(frame: pl.DataFrame) -> int:
    """How many bytes a frame has on disk."""
    content = io.BytesIO()
    frame.write_parquet(content)
    return len(content.getbuffer())
