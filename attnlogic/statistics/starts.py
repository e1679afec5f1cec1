"""Which starts succeed: the rate of success as a function of where a run begins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from attnlogic.errors import InputError
from attnlogic.results import SETTINGS, Population, Runs, Tally, populations
from attnlogic.statistics.intervals import Interval, rate, wilson

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
    runs: Runs | pl.LazyFrame | pl.DataFrame | Tally, bins: int = 8, interval: Interval = wilson
) -> pl.DataFrame:
    """How often runs reach the threshold, by their initial C and by their initial loss.

    The bins hold equally many runs, as nearly as ties allow; those of C are cut at 0 besides, where
    its sign changes: half of the bins lie on each side.

    Args:
      runs: a study, any frame with the columns of ``store.schema``, or a tally.
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
        {**some.key, "measure": measure, **of_bin}
        for some in populations(runs)
        for measure in MEASURES
        for of_bin in _bins(some, measure, bins, interval)
    ]
    return pl.DataFrame(rows, schema=STARTS)


def _bins(
    some: Population, measure: str, bins: int, interval: Interval
) -> Iterator[dict[str, Any]]:
    """What is told of each bin; of a tally's bins as many go into one as come nearest."""
    every, hit = (some.of(measure, group).finite() for group in ("all", "reached"))
    reached = np.zeros_like(every.counts)
    reached[np.searchsorted(every.bins, hit.bins)] = hit.counts
    below = every.values < 0
    sides = (below, ~below) if measure == "C_initial" else (np.ones_like(below),)
    for side in sides:
        for chosen in _equal(np.flatnonzero(side), every.counts, bins // len(sides)):
            values, n = every.values[chosen], int(every.counts[chosen].sum())
            yield {
                "from": float(values[0]),
                "to": float(values[-1]),
                "runs": n,
                **rate("reached", "reach", int(reached[chosen].sum()), n, interval),
            }


def _equal(which: npt.NDArray[Any], counts: npt.NDArray[Any], bins: int) -> list[Any]:
    """Cut the chosen entries, in ascending order, into bins of as many runs each."""
    of_entry = counts[which]
    before = of_entry.cumsum() - of_entry
    bin_of = before * bins // max(1, of_entry.sum())
    return [which[bin_of == b] for b in range(bins) if (bin_of == b).any()]
