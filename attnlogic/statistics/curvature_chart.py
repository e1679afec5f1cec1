"""How sharp the loss is where runs end, by ending."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import altair as alt

from attnlogic.errors import InputError
from attnlogic.statistics.panels import layout, runs_each
from attnlogic.view import ENDING_COLORS, Dot, chart_theme, dots_chart

if TYPE_CHECKING:
    import polars as pl

    from attnlogic.statistics.statistic import Row

QUANTILES = ("median", "q05", "q95")

MAX_CONDITIONS = 20
"""Conditions, of which each has a row for every ending, at most."""

LEAST, MOST = 1e-6, 1e6
"""The sharpness that the axis shows, at least and at most; what is beyond stands at its end."""


def draw(frame: pl.DataFrame, given: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """The largest eigenvalue of the Hessian, a row for each condition and ending.

    Raises:
      InputError: the Hessian is known for no condition, or no run ended at finite parameters.
    """
    if frame.is_empty():
        raise InputError(
            "nothing to draw: curvature is known of attention with raw scores and one head, on a "
            "gate, where a run ended at finite parameters"
        )
    panels, _, note = layout(frame, MAX_CONDITIONS)
    drawn = []
    for panel in panels:
        dots = [_dot(row) for row in panel.rows]
        drawn.append((panel.title, [dot.row for dot in dots], dots))
    ends = [end for _, _, dots in drawn for dot in dots for end in (dot.low, dot.high) if end]
    powers = chart_theme.decades([math.log10(end) for end in ends])
    axis = chart_theme.log_axis("value", powers, "sharpness", alt.X, most=6)
    return dots_chart(drawn, axis).properties(
        title=chart_theme.heading(
            "How sharp is the loss where runs end?",
            "Sharpness: the largest eigenvalue of the Hessian; gradient descent is stable only "
            "below 2/lr. Dot: the median; bar: from the 5 % to the 95 % quantile; what lies beyond "
            f"{LEAST:g} and {MOST:g} stands there. Of each row "
            f"{runs_each(frame['runs'])}.",
            note,
        )
    )


def _dot(row: Row) -> Dot:
    middle, low, high = (min(max(row[f"sharpness_{q}"], LEAST), MOST) for q in QUANTILES)
    name = f"{row['name']} · {row['ended']}"
    return Dot(name, middle, low, high, ENDING_COLORS[row["ended"]])
