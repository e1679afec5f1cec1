"""A census: a study that keeps no rows but each condition's tally, and some rows if asked.

Its parts are found, verified and gone on with like those of rows. A part has a row for each count
(the columns of ``counting.COUNTS``, with the number of the condition in place of its settings) and
one for each run that is kept, whose columns are the fields of ``run``. Parts of the same conditions
are put together as they become many, so that neither disk nor memory grow with the runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from attnlogic.errors import InputError
from attnlogic.results.condition_columns import condition_table, kinds
from attnlogic.results.count_columns import COUNTS, ENTRY, OF_A_COUNT, census_schema
from attnlogic.results.counting import counted_rows
from attnlogic.results.part_files import Part, PartRuns, write_part_file
from attnlogic.results.rows import CONDITION, run_schema
from attnlogic.results.seed_ranges import SeedRanges, of_seeds, union
from attnlogic.results.store import Runs
from attnlogic.results.tally import Tally
from attnlogic.results.where import Where
from attnlogic.results.where import where as expression
from attnlogic.results.writing import folder_of_parts

MOST_ROWS = 10_000
"""Rows of a condition that are kept at most: those of the lowest seeds."""

MOST_PARTS = 32
"""Parts of the same conditions; once there are so many, the smaller half becomes one part."""

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
        seeds = {number: of_seeds(rows["seed"])}
        if where is None:
            return Counted(counts, seeds, rows.clear(), {})
        found = where.of(known.lazy()).select(*rows.columns).collect()
        return Counted(counts, seeds, _lowest(found), {number: len(found)})


def together(several: Sequence[Counted]) -> Counted:
    """What is kept of the runs of all, of which no two share any; at least one."""
    if len(several) == 1:
        return several[0]
    sums = pl.col("count", "total", "squares").sum()
    counts = pl.concat([one.counts for one in several])
    rows = [one.rows for one in several if len(one.rows)] or [several[0].rows]
    return Counted(
        counts.group_by(_ENTRY, maintain_order=True).agg(sums).select(*OF_A_COUNT),
        reduce(lambda a, b: a | {k: union(a.get(k, ()), s) for k, s in b.items()},
               [one.seeds for one in several]),
        _lowest(pl.concat(rows)),
        reduce(lambda a, b: a | {k: a.get(k, 0) + n for k, n in b.items()},
               [one.matching for one in several]),
    )  # fmt: skip


def _lowest(rows: pl.DataFrame) -> pl.DataFrame:
    """Of each condition the rows of the lowest seeds, at most ``MOST_ROWS``."""
    ordered = rows.sort("condition", "seed")
    return ordered.filter(pl.int_range(pl.len()).over("condition") < MOST_ROWS)


def census_frame(counted: Counted) -> pl.DataFrame:
    """What is kept of some runs as a part has it."""
    schema = census_schema(counted.rows.schema)
    fields = [name for name in counted.rows.columns if name != "condition"]
    kept = counted.rows.select("condition", run=pl.struct(*fields).cast(schema["run"]))
    return pl.concat([pl.DataFrame(schema=schema), counted.counts, kept], how="diagonal")


def write_counted(runs: Runs, kind: str, counted: Counted, replaces: Iterable[str] = ()) -> None:
    """Add what is kept of some runs as a part; the same once more replaces itself.

    Args:
      runs: the census.
      kind: the name of the folder for conditions of their kind.
      counted: of runs that no other part has, but those that are replaced.
      replaces: the names of the parts of which it is made.

    Raises:
      OSError: the system's own, with the path that could not be written.
    """
    digests = [one["digest"] for one in runs.description["conditions"]]
    listed = [
        PartRuns(number, digests[number], seeds, counted.matching.get(number))
        for number, seeds in counted.seeds.items()
    ]
    write_part_file(folder_of_parts(runs, kind), census_frame(counted), listed, replaces)


def read_counted(runs: Runs, part: Part) -> Counted:
    """What a part of a census keeps.

    Raises:
      FileNotFoundError: the process that writes the census has put it together with others.
    """
    with part.path.open("rb") as file:  # polars would take the path as a pattern
        frame = pl.read_parquet(file)
    counts = frame.filter(pl.col("quantity").is_not_null()).drop("run")
    rows = frame.filter(pl.col("quantity").is_null()).select("condition", "run").unnest("run")
    seeds = {one.condition: one.seeds for one in part.runs}
    matching = {one.condition: one.matching for one in part.runs if one.matching is not None}
    return Counted(counts, seeds, rows, matching)


def put_together(runs: Runs, kind: str) -> None:
    """Make one part of several where a kind has many of the same conditions.

    Raises:
      OSError: the system's own, with the path that could not be written.
    """
    alike: dict[tuple[int, ...], list[Part]] = {}
    for part in runs.inventory().parts:
        if part.path.parent.name == kind:
            alike.setdefault(tuple(sorted(one.condition for one in part.runs)), []).append(part)
    for parts in alike.values():
        if len(parts) >= MOST_PARTS:
            small = sorted(parts, key=lambda part: part.rows)[: MOST_PARTS // 2]
            counted = together([read_counted(runs, part) for part in small])
            write_counted(runs, kind, counted, [part.path.name for part in small])
            for part in small:
                part.path.unlink(missing_ok=True)


ATTEMPTS = 5
"""How often a census is read anew that another process puts together meanwhile."""


def _parts(runs: Runs) -> list[Counted]:
    """What all parts keep."""
    for _ in range(ATTEMPTS - 1):
        try:
            return [read_counted(runs, part) for part in runs.inventory().parts]
        except FileNotFoundError:
            continue
    return [read_counted(runs, part) for part in runs.inventory().parts]


def tally_of(runs: Runs) -> Tally:
    """The tally of a census.

    Raises:
      InputError: a folder cannot be read.
    """
    parts = _parts(runs)
    if not parts:
        return Tally.none()
    counts, seeds, *_ = together(parts)
    about = runs.condition_table.select("condition", *CONDITION)
    of_conditions = counts.partition_by("condition", as_dict=True)
    return Tally.total(
        Tally(
            of_conditions[number,].join(about, on="condition", how="left").select(*COUNTS),
            {key: seeds[number]},
        )
        for number, *values in about.iter_rows()
        if (key := tuple(values)) and number in seeds
    )


def kept_rows(runs: Runs) -> tuple[pl.DataFrame, int]:
    """The rows that a census keeps, by condition and seed; and how many runs match in all.

    Raises:
      InputError: it keeps none, or a folder cannot be read.
    """
    if runs.description.get("keep_rows") is None:
        raise InputError(
            f"'{runs.directory}' keeps a tally and no rows: train with --keep-rows "
            "EXPRESSION for rows that match, or with --keep rows for all"
        )
    found = _parts(runs)
    none = pl.DataFrame(schema=run_schema(runs.precision, kinds(runs.description)[0])).clear()
    rows = _lowest(pl.concat([none, *(one.rows for one in found)], how="diagonal"))
    return runs.known(rows), sum(sum(one.matching.values()) for one in found)
