"""Which value of a sweep is the best, and which others may be as good."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

from attnlogic.statistics.intervals import Interval, difference

if TYPE_CHECKING:
    from attnlogic.statistics.hitting_times import HittingTimes

BEST, TIED = "best", "tied"


class Point(NamedTuple):
    """What is compared of the runs with one value.

    Attributes:
      runs: how many there are, at least one.
      solved: how many of them are solved.
      reached: how many reached the threshold.
      times: their first hits, in epochs.
    """

    runs: int
    solved: int
    reached: int
    times: HittingTimes


def marks(points: Sequence[Point], by: str, interval: Interval, level: float) -> list[str | None]:
    """Mark the best value of a curve, and those that are not significantly worse.

    The best has the highest rate, or the least ERT; of equal rates, that with the least ERT. A
    value is tied with it unless it is significantly worse: by the interval of the difference of
    their rates, or by a normal test of the difference of the logarithms of their ERTs. Each of the
    k - 1 comparisons is one-sided, with an error of (1 - level)/(k - 1): so the best and the tied
    together hold the truly best value with at least the level's probability (Bonferroni). For
    ``ert``, a value without a hit is never tied.

    Args:
      points: at least two.
      by: ``"solve"``, ``"reach"`` or ``"ert"``.
      interval: of the rates.
      level: the confidence level.

    Returns:
      ``"best"``, ``"tied"`` or None for each; all None where no run of any value succeeded.

    References: Gupta, "On some multiple decision (selection and ranking) rules", Technometrics 7,
    1965; Hsu, "Constrained simultaneous confidence intervals for multiple comparisons with the
    best", Annals of Statistics 12, 1984.
    """
    first = max(range(len(points)), key=lambda k: _order(points[k], by))
    best, tail = points[first], (1 - level) / (len(points) - 1)
    if not _successes(best, by):
        return [None] * len(points)

    def worse(point: Point) -> bool:
        if by == "ert":
            return _slower(point.times, best.times, tail)
        one, other = ((_successes(some, by), some.runs) for some in (best, point))
        return difference(one, other, max(0.0, 1 - 2 * tail), interval)[0] > 0

    return [
        BEST if k == first else None if worse(point) else TIED for k, point in enumerate(points)
    ]


def _order(point: Point, by: str) -> tuple[float, float]:
    """What is largest for the best point."""
    ert = point.times.ert
    speed = -math.inf if ert is None else -ert
    return (speed if by == "ert" else _successes(point, by) / point.runs), speed


def _successes(point: Point, by: str) -> int:
    return point.solved if by == "solve" else point.reached


def _slower(times: HittingTimes, best: HittingTimes, tail: float) -> bool:
    """Whether the ERT is above the best's, by a one-sided test with this error."""
    from attnlogic.statistics.hitting_times import log_error

    ert, least = times.ert, best.ert
    if ert is None or not least:
        return ert is None or ert > 0
    error, other = log_error(times), log_error(best)
    if error is None or other is None:
        return False
    return math.log(ert / least) > NormalDist().inv_cdf(max(0.5, 1 - tail)) * math.hypot(
        error, other
    )
