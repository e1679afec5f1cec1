"""Dots with intervals: a row for each condition, a dot for each of its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import altair as alt

from attnlogic.view.chart_theme import COLUMN, FONT, INK, data, mark_legend, panel_title

ROW, LATER_ROW = 20, 11
"""Pixels of a row with one number, and of each further number."""

MAX_LABEL = 190
"""Pixels of a row's name, at most; what is longer is cut."""

SHAPES = ("circle", "diamond", "square", "triangle-up")
"""Of the first, second, … number of a row."""


class Dot(NamedTuple):
    """A number with its interval.

    Attributes:
      row: the name of its row.
      value: the number.
      low, high: its interval's ends; None where there is none.
      color: of dot and interval.
      kind: which of a row's numbers it is.
    """

    row: str
    value: float
    low: float | None
    high: float | None
    color: str
    kind: str = ""


DotsPanel = tuple[str, Sequence[str], Sequence[Dot]]
"""A panel's title, the names of its rows in order, and its dots."""


def label_width(names: Sequence[str]) -> int:
    """Pixels that the longest of some rows' names takes."""
    return min(MAX_LABEL, 12 + 7 * max(len(name) for name in names))


def row_axis(names: Sequence[str]) -> alt.Y:
    """A vertical axis with a row for each name; its field is ``row``."""
    axis = alt.Axis(
        **FONT, labelLimit=MAX_LABEL, labelPadding=8, ticks=False, domain=False, grid=False
    )
    scale = alt.Scale(domain=[*names])
    return alt.Y("row:N", sort=[*names], title=None, axis=axis, scale=scale)


def dots_chart(
    panels: Sequence[DotsPanel],
    x: Any,
    kinds: Sequence[str] = ("",),
    rule: float | None = None,
) -> alt.VConcatChart:
    """Panels of dots with intervals, one below the other.

    Args:
      panels: from top to bottom.
      x: the axis, made for the field ``value``.
      kinds: what the numbers of a row are, in order; more than one has a legend.
      rule: a value that is marked by a vertical line.

    Returns:
      The panels; the caption is for whoever calls it.
    """
    every = [name for _, names, _ in panels for name in names]
    width = COLUMN - label_width(every) - 20
    axes = [*(_without_title(x) for _ in panels[1:]), x]
    drawn = [
        _panel(*panel, axis, kinds, rule).properties(width=width)
        for panel, axis in zip(panels, axes, strict=True)
    ]
    return alt.vconcat(*drawn, spacing=12)


def _without_title(x: Any) -> Any:
    bare = x.copy()
    bare.title = None
    return bare


def _panel(
    title: str,
    names: Sequence[str],
    dots: Sequence[Dot],
    x: Any,
    kinds: Sequence[str],
    rule: float | None,
) -> alt.LayerChart:
    rows = [dot._asdict() for dot in dots]
    shared: dict[str, Any] = {
        "y": row_axis(names),
        "color": alt.Color("color:N", scale=None, legend=None),
    }
    points: dict[str, Any] = {}
    if len(kinds) > 1:
        shapes = alt.Scale(domain=[*kinds], range=[*SHAPES[: len(kinds)]])
        points["shape"] = alt.Shape("kind:N", scale=shapes, legend=mark_legend())
        shared["yOffset"] = alt.YOffset("kind:N", scale=alt.Scale(domain=[*kinds]))
    spans = [row for row in rows if row["low"] is not None and row["high"] is not None]
    low = x.copy()
    low.shorthand = "low:Q"
    layers = [
        data(spans).mark_rule(strokeWidth=2, opacity=0.65).encode(x=low, x2="high:Q", **shared),
        data(rows).mark_point(filled=True, size=45, opacity=1).encode(x=x, **shared, **points),
    ]
    if rule is not None:
        line = data([{"value": rule}]).mark_rule(color=INK, strokeDash=[4, 3]).encode(x=x)
        layers.insert(0, line)
    height = len(names) * (ROW + LATER_ROW * (len(kinds) - 1))
    return alt.LayerChart(layer=layers, height=height, title=panel_title(title))
