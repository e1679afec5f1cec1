"""Contenders in turn, so that what slows the machine down meanwhile slows all of them down.

attnlogic is timed before and after each other contender. The ratio of a contender's time to the
geometric mean of the two does not change if the machine becomes slower at a constant rate.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import quantile_test

CONFIDENCE = 0.95
"""Of an interval, at least."""


class Ratio(NamedTuple):
    """A median of ratios, with the ends of its interval: NaN with fewer than six."""

    median: float
    low: float
    high: float


class Times(NamedTuple):
    """Seconds of one contender.

    Attributes:
      seconds: of each repetition.
      attnlogic: beside each, the geometric mean of attnlogic's seconds before and after it.
      load: cores that other work kept busy before each.
    """

    seconds: list[float]
    attnlogic: list[float]
    load: list[float]


def in_turn(
    ours: Callable[[], object],
    others: Mapping[str, Callable[[], object]],
    repetitions: int,
    load: Callable[[], float],
) -> tuple[list[float], dict[str, Times]]:
    """Time attnlogic and the other contenders: A B A C A … A.

    Args:
      ours: attnlogic's work.
      others: the other contenders' work; none if attnlogic is timed alone.
      repetitions: how often each is timed.
      load: called before each: see ``load.Load``.

    Returns:
      attnlogic's seconds, and the times of each other contender.
    """
    times = {name: Times([], [], []) for name in others}
    every = [_seconds(ours)]
    for _ in range(repetitions):
        for name, run in others.items():
            times[name].load.append(load())
            times[name].seconds.append(_seconds(run))
            every.append(_seconds(ours))
            times[name].attnlogic.append(math.sqrt(every[-2] * every[-1]))
        if not others:
            load()
            every.append(_seconds(ours))
    return every, times


def _seconds(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def ratio(times: Mapping[str, Any], work: float = 1.0) -> Ratio:
    """How many times as long a contender takes for the same work.

    The interval is that of the median of the paired log-ratios, from their order alone: it assumes
    no distribution of times (``scipy.stats.quantile_test``; Conover, *Practical Nonparametric
    Statistics*, 1999, chapter 3.2).

    Args:
      times: ``seconds`` and ``attnlogic``, as ``Times`` has them.
      work: attnlogic's work, as a multiple of the contender's.

    Example:
      >>> ratio({"seconds": [2, 4, 6, 4, 2, 4], "attnlogic": [1, 2, 2, 2, 1, 2]})
      Ratio(median=2.0, low=2.0, high=3.0)
    """
    logs = np.log(times["seconds"]) - np.log(times["attnlogic"]) + math.log(work)
    interval = quantile_test(logs, p=0.5).confidence_interval(CONFIDENCE)
    return Ratio(*(round(float(np.exp(v)), 12) for v in (np.median(logs), *interval)))
