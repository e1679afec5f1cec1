"""Runs by condition, and what tells one condition from another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from attnlogic.errors import InputError
from attnlogic.results.normal import normalized, of_a_run
from attnlogic.results.rows import CONDITION, SETTINGS
from attnlogic.results.store import Runs


def conditions(runs: Runs | pl.LazyFrame | pl.DataFrame) -> list[pl.DataFrame]:
    """The runs of each condition, in the order of the study's conditions.

    Args:
      runs: a study, or a frame of runs as ``Runs.table`` gives it. The frame may have been read
        from a CSV or JSON file: it needs the same columns, in any order and of any types that hold
        the values.

    Returns:
      Frames with the columns and types of ``schema``, none of them empty.

    Raises:
      InputError: a part cannot be read, a column is missing, a value is not one of its column, or a
        condition of the frame has a seed twice.
    """
    if isinstance(runs, Runs):
        return [runs.collect(rows.lazy()) for rows in runs.conditions()]
    parts = normalized(runs).partition_by(*CONDITION, maintain_order=True)
    found = [_in_its_precision(rows) for rows in parts if len(rows)]
    for rows in found:
        _check_seeds(rows)
    return found


def _check_seeds(rows: pl.DataFrame) -> None:
    """Refuse a condition that has a seed twice: the run would count twice."""
    seeds = rows["seed"]
    if seeds.null_count():
        raise InputError("column 'seed': expected a seed, got None")
    if seeds.n_unique() < len(seeds):
        raise InputError(
            f"{in_words(condition(rows))} has seed {int(seeds.filter(seeds.is_duplicated())[0])} "
            "more than once: keep each run once, such as with "
            "frame.unique(['gate', 'optimizer', 'seed'])"
        )


def _in_its_precision(rows: pl.DataFrame) -> pl.DataFrame:
    """Real numbers of the runs' own as Float32 where these were trained in float32."""
    if rows["precision"][0] == "float64":
        return rows
    real = [name for name, kind in rows.schema.items() if kind == pl.Float64]
    return rows.cast({name: pl.Float32 for name in real if of_a_run(name, rows.columns)})


def condition(rows: pl.DataFrame) -> dict[str, Any]:
    """The condition of some rows, all of one: its values of the columns ``CONDITION``."""
    return rows.select(*CONDITION).row(0, named=True)


def in_words(key: Mapping[str, Any]) -> str:
    """A condition for a message: its gate and optimizer."""
    return f"{key['gate']} · {key['optimizer']}"


def labels(keys: list[dict[str, Any]]) -> list[str]:
    """Names of conditions: the optimizer, with what else varies where a gate has it twice.

    Args:
      keys: the conditions, as ``condition`` gives them. None stands for what has many values.

    Example:
      >>> key = {"gate": "xor", "optimizer": "adam", **dict.fromkeys(SETTINGS)}
      >>> labels([{**key, "epochs": 100}, {**key, "epochs": 200}, {**key, "gate": "or"}])
      ['adam · 100', 'adam · 200', 'adam']
    """
    alike: dict[tuple[Any, Any], list[dict[str, Any]]] = {}
    for key in keys:
        alike.setdefault((key["gate"], key["optimizer"]), []).append(key)
    varying = {
        one: [c for c in SETTINGS if len({key[c] for key in several}) > 1]
        for one, several in alike.items()
    }
    return [
        " · ".join(
            "…" if key[c] is None else str(key[c])
            for c in ("optimizer", *varying[key["gate"], key["optimizer"]])
        )
        for key in keys
    ]
