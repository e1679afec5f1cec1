"""Which starts succeed: the rate of success as a function of where a run begins."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from attnlogic.errors import InputError
from attnlogic.intervals import Interval, wilson
from attnlogic.statistics import CONDITION, SETTINGS, conditions
from attnlogic.store import Runs

MEASURES = ("C_initial", "initial_loss")
"""What starts are told apart by."""

STARTS: dict[str, Any] = {
    "gate": pl.String, "optimizer": pl.String, "measure": pl.String,
    "from": pl.Float64, "to": pl.Float64, "runs": pl.Int64,
    "reached": pl.Int64, "reach_rate": pl.Float64, "reach_low": pl.Float64,
    "reach_high": pl.Float64,
    **SETTINGS,
}  # fmt: skip
"""The columns of ``starts``, in order, with their types."""


def starts(
    runs: Runs | pl.LazyFrame | pl.DataFrame, bins: int = 8, interval: Interval = wilson
) -> pl.DataFrame:
    """How often runs reach the threshold, by their initial C and by their initial loss.

    The bins hold equally many runs, as nearly as ties allow; those of C are cut at 0 besides, where
    its sign changes: half of the bins lie on each side.

    Args:
      runs: a study, or any frame with the columns of ``store.schema``.
      bins: how many, for each measure; even. Fewer, where the runs are fewer.
      interval: of the rates, at 95 %; see ``intervals``.

    Returns:
      A frame with the columns of ``STARTS``: for each condition and measure a row a bin, upwards.
      ``from`` and ``to`` are the smallest and the largest value in the bin. A start that is not
      finite is in no bin.

    Raises:
      InputError: ``bins`` is not a positive even number.
    """
    if bins < 2 or bins % 2:
        raise InputError(f"bins: expected a positive even number, got {bins}")
    rows = [
        {**part.select(CONDITION).row(0, named=True), "measure": measure, **of_bin}
        for part in conditions(runs)
        for measure in MEASURES
        for of_bin in _bins(part, measure, bins, interval)
    ]
    return pl.DataFrame(rows, schema=STARTS)


def _bins(rows: pl.DataFrame, measure: str, bins: int, interval: Interval) -> list[dict[str, Any]]:
    finite = rows.filter(pl.col(measure).is_finite())
    value, hit = finite[measure].to_numpy(), finite["first_hit"].is_not_null().to_numpy()
    if measure == "C_initial":
        sides = [np.flatnonzero(value < 0), np.flatnonzero(value >= 0)]
        cut = [part for side in sides for part in _equal(value, side, bins // 2)]
    else:
        cut = _equal(value, np.arange(len(value)), bins)
    told = []
    for chosen in cut:
        reached, n = int(hit[chosen].sum()), len(chosen)
        low, high = interval(reached, n, 0.95) or (None, None)
        told.append(
            {
                "from": float(value[chosen].min()),
                "to": float(value[chosen].max()),
                "runs": n,
                "reached": reached,
                "reach_rate": reached / n,
                "reach_low": low,
                "reach_high": high,
            }
        )
    return told


def _equal(value: npt.NDArray[Any], which: npt.NDArray[Any], count: int) -> list[Any]:
    """Cut the chosen runs into bins of equal size by their value; equal values stay together."""
    order = which[np.argsort(value[which], kind="stable")]
    ranks = np.searchsorted(value[order], value[order], side="left")
    bin_of = ranks * count // max(1, len(order))
    return [order[bin_of == b] for b in range(count) if (bin_of == b).any()]
