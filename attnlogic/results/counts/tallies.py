"""A tally: histograms of every quantity, so that statistics need no rows.

For each condition it counts how often each value of each quantity came up, and which seeds it has
counted. Whole numbers (epochs, counts) are counted exactly; other numbers fall into bins whose
edges have seven bits after the leading one, so that a bin is less than 1 % of its values wide,
anywhere. Each bin also keeps the sum and the sum of squares of its values. Its size does not grow
with the number of runs, and tallies that share no run add: that of a union is the sum.

Every statistic that needs no pairs is computed from ``populations``, which come from rows or from a
tally: counts, rates and times are the same from both, means but for rounding, and quantiles of
other numbers but for a bin's width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain, pairwise
from os import PathLike
from pathlib import Path
from typing import Any

import polars as pl

from attnlogic.errors import InputError
from attnlogic.problems import SEED_LIMIT
from attnlogic.results.counts.counting import counted_rows, distributions, summed
from attnlogic.results.counts.populations import Population
from attnlogic.results.rows import CONDITION, COUNTS, SeedRanges, condition, in_words, seed_ranges
from attnlogic.results.store import misfit, read_stamped, write_stamped
from attnlogic.version import __version__
from attnlogic.words import counted

Key = tuple[Any, ...]
"""A condition: its values of the columns ``CONDITION``."""

FORMAT = 2
"""The number of the file's layout. In the first, which had none, seeds were not kept."""

ROWS_AT_ONCE = 2**16
"""Rows counted at once: every quantity of them is in memory."""

_COUNTS_AT_ONCE = 2**20
"""Counts in memory before those of the same entry are added up."""


@dataclass(frozen=True, repr=False)
class Tally:
    """Counts of runs; see the module. ``results.tally`` makes one of any runs.

    Attributes:
      counts: a table with the columns of ``rows.COUNTS``.
      seeds: which seeds of each condition were counted, by the condition's values of the columns
        ``CONDITION``.

    Example:
      >>> Tally.none()
      Tally(0 runs of 0 conditions)
    """

    counts: pl.DataFrame
    seeds: dict[Key, SeedRanges]

    @classmethod
    def none(cls) -> Tally:
        """The tally of no runs."""
        return cls(pl.DataFrame(schema=COUNTS), {})

    @classmethod
    def of_rows(cls, rows: pl.DataFrame) -> Tally:
        """The tally of some runs of one condition, each once, with the columns of ``schema``."""
        return cls(
            counted_rows(rows),
            {tuple(condition(rows).values()): seed_ranges.of_seeds(rows["seed"])},
        )

    @classmethod
    def total(cls, tallies: Iterable[Tally]) -> Tally:
        """The tally of the runs of all, no two of which may share any.

        Raises:
          InputError: a run is in two of them; it names the condition and the first such seed.
        """
        done, waiting = cls.none(), [cls.none()]
        for tally in tallies:
            waiting.append(tally)
            if sum(len(one.counts) for one in waiting) > _COUNTS_AT_ONCE:
                done, waiting = _added([done, *waiting]), []
        return _added([done, *waiting])

    def __add__(self, other: Tally) -> Tally:
        """The tally of the runs of both.

        Raises:
          InputError: they share a run; it names the condition and the first such seed.
        """
        if not isinstance(other, Tally):
            return NotImplemented
        return _added([self, other])

    def filtered(self, is_chosen: Callable[[dict[str, Any]], bool]) -> Tally:
        """The tally of some of the conditions, by their values of the columns ``CONDITION``."""
        kept = {tuple(key.values()): None for key in self.keys if is_chosen(key)}
        table = pl.DataFrame([*kept], schema=CONDITION, orient="row")
        counts = self.counts.join(
            table, on=[*CONDITION], how="semi", nulls_equal=True, maintain_order="left"
        )
        return Tally(counts, {key: seeds for key, seeds in self.seeds.items() if key in kept})

    @property
    def keys(self) -> list[dict[str, Any]]:
        """The conditions' values of the columns ``CONDITION``."""
        return [dict(zip(CONDITION, key, strict=True)) for key in self.seeds]

    def populations(self) -> list[Population]:
        """The runs of each condition, in the order in which they were added."""
        parts = self.counts.partition_by(*CONDITION, maintain_order=True)
        return [Population(condition(part), distributions(part)) for part in parts if len(part)]

    def write(self, path: str | PathLike[str]) -> None:
        """Write it to a Parquet file, whole or not at all.

        The file's metadata has, as JSON under the key ``attnlogic``, the layout's number and each
        condition with the ranges of its seeds.

        Raises:
          InputError: it cannot be written.
        """
        covered = [
            {**key, "seeds": seeds}
            for key, seeds in zip(self.keys, self.seeds.values(), strict=True)
        ]
        about = {"tally": FORMAT, "version": __version__, "conditions": covered}
        try:
            write_stamped(Path(path), self.counts, about)
        except OSError as error:
            raise InputError(f"cannot write '{path}': {error.strerror or error}") from error

    @classmethod
    def read(cls, path: str | PathLike[str]) -> Tally:
        """Read the file that ``write`` wrote.

        Raises:
          InputError: the file cannot be read, is damaged, holds something else, or was written by
            a version that did not keep the seeds, or by a later one.
        """
        counts, about = read_stamped(Path(path), "a tally")
        again = "count the runs again with attnlogic tally DIR --out FILE"
        if {"gate", "group", "quantity", "bin", "count"} <= {*counts.columns} and not about:
            raise InputError(
                f"'{path}' is a tally of an earlier version, which did not keep the seeds that it "
                f"counted: {again}"
            )
        number = about.get("tally")
        if not isinstance(number, int):
            raise InputError(f"'{path}' is no tally: make one with attnlogic tally DIR --out FILE")
        if number > FORMAT:
            raise InputError(
                f"'{path}' is a tally of the format {number}, and this version reads {FORMAT}: "
                f"read it with the version that wrote it, {about.get('version')}, or a later one"
            )
        try:
            return cls(counts, _said_seeds(counts, about))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"'{path}' is no tally as attnlogic writes them: {again}") from error

    def __repr__(self) -> str:
        runs = counted(sum(map(seed_ranges.count, self.seeds.values())), "run")
        return f"Tally({runs} of {counted(len(self.keys), 'condition')})"


