"""Reading and checking every part of a study, value by value."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from attnlogic.errors import InputError
from attnlogic.results.rows import seed_ranges
from attnlogic.results.store.inventory import Inventory, Unread, forget_checked
from attnlogic.results.store.part_files import Part
from attnlogic.results.store.runs import Runs


def verify(
    runs: Runs, on_read: Callable[[float], None] = lambda size: None
) -> tuple[Inventory, tuple[Unread, ...]]:
    """Read every part again, whatever was read before.

    Args:
      runs: the study.
      on_read: called with the bytes that have been checked since the last call: half of a file's
        for its checksum, half for its rows.

    Returns:
      What is there, and every file that is not sound, with the reason. Of an earlier version's
      study, whose parts have no checksum, the first part that cannot be read.

    Raises:
      InputError: a folder cannot be read.
    """
    if runs.is_earlier:
        return Inventory((), (), {}), _earlier(runs)
    forget_checked()
    found = runs.inventory(lambda size: on_read(size / 2))
    wrong = []
    for part in found.parts:
        if reason := _reason(part):
            wrong.append(Unread(part.path, reason))
        on_read(part.path.lstat().st_size / 2)
    return found, (*found.unread, *wrong)


def _reason(part: Part) -> str | None:
    """What is wrong in a part whose bytes are right; None if nothing is."""
    try:
        with part.path.open("rb") as file:
            rows = pl.read_parquet(file)
        if "quantity" in rows.columns:
            return _reason_of_a_census(part, rows)
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        return f"it cannot be read: {str(error).splitlines()[0]}"
    by_condition = rows.group_by("condition").agg("seed").iter_rows()
    there = {number: seed_ranges.of_seeds(seeds) for number, seeds in by_condition}
    said = {one.condition: one.seeds for one in part.runs}
    if there != said or len(rows) != part.rows:
        return "its rows are not the runs that it lists"
    return None


def _reason_of_a_census(part: Part, rows: pl.DataFrame) -> str | None:
    """What is wrong in a part that has counts: every run has a status."""
    statuses = rows.filter(pl.col("quantity") == "status", pl.col("group") == "all")
    there = dict(statuses.group_by("condition").agg(pl.col("count").sum()).iter_rows())
    if there != {one.condition: seed_ranges.count(one.seeds) for one in part.runs}:
        return "its counts are not those of the runs that it lists"
    return None


def _earlier(runs: Runs) -> tuple[Unread, ...]:
    try:
        for _ in runs.parts():
            pass
    except InputError as error:
        return (Unread(runs.directory / "parts", str(error)),)
    return ()
