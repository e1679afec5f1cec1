"""How long a study would take, and what it would need: a little of it is trained, none is kept."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from attnlogic.backend import Backend, in_order
from attnlogic.backend import backend as find
from attnlogic.results import MOST_PARTS, Counter, census_frame, own_columns, table, together
from attnlogic.settings import whole
from attnlogic.studies.describing import by_kind, describe
from attnlogic.studies.keeping import keeping
from attnlogic.studies.parts import PART_ROWS, PART_SECONDS
from attnlogic.studies.pieces import RUNS_AT_ONCE, batch_of, piece_of
from attnlogic.studies.study import Study, seed_range
from attnlogic.studies.work import in_words

SAMPLE_SECONDS = 0.5
"""How long the sample of a kind should train, once it is compiled."""

STEP = 8
"""How much larger the next sample is than one that was over too soon."""

MOST_RUNS = 2**18
"""Runs of a sample at most."""

MOST_CONDITIONS = 16
"""Conditions of a kind that a sample has at most; of more, every so many."""


class Sample(NamedTuple):
    """What a little of some conditions took.

    Attributes:
      runs: how many it had.
      training: seconds of training.
      keeping: seconds of making rows, and of counting them or writing them to memory.
      kept: bytes of what would be on disk.
      memory: bytes of the rows in memory.
    """

    runs: int
    training: float
    keeping: float
    kept: int
    memory: int


class Part(NamedTuple):
    """The conditions of one kind.

    Attributes:
      words: which.
      conditions: how many.
      runs: of all of them.
      parameters: of one run.
      sample: of some.
    """

    words: str
    conditions: int
    runs: int
    parameters: int
    sample: Sample

    @property
    def training(self) -> float:
        """Seconds to train them."""
        return self.sample.training / self.sample.runs * self.runs

    @property
    def keeping(self) -> float:
        """Seconds to count or write them."""
        return self.sample.keeping / self.sample.runs * self.runs


class Estimate(NamedTuple):
    """What a study would need.

    Attributes:
      parts: its conditions, by kind.
      tally: whether tallies are kept.
      base: bytes that this process has needed so far, at most.
      devices: what trained the samples.
    """

    parts: tuple[Part, ...]
    tally: bool
    base: int
    devices: tuple[str, ...]

    @property
    def runs(self) -> int:
        """How many runs there would be."""
        return sum(part.runs for part in self.parts)

    def seconds(self, workers: int = 0) -> float:
        """How long it would take.

        Args:
          workers: how many there are, each with devices such as those here; 0 for this process.
            They count; rows are written by this process alone, which so many may keep busy.
        """
        training = sum(part.training for part in self.parts)
        keeping = sum(part.keeping for part in self.parts)
        if not workers:
            return training + keeping
        if self.tally:
            return (training + keeping) / workers
        return max(training / workers, keeping)

    @property
    def disk(self) -> float:
        """Bytes on disk; of tallies at most so many."""
        if not self.tally:
            return sum(part.sample.kept / part.sample.runs * part.runs for part in self.parts)
        return sum(part.sample.kept * min(MOST_PARTS, 1 + self._files(part)) for part in self.parts)

    def _files(self, part: Part) -> int:
        return int((part.training + part.keeping) / PART_SECONDS)

    @property
    def memory(self) -> float:
        """Bytes of memory of this process, if it trains."""

        def more(part: Part) -> float:
            row = part.sample.memory / part.sample.runs
            # Starts twice, seeds and places; outcomes that wait, and the rows made of them.
            return (
                min(part.runs, RUNS_AT_ONCE) * (8 * part.parameters + 32)
                + min(part.runs, 2 * PART_ROWS) * 2 * row
            )

        return self.base + max(map(more, self.parts))


def estimate(
    study: Study,
    backend: str | Backend = "jax",
    *,
    jobs: int = 1,
    keep: str = "rows",
    keep_rows: str | None = None,
) -> Estimate:
    """Train a little of each condition, and say what the whole would need. Nothing is written.

    Args:
      study, backend, jobs, keep, keep_rows: as for ``run``.

    Raises:
      InputError: the study cannot be run as asked.

    Example:
      >>> found = estimate(Study("xor", "adam", "all", epochs=10), keep="tally")
      >>> found.runs, found.disk < 1e9
      (4294967296, True)
    """
    trainer, processes = find(backend), whole("jobs", jobs, 1)
    for condition in study.conditions:
        trainer.check(condition.training, processes)
    description = describe(study, trainer, processes, keeping(keep, keep_rows))
    counter = None if keep == "rows" else Counter.of(description)
    seeds = seed_range(trainer.seeds if study.seeds is None else study.seeds)
    parts = []
    for group in by_kind(study.conditions):
        conditions = [study.conditions[k] for k in group]
        runs = len(group) * len(seeds)
        some = group[:: -(-len(group) // MOST_CONDITIONS)]
        most = min(len(seeds), MOST_RUNS // len(some))
        each = min(max(1, trainer.seeds // STEP), most)
        while True:
            sample = _sample(study, some, seeds[:each], trainer, processes, counter)
            if sample.training >= SAMPLE_SECONDS or each == most:
                break
            each = min(each * STEP, most)
        parameters = len(conditions[0].training.problem.names)
        parts.append(Part(in_words(conditions), len(group), runs, parameters, sample))
    return Estimate(tuple(parts), keep == "tally", _peak(), tuple(trainer.devices()))


def _sample(
    study: Study,
    group: Sequence[int],
    seeds: range,
    trainer: Backend,
    jobs: int,
    counter: Counter | None,
) -> Sample:
    """Train seeds of each of these conditions twice: the first time compiles."""
    piece = piece_of([(k, seeds.start, seeds.stop) for k in group])
    batch = batch_of(study.conditions, piece)
    in_order(trainer.train(batch, jobs=jobs))
    begun = time.perf_counter()
    outcomes = in_order(trainer.train(batch, jobs=jobs))
    trained = time.perf_counter()
    problem = batch.trainings[0].problem
    own = own_columns(problem, [*study.parameters])
    rows = table(problem, study.precision, piece.conditions, piece.seeds, outcomes, own)
    kept = _written(rows, counter)
    kept_at = time.perf_counter()
    return Sample(
        len(piece.seeds), trained - begun, kept_at - trained, kept, int(rows.estimated_size())
    )


def _written(rows: pl.DataFrame, counter: Counter | None) -> int:
    """How many bytes of rows, or of their tally, would be written."""
    content = io.BytesIO()
    if counter is None:
        rows.write_parquet(content)
    else:
        counted = together([counter(some) for some in rows.iter_slices(PART_ROWS)])
        census_frame(counted).write_parquet(content)
    return len(content.getbuffer())


def _peak() -> int:
    """Bytes of memory that this process has had at most; 0 where the system does not say it."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)
