"""When runs hit: times to the first hit, some of which never came.

A run that has not hit by the end of its budget is censored there: all that is known is that it hits
later, if ever. So is a run that stopped or diverged without a hit: it would never have hit.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

RESAMPLES = 2000
"""Bootstrap samples: the ends of a 95 % interval then lie on some fifty samples each."""


class Estimate(NamedTuple):
    """A number with its interval; None where it does not exist."""

    value: float | None
    low: float | None
    high: float | None


def censored(rows: pl.DataFrame) -> Any:
    """The first hits of a condition's runs as SciPy's ``CensoredData``, in epochs.

    Args:
      rows: the runs, with the columns ``first_hit`` (null: never) and ``epochs`` (the budget).
    """
    from scipy.stats import CensoredData

    hits = rows["first_hit"].drop_nulls().to_numpy()
    never = rows.filter(pl.col("first_hit").is_null())["epochs"].to_numpy()
    return CensoredData(uncensored=hits, right=never - 1)


def median(rows: pl.DataFrame, level: float = 0.95) -> Estimate:
    """The Kaplan–Meier median of the first hit, in epochs.

    Its interval holds the times at which the pointwise (log–log) band of the survival function
    holds one half. An end is None where the band does not come down to one half.

    Reference: Brookmeyer and Crowley, "A confidence interval for the median survival time",
    Biometrics 38, 1982.
    """
    if not len(rows) or not rows["first_hit"].count():
        return Estimate(None, None, None)
    survival = _survival(rows)
    band = _band(rows, survival, level)
    return Estimate(
        *(_first_at_most_half(survival.quantiles, p) for p in (survival.probabilities, *band))
    )


def restricted_mean(rows: pl.DataFrame, level: float = 0.95) -> Estimate:
    """The mean of min(first hit, budget), in epochs: the area under the survival function.

    As every run is observed up to the budget, this is a plain mean, and its interval is Student's.

    Args:
      rows: runs of one budget.
    """
    from scipy import stats

    if not len(rows):
        return Estimate(None, None, None)
    times = rows["first_hit"].fill_null(rows["epochs"]).cast(pl.Float64).to_numpy()
    mean = float(times.mean())
    if len(times) == 1 or times.std() == 0:
        return Estimate(mean, None if len(times) == 1 else mean, None if len(times) == 1 else mean)
    error = stats.sem(times)
    low, high = stats.t.interval(level, len(times) - 1, loc=mean, scale=error)
    return Estimate(mean, float(low), float(high))


def expected_running_time(rows: pl.DataFrame, level: float = 0.95, *, seed: int = 0) -> Estimate:
    """ERT: the epochs spent over all runs, each up to its first hit, divided by the hits.

    It is what a hit costs if one starts afresh, from another seed, each time the budget ends
    without one. Its interval is a percentile bootstrap over runs. The samples are drawn as counts
    of equal runs, so a million runs cost no more than their distinct times.

    Args:
      rows: the runs, with the columns ``first_hit``, ``stopped_at``, ``diverged_at`` and
        ``epochs``; null where there is none.
      level: the interval's confidence level.
      seed: of the bootstrap's generator.

    Returns:
      The ERT; None without hits. The upper end is None if a share of the samples that reaches into
      it has no hit.

    Reference: Hansen et al., "COCO: a platform for comparing continuous optimizers in a black-box
    setting", Optimization Methods and Software 36, 2021.
    """
    hits = int(rows["first_hit"].count())
    if not hits:
        return Estimate(None, None, None)
    ends = ("first_hit", "stopped_at", "diverged_at", "epochs")  # whichever comes first
    spent = rows.select(spent=pl.min_horizontal(ends), hit=pl.col("first_hit").is_not_null())
    kinds = spent.group_by("spent", "hit").len().sort("spent", "hit")
    epochs, hit, counts = (kinds[name].to_numpy() for name in ("spent", "hit", "len"))
    drawn = np.random.default_rng(seed).multinomial(
        counts.sum(), counts / counts.sum(), size=RESAMPLES
    )
    with np.errstate(divide="ignore"):
        samples = (drawn @ epochs) / (drawn @ hit.astype(np.int64))
    low, high = (
        _finite(q)
        for q in np.quantile(samples, [(1 - level) / 2, (1 + level) / 2], method="higher")
    )
    return Estimate(float(epochs @ counts / hits), low, high)


def _survival(rows: pl.DataFrame) -> Any:
    from scipy.stats import ecdf

    return ecdf(censored(rows)).sf


def _band(
    rows: pl.DataFrame, survival: Any, level: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The lower and the upper edge of the survival function's band."""
    # Where the function is 0 or 1 the log–log band is not a number: there the edge is the value.
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.filterwarnings("ignore", "The confidence interval is undefined", RuntimeWarning)
        band = survival.confidence_interval(level, method="log-log")
    edges = (band.low.probabilities, band.high.probabilities)
    low, high = (np.where(np.isnan(e), survival.probabilities, e) for e in edges)
    return low, high


def _first_at_most_half(
    times: npt.NDArray[np.float64], probabilities: npt.NDArray[np.float64]
) -> float | None:
    below = np.flatnonzero(probabilities <= 0.5 + 1e-12)
    return float(times[below[0]]) if below.size else None


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
