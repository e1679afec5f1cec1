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

from attnlogic.statistics import CONDITION, SETTINGS, conditions
from attnlogic.store import Runs

RESAMPLES = 2000
"""Bootstrap samples: the ends of a 95 % interval then lie on some fifty samples each."""

_ESTIMATES = ("median", "mean", "ert", "ert_evaluations")
TIMES: dict[str, Any] = {
    "gate": pl.String, "optimizer": pl.String, "runs": pl.Int64, "hits": pl.Int64,
    **{f"{name}{end}": pl.Float64 for name in _ESTIMATES for end in ("", "_low", "_high")},
    **SETTINGS,
}  # fmt: skip
"""The columns of ``times``, in order, with their types."""


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


def expected_running_time(
    rows: pl.DataFrame, level: float = 0.95, *, evaluations: bool = False, seed: int = 0
) -> Estimate:
    """ERT: the epochs spent over all runs, each up to its first hit, divided by the hits.

    It is what a hit costs if one starts afresh, from another seed, each time the budget ends
    without one. Its interval is a percentile bootstrap over runs. The samples are drawn as counts
    of equal runs, so a million runs cost no more than their distinct times.

    Args:
      rows: the runs, with the columns of ``store.schema``.
      level: the interval's confidence level.
      evaluations: count evaluations of loss and gradient instead of epochs.
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
    if evaluations:
        cost = pl.coalesce("evaluations_first_hit", "evaluations")
    else:  # whichever comes first
        cost = pl.min_horizontal("first_hit", "stopped_at", "diverged_at", "epochs")
    spent = rows.select(cost.cast(pl.Int64).alias("cost"), hit=pl.col("first_hit").is_not_null())
    kinds = spent.group_by("cost", "hit").len().sort("cost", "hit")
    costs, hit, counts = (kinds[name].to_numpy() for name in ("cost", "hit", "len"))
    drawn = np.random.default_rng(seed).multinomial(
        counts.sum(), counts / counts.sum(), size=RESAMPLES
    )
    with np.errstate(divide="ignore"):
        samples = (drawn @ costs) / (drawn @ hit.astype(np.int64))
    tails = [(1 - level) / 2, (1 + level) / 2]
    low, high = map(_finite, np.quantile(samples, tails, method="higher"))
    return Estimate(float(costs @ counts / hits), low, high)


def times(runs: Runs | pl.LazyFrame | pl.DataFrame, level: float = 0.95) -> pl.DataFrame:
    """One row a condition: when runs first hit, and what a hit costs.

    Args:
      runs: a study, or any frame with the columns of ``store.schema``.
      level: the intervals' confidence level.

    Returns:
      gate, optimizer, runs, hits; ``median``, ``mean`` (restricted to the budget), ``ert`` in
      epochs and ``ert_evaluations``, each with ``_low`` and ``_high``; then what else tells
      conditions apart. Null stands for what does not exist.
    """
    rows = []
    for part in conditions(runs):
        key = part.select(CONDITION).row(0, named=True)
        estimates = {
            "median": median(part, level),
            "mean": restricted_mean(part, level),
            "ert": expected_running_time(part, level),
            "ert_evaluations": expected_running_time(part, level, evaluations=True),
        }
        row: dict[str, Any] = {"runs": len(part), "hits": int(part["first_hit"].count())}
        for name, (value, low, high) in estimates.items():
            row |= {name: value, f"{name}_low": low, f"{name}_high": high}
        rows.append(row | key)
    return pl.DataFrame(rows, schema=TIMES)


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
