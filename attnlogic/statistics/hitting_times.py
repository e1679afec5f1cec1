"""Times to the first hit, some of which never came: medians, means, and what a hit costs.

A run that has not hit by the end of its budget is censored there: all that is known is that it hits
later, if ever. So is a run that stopped or diverged without a hit: it would never have hit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from attnlogic.results import Distribution, Population

RESAMPLES = 2000
"""Bootstrap samples: each end of a 95 % interval then has some fifty samples beyond it."""


class Estimate(NamedTuple):
    """A number with its interval; None where it does not exist."""

    value: float | None
    low: float | None
    high: float | None

    def columns(self, name: str) -> dict[str, float | None]:
        """As the columns ``name``, ``name_low`` and ``name_high``."""
        return {name: self.value, f"{name}_low": self.low, f"{name}_high": self.high}


NONE = Estimate(None, None, None)


class HittingTimes(NamedTuple):
    """When the runs of a condition hit, in epochs, or what they spent, in evaluations.

    Attributes:
      hits: of the runs that hit: the first hit, or the evaluations up to it.
      ends: of the others: the epochs that they ran, or their evaluations.
      budget: the most epochs that a run may take.
    """

    hits: Distribution
    ends: Distribution
    budget: int

    @classmethod
    def of(cls, some: Population, *, evaluations: bool = False) -> HittingTimes:
        """Those of the study's threshold."""
        spent = ("evaluations_first_hit", "evaluations") if evaluations else ("first_hit", "end")
        hits, ends = some.of(spent[0], "reached"), some.of(spent[1], "missed")
        return cls(hits, ends, some.key["epochs"])

    @classmethod
    def of_rung(cls, some: Population, rung: str) -> HittingTimes:
        """Those of a rung of the ladder (one of ``outcomes.RUNGS``), in epochs."""
        return cls(some.of(rung), some.of("end", f"missed_{rung}"), some.key["epochs"])

    @property
    def runs(self) -> int:
        """How many runs there are."""
        return self.hits.n + self.ends.n

    @property
    def ert(self) -> float | None:
        """All that was spent, divided by the hits; see ``expected_running_time``."""
        return (self.hits.total + self.ends.total) / self.hits.n if self.hits.n else None


def median(times: HittingTimes, level: float = 0.95) -> Estimate:
    """The Kaplan–Meier median of the first hit, in epochs.

    As every run is observed up to the budget, the survival function is one minus the share that has
    hit. The interval holds the times at which its pointwise (log–log) band holds one half. An end
    is None where the band does not come down to one half.

    Reference: Brookmeyer and Crowley, "A confidence interval for the median survival time",
    Biometrics 38, 1982.
    """
    from scipy.stats import norm

    n, hit = times.runs, times.hits.counts.cumsum()
    if not times.hits.n:
        return NONE
    survival = 1 - hit / n
    with np.errstate(divide="ignore", invalid="ignore"):  # where all have hit the band is a point
        # Greenwood's variance, of log survival, divided by log survival: of its logarithm.
        error = np.sqrt(hit / (n * (n - hit))) / np.abs(np.log(survival))
        z = norm.ppf((1 + level) / 2) * error
        band = [survival ** np.exp(sign * z) for sign in (0, 1, -1)]
    half = [(np.where(hit == n, 0, edge) <= 0.5 + 1e-12).nonzero()[0] for edge in band]
    return Estimate(*(float(times.hits.values[at[0]]) if at.size else None for at in half))


def restricted_mean(times: HittingTimes, level: float = 0.95) -> Estimate:
    """The mean of min(first hit, budget), in epochs: the area under the survival function.

    As every run is observed up to the budget, this is a plain mean, and its interval is Student's.
    """
    from scipy import stats

    n, never = times.runs, times.ends.n
    if not n:
        return NONE
    values = np.append(times.hits.values, times.budget)
    counts = np.append(times.hits.counts, never)
    mean = float(values @ counts / n)
    squares = float((values - mean) ** 2 @ counts)
    if n == 1:
        return Estimate(mean, None, None)
    if squares == 0:
        return Estimate(mean, mean, mean)
    low, high = stats.t.interval(level, n - 1, loc=mean, scale=np.sqrt(squares / (n - 1) / n))
    return Estimate(mean, float(low), float(high))


def expected_running_time(times: HittingTimes, level: float = 0.95, seed: int = 0) -> Estimate:
    """ERT: what all runs spent, each up to its first hit, divided by the hits.

    It is what a hit costs if one starts afresh, from another seed, each time the budget ends
    without one. Its interval is a percentile bootstrap over runs. The samples are drawn as counts
    of equal runs, so a billion runs cost no more than their distinct times.

    Args:
      times: in epochs, or in evaluations.
      level: the interval's confidence level.
      seed: of the bootstrap's generator.

    Returns:
      The ERT; None without hits. The upper end is None if a share of the samples that reaches into
      it has no hit.

    Reference: Hansen et al., "COCO: a platform for comparing continuous optimizers in a black-box
    setting", Optimization Methods and Software 36, 2021.
    """
    if not times.hits.n:
        return NONE
    costs = np.concatenate([times.hits.values, times.ends.values])
    counts = np.concatenate([times.hits.counts, times.ends.counts])
    drawn = np.random.default_rng(seed).multinomial(
        times.runs, counts / counts.sum(), size=RESAMPLES
    )
    hits = drawn[:, : len(times.hits.counts)].sum(axis=1)
    with np.errstate(divide="ignore"):
        samples = (drawn @ costs) / hits
    tails = [(1 - level) / 2, (1 + level) / 2]
    low, high = map(_finite, np.quantile(samples, tails, method="higher"))
    return Estimate(times.ert, low, high)


def log_error(times: HittingTimes) -> float | None:
    """The standard error of the logarithm of the ERT; None without hits or with a single run.

    The ERT is a ratio of means over the runs: of what each spent, and of whether it hit. This is
    the delta method's error of the logarithm of such a ratio, from the counts alone.

    Reference: Cochran, "Sampling techniques", 3rd edition, 1977, section 6.4.
    """
    n, hits = times.runs, times.hits.n
    if not hits or n < 2 or not times.ert:
        return None
    spent = (times.hits.total + times.ends.total) / n
    hit, missed = times.hits.values / spent - n / hits, times.ends.values / spent
    squares = float(times.hits.counts @ hit**2 + times.ends.counts @ missed**2)
    return float(np.sqrt(squares / (n * (n - 1))))


def log_normal_ert(times: HittingTimes, level: float = 0.95) -> Estimate:
    """ERT with an interval that is normal in its logarithm: see ``log_error``.

    It takes no samples, so that hundreds of conditions are quick. Without hits all is None.
    """
    from statistics import NormalDist

    error = log_error(times)
    if times.ert is None or error is None:
        return Estimate(times.ert, None, None)
    factor = float(np.exp(NormalDist().inv_cdf((1 + level) / 2) * error))
    return Estimate(times.ert, times.ert / factor, times.ert * factor)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
