"""Runs as another threshold sees them, where the ladder has it: what is known without training.

The first hit of a rung is a column, and the final loss says whether a run ended at or below it.
What else happened after the first hit is known of the training's own threshold alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from attnlogic.errors import InputError, described
from attnlogic.outcomes import LADDER, NUMBERS, RUNGS, STATUSES, rung_name
from attnlogic.results.choosing.sources import Rows
from attnlogic.results.rows import in_words

AFTER_HIT = ("sustained_from", "rises", "exits", "worst_after_hit", "evaluations_first_hit")
"""Columns that are known of the training's own threshold alone, beside ``…_first_hit`` of a model's
own quantities. They are null of any other."""


def rung_of(threshold: object) -> float:
    """The rung of the ladder that a threshold is.

    Raises:
      InputError: it is none.

    Example:
      >>> rung_of(1e-6)
      1e-06
    """
    if isinstance(threshold, bool) or threshold not in LADDER:
        rungs = ", ".join(map(rung_name, LADDER))
        raise InputError(
            f"threshold: expected the runs' own or a rung of the ladder ({rungs}), got "
            f"{described(threshold)}: another one must be trained with, attnlogic study --threshold"
        )
    return LADDER[LADDER.index(threshold)]


def check_hits(keys: Iterable[Mapping[str, Any]], threshold: float) -> None:
    """Raise ``InputError`` if runs ended at their first hit, above this threshold."""
    for key in keys:
        if key["until"] == "hit" and threshold < key["threshold"]:
            raise InputError(
                f"threshold: the runs of {in_words(key)} ended at their first loss ≤ "
                f"{key['threshold']:g} (until hit), so that nothing is known of {threshold:g}"
            )


def at_threshold(rows: Rows, threshold: float) -> Rows:
    """The runs as a rung sees them.

    Args:
      rows: with the columns of ``schema``.
      threshold: a rung of ``LADDER``.
    """
    columns = rows.collect_schema()
    rung = RUNGS[LADDER.index(threshold)]
    unknown = [
        name
        for name in columns
        if name in AFTER_HIT or (name.endswith("_first_hit") and name not in NUMBERS)
    ]
    below = pl.col("final_loss") <= pl.lit(threshold, columns["final_loss"])
    status = (
        pl.when(pl.col("diverged_at").is_not_null())
        .then(pl.lit("diverged"))
        .when(below)
        .then(pl.lit("solved"))
        .when(pl.col(rung).is_not_null())
        .then(pl.lit("lost"))
        .otherwise(pl.lit("unsolved"))
    )
    return rows.with_columns(
        pl.col(rung).alias("first_hit"),
        pl.lit(threshold, columns["threshold"]).alias("threshold"),
        status.cast(pl.Enum(STATUSES)).alias("status"),
        *(pl.lit(None, columns[name]).alias(name) for name in unknown),
    )