_ABOUT = {"conditions": [{"seeds": [[int]]}]}


def _said_seeds(counts: pl.DataFrame, about: dict[str, Any]) -> dict[Key, SeedRanges]:
    """The seeds of each condition that a file says it has counted.

    Raises:
      KeyError, TypeError, ValueError: this is of another form, or is not what its table counts.
    """
    if counts.schema != COUNTS or misfit(about, _ABOUT):
        raise ValueError
    if counts["count"].has_nulls() or counts.filter(pl.col("count") < 0).height:
        raise ValueError
    binned = counts.filter(pl.col("bin").is_not_null())  # a sum of one sign is no NaN
    sums = binned.select("bin", "total", "squares")
    if binned.filter(pl.col("count") == 0).height or any(
        column.has_nulls() or column.is_nan().any() for column in sums
    ):
        raise ValueError
    seeds = {
        tuple(key[name] for name in CONDITION): seed_ranges.union(
            (start, stop) for start, stop in key["seeds"] if 0 <= start < stop <= SEED_LIMIT
        )
        for key in about["conditions"]
    }
    statuses = counts.filter(pl.col("quantity") == "status", pl.col("group") == "all")
    runs = statuses.group_by(*CONDITION).agg(pl.col("count").sum()).rows()
    if {tuple(key): n for *key, n in runs if n} != {
        k: seed_ranges.count(s) for k, s in seeds.items() if s
    }:
        raise ValueError
    return seeds


def _added(tallies: list[Tally]) -> Tally:
    counts = summed(pl.concat([tally.counts for tally in tallies]))
    found: dict[Key, list[SeedRanges]] = {}
    for tally in tallies:
        for key, seeds in tally.seeds.items():
            found.setdefault(key, []).append(seeds)
    return Tally(counts, {key: _each_once(key, several) for key, several in found.items()})


def _each_once(key: Key, several: Iterable[SeedRanges]) -> SeedRanges:
    """The seeds of a condition, each of which may be in one of these alone.

    Raises:
      InputError: one is in two of them; it names the first such seed.
    """
    ordered = sorted(chain.from_iterable(several))
    for (_, stop), (start, _) in pairwise(ordered):
        if start < stop:
            raise InputError(
                f"{in_words(dict(zip(CONDITION, key, strict=True)))}: seed {start} would count "
                "twice: tallies that share a run do not add up. Leave one of them out; or name "
                "studies that keep rows in their place: of these a run that several have counts "
                "once"
            )
    return seed_ranges.union(ordered)
