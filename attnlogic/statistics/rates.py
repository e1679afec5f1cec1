"""Rates with intervals: their columns, their cells, and the options that choose the interval."""

from __future__ import annotations

from typing import Any

from attnlogic.errors import InputError
from attnlogic.statistics.intervals import INTERVALS, Interval, interval
from attnlogic.statistics.statistic import Column, Option, Row


def _level(value: Any) -> float:
    try:
        level = float(value)
    except (TypeError, ValueError):
        level = 0.0
    if not 0 < level < 1:
        raise InputError(
            f"level: expected a share above 0 and below 1, such as 0.95, got {value!r}"
        )
    return level


LEVEL = Option("level", 0.95, "Confidence level of the intervals.", _level)
INTERVAL = Option(
    "interval",
    "wilson",
    "Interval of the rates: wilson, clopper-pearson or jeffreys.",
    interval,
    tuple(INTERVALS),
)


def in_percent(level: float) -> str:
    """A confidence level as captions have it: ``95 %``.

    Example:
      >>> in_percent(0.95)
      '95 %'
    """
    return f"{100 * level:.10g} %"


def rate_columns(count: str, prefix: str, meaning: str, of: str) -> tuple[Column, ...]:
    """The columns of ``rate``: the count, its share, and the ends of the share's interval."""
    return (
        Column(count, int, "runs", meaning),
        Column(f"{prefix}_rate", float, "share", f"their share of {of}"),
        Column(f"{prefix}_low", float, "share", "lower end of the share's interval"),
        Column(f"{prefix}_high", float, "share", "upper end of the share's interval"),
    )


def rate(
    count: str, prefix: str, successes: int | None, runs: int, interval: Interval, level: float
) -> Row:
    """The values of ``rate_columns``; None where there are no runs, or successes are not known."""
    if successes is None or not runs:
        share, low, high = None, None, None
    else:
        share = successes / runs
        low, high = interval(successes, runs, level) or (None, None)
    return {count: successes, f"{prefix}_rate": share, f"{prefix}_low": low, f"{prefix}_high": high}
