"""Whether runs stay where they hit: how often they leave, how far, and when they settle."""

from __future__ import annotations

from typing import Any

import polars as pl

from attnlogic.results import SETTINGS, Population, Runs, Tally, populations
from attnlogic.statistics.intervals import Interval, rate, wilson

QUANTILES = {"median": 0.5, "q95": 0.95, "max": 1.0}
"""The quantiles told of each count and loss."""

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
    runs: Runs | pl.LazyFrame | pl.DataFrame | Tally, interval: Interval = wilson
) -> pl.DataFrame:
    """One row a condition: what the runs that reached the threshold did afterwards.

    Args:
      runs: a study, any frame with the columns of ``store.schema``, or a tally.
      interval: of the rate, at 95 %; see ``intervals``.

    Returns:
      A frame with the columns of ``STABILITY``, all of them about the runs that reached. ``held``:
      that never left again, so that sustained_from is first_hit; its rate is of those that reached.
      ``exits``, ``rises`` and ``worst_after_hit`` as the run's; ``settling`` is sustained_from −
      first_hit, the epochs from the hit until it stayed, of the solved. Null stands for what does
      not exist.
    """
    rows = [_condition(some, interval) for some in populations(runs)]
    return pl.DataFrame(rows, schema=STABILITY)


def _condition(some: Population, interval: Interval) -> dict[str, Any]:
    told = {measure: some.of(measure, "reached") for measure in _MEASURES}
    return {
        **some.key,
        "runs": some.runs,
        "reached": some.reached,
        **rate("held", "held", told["settling"].count(0), some.reached, interval),
        **{
            f"{measure}_{name}": values.quantile(q)
            for measure, values in told.items()
            for name, q in QUANTILES.items()
        },
    }
