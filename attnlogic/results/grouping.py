"""Runs by condition: what tells one condition from another."""

from __future__ import annotations

from typing import Any

import polars as pl

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
      runs: a study, or any frame with the columns of ``store.schema``.
    """
    frame = runs.table() if isinstance(runs, Runs) else runs.lazy().collect()
    parts = frame.partition_by(*CONDITION, maintain_order=True, include_key=True)
    return [rows for rows in parts if len(rows)]


def condition(rows: pl.DataFrame) -> dict[str, Any]:
    """What condition these rows, all of one, belong to."""
    return rows.select(*CONDITION).row(0, named=True)


def labels(keys: list[dict[str, Any]]) -> list[str]:
    """What to call conditions: their optimizers, with what else varies where a gate has one twice.

    Args:
      keys: what ``condition`` gives of each.
    """
    varying = [c for c in SETTINGS if len({key[c] for key in keys}) > 1]
    optimizers = [(key["gate"], key["optimizer"]) for key in keys]
    return [
        " · ".join([key["optimizer"], *(str(key[c]) for c in varying)])
        if optimizers.count(optimizer) > 1
        else key["optimizer"]
        for key, optimizer in zip(keys, optimizers, strict=True)
    ]
