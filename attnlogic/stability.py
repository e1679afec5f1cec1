"""Whether runs stay where they hit: how often they leave, how far, and when they settle."""

from __future__ import annotations

from typing import Any

import polars as pl

from attnlogic.intervals import Interval, wilson
from attnlogic.statistics import CONDITION, SETTINGS, conditions
from attnlogic.store import Runs

QUANTILES = {"median": 0.5, "q95": 0.95, "max": 1.0}
"""The quantiles told of each count and loss; taken at a run (no interpolation)."""

_MEASURES = ("exits", "rises", "worst_after_hit", "settling")

STABILITY: dict[str, Any] = {
    "gate": pl.String, "optimizer": pl.String, "runs": pl.Int64, "reached": pl.Int64,
    "held": pl.Int64, "held_rate": pl.Float64, "held_low": pl.Float64, "held_high": pl.Float64,
    **{
        f"{measure}_{q}": pl.Float64 if measure == "worst_after_hit" else pl.Int64
        for measure in _MEASURES
        for q in QUANTILES
    },
    **SETTINGS,
}  # fmt: skip
"""The columns of ``stability``, in order, with their types."""


def stability(
    runs: Runs | pl.LazyFrame | pl.DataFrame, interval: Interval = wilson
) -> pl.DataFrame:
    """One row a condition: what the runs that reached the threshold did afterwards.

    Args:
      runs: a study, or any frame with the columns of ``store.schema``.
      interval: of the rate, at 95 %; see ``intervals``.

    Returns:
      A frame with the columns of ``STABILITY``, all of them about the runs that reached. ``held``:
      that never left again, so that sustained_from is first_hit; its rate is of those that reached.
      ``exits``, ``rises`` and ``worst_after_hit`` as the run's; ``settling`` is sustained_from −
      first_hit, the epochs from the hit until it stayed, of the solved. Null stands for what does
      not exist.
    """
    rows = [_condition(part, interval) for part in conditions(runs)]
    return pl.DataFrame(rows, schema=STABILITY)


def _condition(rows: pl.DataFrame, interval: Interval) -> dict[str, Any]:
    reached = rows.filter(pl.col("first_hit").is_not_null()).with_columns(
        settling=pl.col("sustained_from") - pl.col("first_hit")
    )
    held = int((reached["settling"] == 0).sum())
    low, high = interval(held, len(reached), 0.95) or (None, None)
    return {
        **rows.select(CONDITION).row(0, named=True),
        "runs": len(rows),
        "reached": len(reached),
        "held": held,
        "held_rate": held / len(reached) if len(reached) else None,
        "held_low": low,
        "held_high": high,
        **{
            f"{measure}_{name}": reached[measure].quantile(q, "higher")
            for measure in _MEASURES
            for name, q in QUANTILES.items()
        },
    }
