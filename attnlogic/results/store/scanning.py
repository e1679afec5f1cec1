"""Rows of a study's parts, read lazily: as the parts have them, and with their conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from attnlogic.outcomes import NUMBERS, Kind
from attnlogic.results.rows import condition_table, run_schema


def scan(description: Mapping[str, Any], parts: Sequence[Path]) -> pl.LazyFrame:
    """The rows of some parts; of the columns of ``run_schema`` those that any of them has.

    Args:
      description: the content of the study's ``study.json``.
      parts: the files; paths are literal: no patterns, no ``~``.
    """
    if not parts:
        return pl.LazyFrame(schema=run_schema(str(description["precision"])))
    folders: dict[Path, list[Path]] = {}
    for part in parts:
        folders.setdefault(part.parent, []).append(part)
    frames = [_scan_alike(description, alike) for alike in folders.values()]
    return frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal")


def _scan_alike(description: Mapping[str, Any], parts: Sequence[Path]) -> pl.LazyFrame:
    """The rows of parts with the same columns."""
    rows = pl.scan_parquet([part.absolute() for part in parts], glob=False)
    if "format" in description:
        return rows
    # The first format: each row had its condition's columns, and counts had 32 bits.
    of = condition_table(description).lazy().select("condition", "gate", "optimizer")
    counts: dict[Any, Any] = {name: pl.Int64 for name, n in NUMBERS.items() if n.kind is Kind.COUNT}
    joined = rows.cast(counts).join(of, on=("gate", "optimizer"), how="left")
    return joined.select(*run_schema(str(description["precision"])))


def with_conditions(
    rows: pl.LazyFrame, table: pl.DataFrame, columns: Mapping[str, Any], keep: Sequence[str] = ()
) -> pl.LazyFrame:
    """Rows of parts with their conditions.

    Args:
      rows: with the columns of ``run_schema``, or some of them.
      table: see ``condition_table``.
      columns: those of the result, in order, with their types; what no row has is null.
      keep: columns that come first besides.
    """
    there = rows.collect_schema()
    missing = [
        pl.lit(None, kind).alias(name)
        for name, kind in columns.items()
        if name not in there and name not in table.columns
    ]
    known = rows.join(table.lazy(), on="condition", how="left", maintain_order="left")
    return known.with_columns(missing).select(*keep, *columns)
