"""The picture of a sweep: the share of solved runs against the setting, a line for each curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import altair as alt
import polars as pl

from attnlogic.statistics.statistic import Row, named
from attnlogic.statistics.sweep_findings import curves_of
from attnlogic.view import chart_theme

WIDTH, HEIGHT = 320, 200
"""Of a panel, in pixels."""

PANELS_ABREAST = 3
LEGEND_ROWS = 20
TITLE: dict[str, Any] = {"fontSize": 12, "fontWeight": "normal", "anchor": "middle"}
"""The options of a panel's title."""


MAX_TICKS = 8
"""Values that each have a tick of their own, at most, on an axis that is not logarithmic."""


def sweep_chart(frame: pl.DataFrame) -> alt.VConcatChart:
    """The share of solved runs with its interval against each swept setting; the best is marked.

    If the curves of a setting differ in nothing but the gate, they share a panel; otherwise each
    gate has a panel of its own. The axis is logarithmic where that spaces the values more evenly.

    Args:
      frame: of the statistic ``sweep``, for ``by="solve"``.
    """
    parts = curves_of(named(frame)[0])
    blocks = [
        _block(setting, [part for part in parts if part[0]["setting"] == setting])
        for setting in dict.fromkeys(part[0]["setting"] for part in parts)
    ]
    title = "Solved runs with intervals. Diamond: the best value; dots: not significantly worse"
    apart: alt.VConcatChart = alt.vconcat(*blocks, title=title).resolve_scale(color="independent")
    return apart


def _block(setting: str, curves: Sequence[Sequence[Row]]) -> alt.ConcatChart:
    """The panels of one setting."""
    gates = [*dict.fromkeys(curve[0]["gate"] for curve in curves)]
    names = [*dict.fromkeys(curve[0]["optimizer"] for curve in curves)]
    by_gate = len(names) == 1
    line = "gate" if by_gate else "optimizer"
    values = sorted({row["value"] for curve in curves for row in curve})
    x = alt.X("value:Q", title=setting, axis=_axis(values), scale=scale(values))
    color = _color(line, gates if by_gate else names)
    if by_gate:
        panels = [_panel(names[0], curves, x, color)]
    else:
        panels = [
            _panel(gate, [curve for curve in curves if curve[0]["gate"] == gate], x, color)
            for gate in gates
        ]
    block: alt.ConcatChart = alt.concat(*panels, columns=PANELS_ABREAST)
    return block


def _panel(
    title: str, curves: Sequence[Sequence[Row]], x: alt.X, color: alt.Color
) -> alt.LayerChart:
    """The curves of one panel: bands, lines, and the marks of the best."""
    fields = ("gate", "optimizer", "value", "best")
    rows = [
        {name: row[name] for name in fields}
        | {end: round(row[f"solve_{end}"], 4) for end in ("rate", "low", "high")}
        for curve in curves
        for row in curve
    ]
    share: dict[str, Any] = {
        "title": "solved, %",
        "scale": alt.Scale(domain=[0, 1]),
        "axis": alt.Axis(**chart_theme.FONT, format="%", tickCount=4),
    }
    data, y = chart_theme.data(rows), alt.Y("rate:Q", **share)
    band = data.mark_area(opacity=0.15, aria=False)
    line = data.mark_line(strokeWidth=1.5, aria=False)
    points = data.transform_filter("datum.best != null").mark_point(filled=True, opacity=1)
    looks = alt.Scale(domain=["best", "tied"], range=["diamond", "circle"])
    sizes = alt.Scale(domain=["best", "tied"], range=[110, 25])
    layers = (
        band.encode(x=x, y=alt.Y("low:Q", **share), y2="high:Q", color=color),
        line.encode(x=x, y=y, color=color),
        points.encode(
            x=x,
            y=y,
            color=color,
            shape=alt.Shape("best:N", scale=looks, legend=None),
            size=alt.Size("best:N", scale=sizes, legend=None),
        ),
    )
    heading = alt.Title(title, **TITLE)
    return alt.LayerChart(layer=layers, width=WIDTH, height=HEIGHT, title=heading)


def _color(field: str, lines: Sequence[str]) -> alt.Color:
    """A colour for each line; of many lines, in their order from dark to light."""
    distinct = chart_theme.COLORS[:6]  # without yellow, which is pale, and black
    few = len(lines) <= len(distinct)
    colors: dict[str, Any] = {"range": distinct[: len(lines)]} if few else {"scheme": "viridis"}
    legend = alt.Legend(
        title=None,
        labelLimit=0,
        symbolLimit=0,
        symbolType="stroke",
        symbolStrokeWidth=3,
        symbolOpacity=1,
        columns=math.ceil(len(lines) / LEGEND_ROWS),
    )
    return alt.Color(
        f"{field}:N",
        sort=lines,
        scale=alt.Scale(domain=lines, **colors),
        legend=legend if len(lines) > 1 else None,
    )


def _axis(values: Sequence[float]) -> alt.Axis:
    """Ticks at the values themselves where they are few and not on a logarithmic scale."""
    ticks: dict[str, Any] = {"tickCount": 6}
    if len(values) <= MAX_TICKS and scale(values).type != "log":
        ticks = {"values": values}
    return alt.Axis(**chart_theme.FONT, **ticks, grid=False, format="~g", labelOverlap=True)


def scale(values: Sequence[float]) -> alt.Scale:
    """A logarithmic scale where it spaces the values more evenly than a linear one.

    A 0 among such values stands on a scale that is linear up to the least of the others.

    Args:
      values: at least two, ascending.
    """
    positive = [value for value in values if value > 0]
    ends = [values[0], values[-1]]
    if values[0] < 0 or len(positive) < 2 or not _logarithmic(positive):
        return alt.Scale(type="linear", domain=ends, nice=False)
    if len(positive) == len(values):
        return alt.Scale(type="log", domain=ends, nice=False)
    return alt.Scale(type="symlog", constant=positive[0], domain=ends, nice=False)


def _logarithmic(values: Sequence[float]) -> bool:
    steps = [b - a for a, b in pairwise(values)]
    ratios = [math.log(b / a) for a, b in pairwise(values)]
    if len(steps) == 1:
        return values[1] >= 10 * values[0]
    return max(ratios) / min(ratios) < max(steps) / min(steps)
