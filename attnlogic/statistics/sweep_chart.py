"""The picture of a sweep: the share of solved runs against the setting, a line for each curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import altair as alt
import polars as pl

from attnlogic.statistics.statistic import named
from attnlogic.statistics.sweep_findings import curves_of
from attnlogic.view import chart_theme

WIDTH, HEIGHT = 320, 200
"""Of a panel, in pixels."""

PANELS_ABREAST = 3


def sweep_chart(frame: pl.DataFrame) -> alt.VConcatChart:
    """The share of solved runs with its interval against each swept setting; the best is marked.

    If a setting has one curve for each gate, these share a panel; if it has several, each gate has
    a panel of its own. The axis is logarithmic where that spaces the values more evenly.

    Args:
      frame: of the statistic ``sweep``, for ``by="solve"``.
    """
    parts = curves_of(named(frame)[0])
    settings = [*dict.fromkeys(part[0]["setting"] for part in parts)]
    blocks = [
        _block(setting, [part for part in parts if part[0]["setting"] == setting])
        for setting in settings
    ]
    return alt.vconcat(
        *blocks, title="Solved runs, with intervals; ◆ the best, ● not significantly worse"
    ).resolve_scale(color="independent")


def _block(setting: str, curves: Sequence[Sequence[dict[str, Any]]]) -> alt.FacetChart:
    gates = [*dict.fromkeys(curve[0]["gate"] for curve in curves)]
    names = [*dict.fromkeys(curve[0]["optimizer"] for curve in curves)]
    by_gate = len(curves) == len(gates)
    lines = gates if by_gate else names
    rows = [
        {
            "line": row["gate"] if by_gate else row["optimizer"],
            "panel": (names[0] if len(names) == 1 else "") if by_gate else row["gate"],
            "value": row["value"],
            "share": round(row["solve_rate"], 4),
            "low": round(row["solve_low"], 4),
            "high": round(row["solve_high"], 4),
            "mark": row["best"],
        }
        for curve in curves
        for row in curve
    ]
    x = alt.X("value:Q", title=setting, axis=alt.Axis(**chart_theme.FONT, grid=False, tickCount=6),
              scale=_scale(sorted({row["value"] for row in rows})))  # fmt: skip
    share: dict[str, Any] = {
        "title": "runs, %",
        "scale": alt.Scale(domain=[0, 1]),
        "axis": alt.Axis(**chart_theme.FONT, format="%", tickCount=4),
    }
    colors = (
        alt.Scale(domain=lines, range=chart_theme.COLORS[: len(lines)])
        if len(lines) <= len(chart_theme.COLORS) - 2  # the last two, yellow and black, are hard
        else alt.Scale(domain=lines, scheme="viridis")
    )
    legend = None if len(lines) == 1 else alt.Legend(
        title=None, labelLimit=0, symbolType="stroke", symbolStrokeWidth=3, symbolOpacity=1,
        columns=math.ceil(len(lines) / 20),
    )  # fmt: skip
    color = alt.Color("line:N", sort=lines, scale=colors, legend=legend)
    data = chart_theme.data(rows)
    band = data.mark_area(opacity=0.15, aria=False).encode(
        x=x, y=alt.Y("low:Q", **share), y2="high:Q", color=color
    )
    line = data.mark_line(strokeWidth=1.5, aria=False).encode(
        x=x, y=alt.Y("share:Q", **share), color=color
    )
    marked = data.transform_filter("datum.mark != null").mark_point(filled=True, opacity=1)
    looks = alt.Scale(domain=["best", "tied"], range=["diamond", "circle"])
    sizes = alt.Scale(domain=["best", "tied"], range=[110, 25])
    points = marked.encode(
        x=x,
        y=alt.Y("share:Q", **share),
        color=color,
        shape=alt.Shape("mark:N", scale=looks, legend=None),
        size=alt.Size("mark:N", scale=sizes, legend=None),
    )
    layers = alt.layer(band, line, points).properties(width=WIDTH, height=HEIGHT)
    panels = [*dict.fromkeys(row["panel"] for row in rows)]
    facet = alt.Facet("panel:N", sort=panels, title=None)
    block: alt.FacetChart = layers.facet(facet, columns=PANELS_ABREAST)
    return block


def _scale(values: Sequence[float]) -> alt.Scale:
    """A logarithmic scale where it spaces the values, ascending, more evenly than a linear one.

    A 0 among such values stands on a scale that is linear up to the least of the others.
    """
    positive = [value for value in values if value > 0]
    logarithmic = len(positive) > 1 and values[0] >= 0 and _is_logarithmic(positive)
    if not logarithmic:
        return alt.Scale(type="linear", domain=[values[0], values[-1]], nice=False)
    if len(positive) == len(values):
        return alt.Scale(type="log", domain=[values[0], values[-1]], nice=False)
    return alt.Scale(type="symlog", constant=positive[0], domain=[0, values[-1]], nice=False)


def _is_logarithmic(values: Sequence[float]) -> bool:
    steps = [b - a for a, b in pairwise(values)]
    ratios = [math.log(b / a) for a, b in pairwise(values)]
    if len(steps) == 1:
        return values[1] >= 10 * values[0]
    return max(ratios) / min(ratios) < max(steps) / min(steps)
