"""The conditions of a study as a table: what is the same for all runs of each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import polars as pl

from attnlogic.errors import InputError
from attnlogic.optimizers import optimizer
from attnlogic.problems import initialization
from attnlogic.results.rows.run_columns import CONDITION, NOTEBOOK, SETTINGS, Own

EARLIER = {"model": "attention", "encoding": "01"}
"""What holds of the runs of earlier versions, which knew nothing else."""


def with_earlier(frame: pl.DataFrame) -> pl.DataFrame:
    """A table with the columns that earlier versions did not write, where it lacks them."""
    return frame.with_columns(
        pl.lit(value).alias(name) for name, value in EARLIER.items() if name not in frame.columns
    )


def condition_table(description: Mapping[str, Any]) -> pl.DataFrame:
    """A row for each condition of a study, in order.

    Args:
      description: the content of ``study.json``.

    Returns:
      The columns ``condition`` (its number), those of ``CONDITION``, then every hyperparameter of
      any optimizer, and every setting of any initialisation as ``init_…``: null where a condition
      has none of that name.
    """
    conditions = description["conditions"]
    whole = {name: description.get(name, EARLIER.get(name)) for name in SETTINGS}
    keys = [{name: c.get(name, whole.get(name)) for name in CONDITION} for c in conditions]
    settings = [
        _settings(key["optimizer"]) | _init_settings(key["init"] or "torch") for key in keys
    ]
    names = dict.fromkeys(name for one in settings for name in one)
    columns = {
        ("setting_" + name if name in CONDITION else name): _column(
            [one.get(name) for one in settings]
        )
        for name in names
    }
    return pl.DataFrame(
        {
            "condition": pl.Series(range(len(keys)), dtype=pl.UInt32),
            **{
                name: pl.Series([key[name] for key in keys], dtype=kind)
                for name, kind in CONDITION.items()
            },
            **columns,
        }
    )


@cache
def _settings(text: str) -> dict[str, Any]:
    """The hyperparameters of an optimizer; none of one that is not known here."""
    try:
        return dict(optimizer(text).flat_settings)
    except InputError:
        return {}


@cache
def _init_settings(text: str) -> dict[str, Any]:
    try:
        return {f"init_{name}": value for name, value in initialization(text).settings.items()}
    except InputError:
        return {}


def _column(values: list[Any]) -> pl.Series:
    """Values of one kind: truths, numbers (as Float64), or else words."""
    there = [value for value in values if value is not None]
    if all(isinstance(value, bool) for value in there):
        return pl.Series(values, dtype=pl.Boolean)
    if all(isinstance(value, bool | int | float) for value in there):
        return pl.Series([None if v is None else float(v) for v in values], dtype=pl.Float64)
    return pl.Series([None if v is None else str(v) for v in values], dtype=pl.String)


def kinds(description: Mapping[str, Any]) -> list[Own]:
    """The columns of the models' own, one for each folder of parts."""
    return [
        Own(dict(kind["quantities"]), tuple(kind["parameters"]))
        for kind in description.get("kinds", [])
    ] or [NOTEBOOK]
