"""Success by where runs start: the share that reached, by initial C and by initial loss."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

import altair as alt

from attnlogic.errors import InputError
from attnlogic.statistics.panels import Panel, layout, runs_each
from attnlogic.statistics.rates import in_percent
from attnlogic.view import chart_theme

if TYPE_CHECKING:
    import polars as pl

    from attnlogic.statistics.statistic import Row

TITLES = {"C_initial": "initial C", "initial_loss": "initial loss"}

MAX_CURVES = 24
"""Conditions that are drawn, at most."""

MAX_BOXED = 6
"""Curves of a panel that shows their intervals, at most: more boxes hide each other."""

WIDTH, HEIGHT = 165, 130
"""Of a panel, in pixels."""


def draw(frame: pl.DataFrame, given: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Each bin of starts as a step at its share, with its interval as a box.

    Raises:
      InputError: no start is finite.
    """
    finite = frame.filter(frame["from"].is_finite() & frame["to"].is_finite())
    if finite.is_empty():
        raise InputError("nothing to draw: no run starts at a finite loss")
    panels, colors, note = layout(finite, MAX_CURVES)
    drawn = [
        _panel(panel, measure, colors)
        for panel in panels
        for measure in TITLES
        if any(row["measure"] == measure for row in panel.rows)
    ]
    return alt.concat(*drawn, columns=2, spacing=14).properties(
        title=chart_theme.heading(
            "Which starts succeed?",
            "The share of runs that reached the threshold, by their initial C and initial loss, in "
            "bins of equally many runs (steps from a bin's smallest to its largest value); of each "
            f"bin {runs_each(frame['runs'])}.",
            _intervals(panels, options["level"]),
            note,
        )
    )


def _intervals(panels: Sequence[Panel], level: float) -> str:
    without = any(len(panel.names) > MAX_BOXED for panel in panels)
    left = f"; panels of more than {MAX_BOXED} curves have none" if without else ""
    return f"Boxes: {in_percent(level)} intervals{left}."


def _panel(panel: Panel, measure: str, colors: Mapping[str, str]) -> alt.LayerChart:
    rows = [row for row in panel.rows if row["measure"] == measure]
    points = [
        {
            "name": row["name"],
            "from": row["from"],
            "to": row["to"],
            "share": round(row["reach_rate"], 4),
            "low": round(row["reach_low"], 4),
            "high": round(row["reach_high"], 4),
        }
        for row in rows
    ]
    axis = alt.Axis(
        **chart_theme.FONT,
        grid=False,
        format="~g",
        tickCount=4,
        labelOverlap="greedy",
        labelSeparation=5,
    )
    x = alt.X("from:Q", title=TITLES[measure], axis=axis, scale=_scale(rows))
    color = chart_theme.colors("name", colors, chart_theme.line_legend(colors))
    low = chart_theme.percent_axis("low", "reached, %")
    share = chart_theme.percent_axis("share", "reached, %")
    data = chart_theme.data(points)
    boxes = data.mark_rect(opacity=0.2, aria=False)
    steps = data.mark_rule(strokeWidth=2, aria=False)
    one_value = chart_theme.data([point for point in points if point["from"] == point["to"]])
    dots = one_value.mark_point(filled=True, size=25, opacity=1, aria=False)
    layers = [
        boxes.encode(x=x, x2="to:Q", y=low, y2="high:Q", color=color),
        steps.encode(x=x, x2="to:Q", y=share, color=color),
        dots.encode(x=x, y=share, color=color),
    ]
    return alt.LayerChart(
        layer=layers if len(panel.names) <= MAX_BOXED else layers[1:],
        width=WIDTH,
        height=HEIGHT,
        title=chart_theme.panel_title(panel.title),
    )


def _scale(rows: Sequence[Row]) -> alt.Scale:
    """Logarithmic away from 0, so that bins of equally many runs are about equally wide."""
    ends = [row[end] for row in rows for end in ("from", "to")]
    sizes = [abs(end) for end in ends if end]
    low, high = min(ends), max(ends)
    if low > 0 and high > low:
        return alt.Scale(type="log", domain=[low, high], nice=False)
    about = median(sizes) if sizes else 1.0
    if low == high:
        low, high = low - about, high + about
    return alt.Scale(type="symlog", constant=max(about, math.ulp(0.0)), domain=[low, high])
