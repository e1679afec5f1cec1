"""What a census keeps of some runs: their counts, their seeds, and of some their rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from attnlogic.results.counts.counting import counted_rows
from attnlogic.results.rows import (
    CONDITION,
    ENTRY,
    OF_A_COUNT,
    SeedRanges,
    Where,
    condition_table,
    seed_ranges,
)
from attnlogic.results.rows import where as expression
from attnlogic.results.store import Runs

MOST_ROWS = 10_000
"""Rows of a condition that are kept at most: those of the lowest seeds."""

AT_ONCE = 8
"""How many are put together at a time."""

_ENTRY = ["condition", *(name for name in ENTRY if name not in CONDITION)]


class Counted(NamedTuple):
    """What a census keeps of some runs.

    Attributes:
      counts: with the columns of ``COUNTS``, but ``condition`` for those of the condition.
      seeds: which runs: the seeds by the number of their condition.
      rows: the runs that are kept, with the columns of ``run_schema``.
      matching: how many runs match the expression, by condition; empty without one.
    """

    counts: pl.DataFrame
    seeds: dict[int, SeedRanges]
    rows: pl.DataFrame
    matching: dict[int, int]


class Counter(NamedTuple):
    """Counts rows: a function of a study's description that can be sent to another process.

    Attributes:
      conditions: the study's conditions: see ``condition_table``.
      keep_rows: an expression for the rows that are kept; None for none.
      columns: those of the study's rows, with their types.
    """

    conditions: pl.DataFrame
    keep_rows: str | None
    columns: dict[str, Any]

    @classmethod
    def of(cls, description: Mapping[str, Any]) -> Counter:
        """The one of a study.

        Raises:
          InputError: the expression cannot be read, or rows are to be chosen where all are kept.
        """
        table, text = condition_table(description), description.get("keep_rows")
        columns = Runs(Path(), dict(description)).schema
        if text is not None:
            expression(text, columns)
        return cls(table, text, columns)

    def __call__(self, rows: pl.DataFrame) -> Counted:
        """Count some runs, with the columns of ``run_schema``."""
        where = None if self.keep_rows is None else expression(self.keep_rows, self.columns)
        parts = rows.partition_by("condition", maintain_order=True)
        return together([self._counted(part, where) for part in parts])

    def _counted(self, rows: pl.DataFrame, where: Where | None) -> Counted:
        """Count runs of one condition."""
        number = int(rows["condition"][0])
        about = self.conditions.filter(pl.col("condition") == number)
        known = rows.join(about, on="condition", how="left")
        counts = counted_rows(known).drop(*CONDITION)
        counts = counts.with_columns(condition=pl.lit(number, pl.UInt32)).select(*OF_A_COUNT)
        seeds = {number: seed_ranges.of_seeds(rows["seed"])}
        if where is None:
            return Counted(counts, seeds, rows.clear(), {})
        found = where.of(known.lazy()).select(*rows.columns).collect()
        return Counted(counts, seeds, lowest(found), {number: len(found)})


def together(several: Iterable[Counted]) -> Counted:
    """What is kept of the runs of all, of which no two share any; at least one.

    They are taken as they come, ``AT_ONCE`` at a time, so that memory does not grow with them.
    """
    waiting: list[Counted] = []
    for one in several:
        waiting.append(one)
        if len(waiting) == AT_ONCE:
            waiting = [_together(waiting)]
    return waiting[0] if len(waiting) == 1 else _together(waiting)


def _together(several: Sequence[Counted]) -> Counted:
    sums = pl.col("count", "total", "squares").sum()
    counts = pl.concat([one.counts for one in several])
    rows = [one.rows for one in several if len(one.rows)] or [several[0].rows]
    return Counted(
        counts.group_by(_ENTRY, maintain_order=True).agg(sums).select(*OF_A_COUNT),
        reduce(lambda a, b: a | {k: seed_ranges.union(a.get(k, ()), s) for k, s in b.items()},
               [one.seeds for one in several]),
        lowest(pl.concat(rows)),
        reduce(lambda a, b: a | {k: a.get(k, 0) + n for k, n in b.items()},
               [one.matching for one in several]),
    )  # fmt: skip


def numbered(counted: Counted, numbers: Mapping[int, int]) -> Counted:
    """The same with other numbers of the conditions: those of another study."""
    number = pl.col("condition").replace_strict(numbers, return_dtype=pl.UInt32)
    return Counted(
        counted.counts.with_columns(number),
        {numbers[k]: seeds for k, seeds in counted.seeds.items()},
        counted.rows.with_columns(number),
        {numbers[k]: n for k, n in counted.matching.items()},
    )


def of_conditions(counted: Counted, numbers: Sequence[int]) -> Counted:
    """What is kept of the runs of these conditions alone."""
    among = pl.col("condition").is_in([*numbers])
    return Counted(
        counted.counts.filter(among),
        {k: seeds for k, seeds in counted.seeds.items() if k in numbers},
        counted.rows.filter(among),
        {k: n for k, n in counted.matching.items() if k in numbers},
    )


def lowest(rows: pl.DataFrame) -> pl.DataFrame:
    """Of each condition the rows of the lowest seeds, at most ``MOST_ROWS``."""
    ordered = rows.sort("condition", "seed")
    return ordered.filter(pl.int_range(pl.len()).over("condition") < MOST_ROWS)
