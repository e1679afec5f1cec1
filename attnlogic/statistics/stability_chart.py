"""Whether runs stay at the threshold once they have hit it, and how far they leave it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import altair as alt

from attnlogic.errors import InputError
from attnlogic.statistics.panels import Number, dotted, layout, rate_of, runs_each
from attnlogic.statistics.rates import in_percent
from attnlogic.view import chart_theme, dots_chart

if TYPE_CHECKING:
    import polars as pl

    from attnlogic.statistics.statistic import Row


def draw(frame: pl.DataFrame, given: Sequence[Any], options: Mapping[str, Any]) -> alt.VConcatChart:
    """The share of runs that never left after their hit, and the largest loss after it.

    Raises:
      InputError: no run reached the threshold.
    """
    if not frame["reached"].sum():
        raise InputError("nothing to draw: no run reached the threshold")
    found = layout(frame)
    stayed = dotted(found, lambda row: [rate_of(row, "stay", "")])
    share = chart_theme.percent_axis("value", "stayed, % of the runs that reached", alt.X)
    blocks = [dots_chart(stayed, share)]
    names = [f"worst_after_hit_{q}" for q in ("median", "q95")]
    losses = [x for name in names for x in frame[name].drop_nulls() if 0 < x < math.inf]
    if losses:
        powers = chart_theme.decades([math.log10(x) for x in losses])
        axis = chart_theme.log_axis("value", powers, "largest loss after the hit", alt.X, most=6)
        top = 10.0 ** powers[-1]
        worst = dotted(found, lambda row: [_worst(row, top)])
        blocks.append(dots_chart(worst, axis))
    return alt.vconcat(*blocks, spacing=24).properties(
        title=chart_theme.heading(
            "Do runs stay once they have hit?",
            "Stayed: never left after the first hit; bars are "
            f"{in_percent(options['level'])} intervals. Largest loss after the hit: the dot is the "
            "median, its bar ends at the 95 % quantile. Of the runs that reached the threshold; "
            f"{runs_each(frame['runs'])} in all.",
            found.note,
        )
    )


def _worst(row: Row, top: float) -> Number:
    """The median, and a bar from there to the 95 % quantile."""
    middle, high = (_within(row[f"worst_after_hit_{q}"], top) for q in ("median", "q95"))
    return ("", middle, middle, high)


def _within(loss: float | None, top: float) -> float | None:
    """An infinite loss stands at the axis's end, one of 0 nowhere."""
    return None if not loss else min(loss, top)
