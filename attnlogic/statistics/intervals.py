"""Intervals for rates: how sure one may be of a share of runs.

Each takes (successes, runs, level) and gives the lower and the upper end, or None without runs. The
formulas are written out because ``scipy.stats``, which has them too, takes longer to import than a
short study takes to train.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

from attnlogic.errors import unknown

Interval = Callable[[int, int, float], tuple[float, float] | None]
"""Successes, runs, confidence level -> lower and upper end; None without runs."""


def wilson(successes: int, runs: int, level: float = 0.95) -> tuple[float, float] | None:
    """Wilson's score interval: its coverage is near the level on average, also near 0 and 1.

    Args:
      successes: of how many of the runs something was true.
      runs: how many there were.
      level: the interval's confidence level.

    Returns:
      The lower and the upper end; None without runs.

    Reference: Wilson, "Probable inference, the law of succession, and statistical inference",
    JASA 22, 1927.
    """
    if runs == 0:
        return None
    z, share = NormalDist().inv_cdf((1 + level) / 2), successes / runs
    middle = share + z * z / (2 * runs)
    half = z * math.sqrt(share * (1 - share) / runs + (z / (2 * runs)) ** 2)
    whole = 1 + z * z / runs
    return _with_exact_edges((middle - half) / whole, (middle + half) / whole, successes, runs)


def clopper_pearson(successes: int, runs: int, level: float = 0.95) -> tuple[float, float] | None:
    """Clopper and Pearson's exact interval: its coverage is never below the level.

    Arguments and result as for ``wilson``.

    Reference: Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the
    case of the binomial", Biometrika 26, 1934.
    """
    return _from_beta(0, 1, successes, runs, level)


def jeffreys(successes: int, runs: int, level: float = 0.95) -> tuple[float, float] | None:
    """Jeffreys' interval: equal tails of the posterior under the prior Beta(1/2, 1/2).

    Arguments and result as for ``wilson``. The end at 0 or n successes is 0 or 1.

    Reference: Brown, Cai and DasGupta, "Interval estimation for a binomial proportion",
    Statistical Science 16, 2001.
    """
    return _from_beta(0.5, 0.5, successes, runs, level)


def _from_beta(
    low: float, high: float, successes: int, runs: int, level: float
) -> tuple[float, float] | None:
    """From quantiles of Beta(successes + low, …) and Beta(successes + high, …)."""
    from scipy.special import betaincinv

    if runs == 0:
        return None

    def quantile(shift: float, share: float) -> float:
        return float(betaincinv(successes + shift, runs - successes + 1 - shift, share))

    ends = quantile(low, (1 - level) / 2), quantile(high, (1 + level) / 2)
    return _with_exact_edges(*ends, successes, runs)


def difference(
    one: tuple[int, int],
    other: tuple[int, int],
    level: float = 0.95,
    interval: Interval = wilson,
) -> tuple[float, float]:
    """Newcombe's interval of the difference of two rates, as if of independent samples.

    It combines the intervals of the two rates; with Wilson's it is Newcombe's method 10. Rates of
    the same seeds under two conditions mostly rise and fall together: it is then too wide.

    Args:
      one, other: successes and runs of each, at least one run.
      level: the interval's confidence level.
      interval: of each rate.

    Returns:
      The lower and the upper end of the rate of ``one`` minus that of ``other``.

    References: Newcombe, "Interval estimation for the difference between independent proportions:
    comparison of eleven methods", Statistics in Medicine 17, 1998; with any interval: Zou and
    Donner, "Construction of confidence limits about effect measures: a general approach",
    Statistics in Medicine 27, 2008.
    """
    a, b = (successes / runs for successes, runs in (one, other))
    low_a, high_a = interval(*one, level) or (0.0, 1.0)
    low_b, high_b = interval(*other, level) or (0.0, 1.0)
    return a - b - math.hypot(a - low_a, high_b - b), a - b + math.hypot(high_a - a, b - low_b)


def _with_exact_edges(low: float, high: float, successes: int, runs: int) -> tuple[float, float]:
    """Exactly 0 without successes, and 1 where there is nothing else: rounding would miss them."""
    return low if successes else 0.0, high if successes < runs else 1.0


INTERVALS: dict[str, Interval] = {
    "wilson": wilson,
    "clopper-pearson": clopper_pearson,
    "jeffreys": jeffreys,
}
"""By name, as the command line has them."""


def interval(name: str | Interval) -> Interval:
    """The interval with this name, or a function of one's own as it is.

    Raises:
      InputError: no interval has that name.
    """
    if callable(name):
        return name
    if name not in INTERVALS:
        raise unknown("interval", str(name), INTERVALS)
    return INTERVALS[name]
