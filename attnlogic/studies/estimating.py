"""How long a study would take, and what it would need: a little of it is trained, none is kept."""

from __future__ import annotations

import math
import sys
from typing import NamedTuple

from attnlogic.backend import Backend
from attnlogic.backend import backend as find
from attnlogic.results import MOST_PARTS, MOST_ROWS, Counter
from attnlogic.settings import whole
from attnlogic.studies.allocator import give_back_memory
from attnlogic.studies.describing import by_kind, describe, seeds_of
from attnlogic.studies.keeping import keeping
from attnlogic.studies.parts import PART_ROWS, PART_SECONDS
from attnlogic.studies.pieces import RUNS_AT_ONCE
from attnlogic.studies.samples import Sample, sample_of
from attnlogic.studies.study import Study
from attnlogic.studies.work import in_words

SAMPLE_SECONDS = 0.5
"""How long the sample of a kind should train, once it is compiled."""

STEP = 8
"""How much larger the next sample is than one that was over too soon."""

MOST_RUNS = 2**18
"""Runs of a sample at most."""

MOST_CONDITIONS = 16
"""Conditions of a kind that a sample has at most; of more, every so many."""

SLOWER = 1.5
"""How much longer a study may take than estimated, for what tallies need at most on disk."""


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
        """Seconds to train them, once they are compiled."""
        return self.sample.training / self.sample.runs * self.runs

    @property
    def keeping(self) -> float:
        """Seconds to count or write them."""
        return self.sample.keeping / self.sample.runs * self.runs

    @property
    def disk(self) -> float:
        """Bytes on disk; of tallies at most so many, about.

        A part of a tally has what is trained in ``PART_SECONDS``. Its counts grow with the
        logarithm of its runs: the more there are, the more bins of the tails have some.
        """
        on_disk, kept = self.sample.disk, self.sample.disk.share * self.runs
        if not on_disk.counts:
            return on_disk.row * kept
        seconds = (self.training + self.keeping) / self.conditions
        parts = min(MOST_PARTS, 1 + SLOWER * seconds / PART_SECONDS)
        more = self.runs / self.conditions / (self.sample.runs / self.sample.conditions)
        part = on_disk.counts + on_disk.growth * math.log2(max(1.0, more / parts))
        several = parts * self.conditions + 1  # a study's first part comes early
        rows = min(kept, parts * self.conditions * MOST_ROWS)
        return several / self.sample.conditions * part + rows * on_disk.row


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
        starting = sum(part.sample.starting for part in self.parts)
        if not workers:
            return starting + training + keeping
        if self.tally:
            return starting + (training + keeping) / workers
        return starting + max(training / workers, keeping)

    @property
    def disk(self) -> float:
        """Bytes on disk; of tallies at most so many, about."""
        return sum(part.disk for part in self.parts)

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
    if keep == "tally":
        give_back_memory()
    trainer, processes = find(backend), whole("jobs", jobs, 1)
    for condition in study.conditions:
        trainer.check(condition.training, processes)
    description = describe(study, trainer, processes, keeping(keep, keep_rows))
    counter = None if keep == "rows" else Counter.of(description)
    seeds = seeds_of(study, trainer)
    parts = []
    for group in by_kind(study.conditions):
        conditions = [study.conditions[k] for k in group]
        runs = sum(len(seeds[k]) for k in group)
        some = group[:: -(-len(group) // MOST_CONDITIONS)]
        most = min(*(len(seeds[k]) for k in some), MOST_RUNS // len(some))
        each = min(max(1, trainer.default_seeds(conditions[0].training) // STEP), most)
        while True:
            sample = sample_of(study, some, seeds[group[0]][:each], trainer, processes, counter)
            if sample.training >= SAMPLE_SECONDS or each == most:
                break
            each = min(each * STEP, most)
        parameters = len(conditions[0].training.problem.names)
        parts.append(Part(in_words(conditions), len(group), runs, parameters, sample))
    return Estimate(tuple(parts), keep == "tally", _peak(), tuple(trainer.devices()))


def _peak() -> int:
    """Bytes of memory that this process has had at most; 0 where the system does not say it."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)
