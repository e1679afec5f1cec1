"""Which seeds of which conditions: ranges of consecutive seeds, as a table."""

from __future__ import annotations

from typing import Any

import polars as pl

from attnlogic.errors import InputError
from attnlogic.results.grouping import in_words
from attnlogic.results.rows import CONDITION

RANGES: dict[str, Any] = {**CONDITION, "first": pl.Int64, "end": pl.Int64}
"""The columns of a table of ranges: the seeds first … end - 1 of a condition."""

_ADVICE = (
    "tallies that share a run do not add up. Count the studies together, which counts each run "
    "once: attnlogic tally DIR DIR --out FILE"
)


def ranges(key: dict[str, Any], seeds: pl.Series) -> pl.DataFrame:
    """The ranges of a condition's seeds; in any order, each once.

    Example:
      >>> seeds = pl.Series([7, 1, 2, 3])
      >>> ranges(dict.fromkeys(CONDITION), seeds).select("first", "end").rows()
      [(1, 4), (7, 8)]
    """
    each = pl.DataFrame({"first": seeds.cast(pl.Int64).sort()})
    begins = pl.col("first").diff().fill_null(0) != 1
    found = each.group_by(begins.cum_sum().alias("run"), maintain_order=True).agg(
        pl.col("first").min(), end=pl.col("first").max() + 1
    )
    about = [pl.lit(key[name], kind).alias(name) for name, kind in CONDITION.items()]
    return found.with_columns(about).select(*RANGES)


def joined(table: pl.DataFrame) -> pl.DataFrame:
    """The same seeds in as few ranges as possible, by condition in the order of the table.

    Args:
      table: with the columns of ``RANGES``.

    Raises:
      InputError: a seed is in two ranges of a condition; it names the first such seed.
    """
    ordered = in_order(table, table).sort("place", "first")
    before = pl.col("end").shift(1).over("place")
    shared = ordered.filter(pl.col("first") < before)
    if shared.height:
        first = shared.row(0, named=True)
        raise InputError(f"{in_words(first)}: seed {first['first']} would count twice: {_ADVICE}")
    begins = (pl.col("first") > before).fill_null(True).cum_sum().alias("run")
    together = ordered.with_columns(begins).group_by("run", maintain_order=True)
    every = together.agg(pl.col(*CONDITION).first(), pl.col("first").min(), pl.col("end").max())
    return every.select(*RANGES)


def in_order(frame: pl.DataFrame, order: pl.DataFrame) -> pl.DataFrame:
    """The rows with a column ``place``: that of their condition among those of another table."""
    places = order.select(*CONDITION).unique(maintain_order=True).with_row_index("place")
    return frame.join(places, on=[*CONDITION], how="left", nulls_equal=True, maintain_order="left")
