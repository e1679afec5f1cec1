"""Runs by condition, and the columns that tell one condition from another."""

from __future__ import annotations

from typing import Any

import polars as pl

from attnlogic.results.normal import normalized
from attnlogic.results.rows import schema
from attnlogic.results.store import Runs

SETTINGS: dict[str, Any] = {
    "backend": pl.String, "precision": pl.String, "epochs": pl.Int64, "threshold": pl.Float64,
    "init": pl.String, "until": pl.String,
}  # fmt: skip
"""The columns that, beside gate and optimizer, tell one condition from another; their types."""

CONDITION: dict[str, Any] = {"gate": pl.String, "optimizer": pl.String, **SETTINGS}
"""The columns that tell one condition from another, and their types."""


def conditions(runs: Runs | pl.LazyFrame | pl.DataFrame) -> list[pl.DataFrame]:
    """The runs of each condition, in the order of the study's conditions.

    Args:
      runs: a study, or a frame of runs as ``Runs.table`` gives it. The frame may have been read
        from a CSV or JSON file: it needs the same columns, in any order and of any types that hold
        the values.

    Returns:
      Frames with the columns and types of ``schema``, none of them empty.

    Raises:
      InputError: a part cannot be read, a column is missing, or a value is not one of its column.
    """
    parts = normalized(runs).partition_by(*CONDITION, maintain_order=True)
    return [rows.cast(pl.Schema(schema(rows["precision"][0]))) for rows in parts if len(rows)]


def condition(rows: pl.DataFrame) -> dict[str, Any]:
    """The condition of some rows, all of one: its values of the columns ``CONDITION``."""
    return rows.select(*CONDITION).row(0, named=True)


def labels(keys: list[dict[str, Any]]) -> list[str]:
    """Names of conditions: the optimizer, with what else varies where a gate has it twice.

    Args:
      keys: the conditions, as ``condition`` gives them.

    Example:
      >>> key = {"gate": "xor", "optimizer": "adam", **dict.fromkeys(SETTINGS)}
      >>> labels([{**key, "epochs": 100}, {**key, "epochs": 200}, {**key, "gate": "or"}])
      ['adam · 100', 'adam · 200', 'adam']
    """
    varying = [c for c in SETTINGS if len({key[c] for key in keys}) > 1]
    optimizers = [(key["gate"], key["optimizer"]) for key in keys]
    return [
        " · ".join([key["optimizer"], *(str(key[c]) for c in varying)])
        if optimizers.count(optimizer) > 1
        else key["optimizer"]
        for key, optimizer in zip(keys, optimizers, strict=True)
    ]
