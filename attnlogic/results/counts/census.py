"""A census: a study that keeps no rows but each condition's tally, and some rows if asked.

Its parts are found, verified and gone on with like those of rows. A part has a row for each count
(the columns of ``rows.COUNTS``, with the number of the condition in place of its settings) and
one for each run that is kept, whose columns are the fields of ``run``. Parts of the same conditions
are put together as they become many, so that neither disk nor memory grow with the runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import polars as pl

from attnlogic.errors import InputError
from attnlogic.results.counts.census_counts import MOST_ROWS, Counted, lowest, together
from attnlogic.results.counts.tallies import Tally
from attnlogic.results.rows import CONDITION, COUNTS, census_schema, kinds, run_schema
from attnlogic.results.store import Part, PartRuns, Runs, folder_of_parts, write_part_file
from attnlogic.words import counted as in_number
from attnlogic.words import printable

T = TypeVar("T")

MOST_PARTS = 32
"""Parts of the same conditions; once there are so many, the smaller half becomes one part."""


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
    write_part_file(folder_of_parts(runs.directory, kind), census_frame(counted), listed, replaces)


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
            counted = together(read_counted(runs, part) for part in small)
            write_counted(runs, kind, counted, [part.path.name for part in small])
            for part in small:
                part.path.unlink(missing_ok=True)


ATTEMPTS = 5
"""How often a census is read anew that another process puts together meanwhile."""


def all_counted(runs: Runs) -> list[Counted]:
    """What all parts of a census keep.

    Raises:
      InputError: a folder cannot be read, or the census changes while it is read.
    """
    return _of_parts(runs, list)


def _of_parts(runs: Runs, of: Callable[[Iterable[Counted]], T]) -> T:
    """What a function makes of the parts of a census, which it reads as it comes to them.

    Raises:
      InputError: as ``all_counted``.
    """
    for _ in range(ATTEMPTS):
        try:
            return of(read_counted(runs, part) for part in runs.inventory().parts)
        except FileNotFoundError:
            continue
    raise InputError(f"'{runs.directory}' changes while it is read: try again")


def tally_of(runs: Runs) -> Tally:
    """The tally of a census.

    Raises:
      InputError: as ``all_counted``.
    """
    if not runs.inventory().parts:
        return Tally.none()
    counts, seeds, *_ = _of_parts(runs, together)
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


def rows_kept(runs: Runs) -> tuple[int, int]:
    """How many rows a census keeps, and how many runs match its expression in all.

    Raises:
      InputError: a folder cannot be read.
    """
    matching: dict[int, int] = {}
    for part in runs.inventory().parts:
        for one in part.runs:
            matching[one.condition] = matching.get(one.condition, 0) + (one.matching or 0)
    return sum(min(n, MOST_ROWS) for n in matching.values()), sum(matching.values())


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
    found = all_counted(runs)
    none = pl.DataFrame(schema=run_schema(runs.precision, kinds(runs.description)[0])).clear()
    rows = lowest(pl.concat([none, *(one.rows for one in found)], how="diagonal"))
    return runs.known(rows), sum(sum(one.matching.values()) for one in found)


def kept_in_words(runs: Runs) -> str:
    """Which rows a census keeps.

    Raises:
      InputError: a folder cannot be read.
    """
    kept, matching = rows_kept(runs)
    which = printable(runs.description["keep_rows"])
    return f"{kept:,} of the {in_number(matching, 'run')} where {which}"
