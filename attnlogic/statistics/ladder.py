"""How deep runs get, and when: first hits of a whole ladder of losses, from one training."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from attnlogic.outcomes import LADDER
from attnlogic.results import RUNGS, SETTINGS, Runs, Tally, populations
from attnlogic.statistics.intervals import Interval, rate, wilson
from attnlogic.statistics.times import Times, median

RUNG: dict[str, Any] = {
    "gate": pl.String, "optimizer": pl.String, "loss": pl.Float64, "runs": pl.Int64,
    "reached": pl.Int64, "reach_rate": pl.Float64, "reach_low": pl.Float64,
    "reach_high": pl.Float64,
    "median": pl.Float64, "median_low": pl.Float64, "median_high": pl.Float64, "ert": pl.Float64,
    **SETTINGS,
}  # fmt: skip
"""The columns of ``ladder``, in order, with their types."""

CURVE: dict[str, Any] = {
    "gate": pl.String, "optimizer": pl.String, "loss": pl.Float64, "epoch": pl.Int64,
    "share": pl.Float64, **SETTINGS,
}  # fmt: skip
"""The columns of ``curves``, in order, with their types."""


def ladder(
    runs: Runs | pl.LazyFrame | pl.DataFrame | Tally, interval: Interval = wilson
) -> pl.DataFrame:
    """For each condition a row a rung: how many runs got at or below that loss, when, at what cost.

    Args:
      runs: a study, any frame with the columns of ``store.schema``, or a tally.
      interval: of the rate, at 95 %; see ``intervals``.

    Returns:
      A frame with the columns of ``RUNG``; ``median`` (Kaplan and Meier's, with its interval) and
      ``ert`` are in epochs (see ``times``). Null stands for what does not exist.
    """
    rows: list[dict[str, Any]] = []
    for some in populations(runs):
        for loss, rung in zip(LADDER, RUNGS, strict=True):
            times = Times.of_rung(some, rung)
            rows.append(
                {
                    **some.key,
                    "loss": loss,
                    "runs": times.runs,
                    **rate("reached", "reach", times.hits.n, times.runs, interval),
                    **median(times).columns("median"),
                    "ert": times.ert,
                }
            )
    return pl.DataFrame(rows, schema=RUNG)


def curves(
    runs: Runs | pl.LazyFrame | pl.DataFrame | Tally, points: int | None = None
) -> pl.DataFrame:
    """The empirical distribution functions of the first hits, a curve for each condition and rung.

    Args:
      runs: a study, any frame with the columns of ``store.schema``, or a tally.
      points: how many a curve may have, evenly spaced in the logarithm of the epoch, for a picture;
        None for every step.

    Returns:
      A frame with the columns of ``CURVE``: the share of all runs that hit at ``epoch`` or before.
      A curve begins at its first hit, and its last point is the budget's last epoch; a rung that no
      run reaches has none.
    """
    parts = [pl.DataFrame(schema=CURVE)]
    for some in populations(runs):
        last = some.key["epochs"] - 1
        for loss, rung in zip(LADDER, RUNGS, strict=True):
            hits = some.of(rung)
            if not hits.n:
                continue
            epochs, hit = hits.values.astype(np.int64), hits.counts.cumsum()
            if points is not None:
                grid = np.geomspace(epochs[0] + 1, last + 1, points) - 1
                epochs = np.unique(np.append(epochs[0], grid.astype(np.int64)))
                hit = hit[np.searchsorted(hits.values, epochs, side="right") - 1]
            if epochs[-1] < last:
                epochs, hit = np.append(epochs, last), np.append(hit, hit[-1])
            curve = pl.DataFrame({"epoch": epochs, "share": hit / some.runs})
            about = {**some.key, "loss": loss}
            told = [pl.lit(value, CURVE[name]).alias(name) for name, value in about.items()]
            parts.append(curve.with_columns(told).select(*CURVE))
    return pl.concat(parts)
