"""The picture of a sweep: success against the setting, a line for each curve."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import altair as alt
import polars as pl

from attnlogic.errors import InputError
from attnlogic.statistics.panels import runs_each
from attnlogic.statistics.rates import in_percent
from attnlogic.statistics.statistic import Row, named
from attnlogic.statistics.sweep_findings import curves_of
from attnlogic.view import chart_theme, optimizer_colors

HEIGHT = 150
"""Of a panel, in pixels."""

PANELS_ABREAST = 2

MAX_TICKS = 8
"""Values that each have a tick of their own, at most, on an axis that is not logarithmic."""

TITLES = {
    "solve": "Solved runs against the swept setting",
    "reach": "Runs that reached the threshold, against the swept setting",
    "ert": "What a hit costs, against the swept setting",
}
_VALUE = {"solve": "solve_rate", "reach": "reach_rate", "ert": "ert"}


def draw(frame: pl.DataFrame, given: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Success with its interval against each swept setting; the best values are marked."""
    by = str(options["by"])
    marks = "Diamond: the best value; dots: those that are not significantly worse."
    return picture(frame, by, options, marks)


def picture(
    frame: pl.DataFrame, measure: str, options: Mapping[str, Any], marks: str = ""
) -> alt.VConcatChart:
    """A number with its interval against each swept setting.

    If the curves of a setting differ in nothing but the gate, they share a panel; otherwise each
    gate has a panel of its own. The axis is logarithmic where that spaces the values more evenly.

    Args:
      frame: of the statistic ``sweep``.
      measure: one of ``TITLES``.
      options: of the statistic.
      marks: the sentence that explains the marks of the best values; without it there are none.

    Raises:
      InputError: no run of any value has that number.
    """
    if frame[_VALUE[measure]].is_null().all():
        raise InputError("nothing to draw: no run of the sweep reached the threshold")
    parts = curves_of(named(frame)[0])
    blocks = [
        _block(setting, [part for part in parts if part[0]["setting"] == setting], measure, marks)
        for setting in dict.fromkeys(part[0]["setting"] for part in parts)
    ]
    costs = "ERT: the epochs of all runs up to their hit, per hit." if measure == "ert" else ""
    title = chart_theme.heading(
        TITLES[measure],
        costs,
        f"Bands: {in_percent(options['level'])} intervals; {runs_each(frame['runs'])}.",
        marks,
    )
    apart: alt.VConcatChart = alt.vconcat(*blocks, title=title).resolve_scale(color="independent")
    return apart


def _block(setting: str, curves: Sequence[Sequence[Row]], measure: str, marks: str) -> Any:
    """The panels of one setting."""
    gates = [*dict.fromkeys(curve[0]["gate"] for curve in curves)]
    names = [*dict.fromkeys(curve[0]["optimizer"] for curve in curves)]
    by_gate = len(names) == 1
    values = sorted({row["value"] for curve in curves for row in curve})
    x = alt.X("value:Q", title=setting, axis=_axis(values), scale=scale(values))
    lines = gates if by_gate else names
    color = chart_theme.colors(
        "gate" if by_gate else "optimizer",
        optimizer_colors(lines),
        chart_theme.line_legend(lines),
    )
    together = {names[0]: curves} if by_gate else {
        gate: [curve for curve in curves if curve[0]["gate"] == gate] for gate in gates
    }  # fmt: skip
    every = [row for curve in curves for row in curve]
    y = _share_axis(measure) if measure != "ert" else _ert_axis(every)
    width = 400 if len(together) == 1 else 165
    panels = [
        _panel(title, some, x, y, color, measure, marks).properties(width=width)
        for title, some in together.items()
    ]
    return alt.concat(*panels, columns=PANELS_ABREAST, spacing=14)


def _share_axis(measure: str) -> alt.Y:
    word = {"solve": "solved, %", "reach": "reached, %"}[measure]
    axis: alt.Y = chart_theme.percent_axis("middle", word)
    return axis


def _ert_axis(rows: Sequence[Row]) -> alt.Y:
    ends = ("ert", "ert_low", "ert_high")
    found = [row[end] for row in rows for end in ends if row[end]]
    powers = chart_theme.decades([math.log10(value) for value in found])
    axis: alt.Y = chart_theme.log_axis("middle", powers, "ERT, epochs", most=6)
    return axis


def _panel(
    title: str,
    curves: Sequence[Sequence[Row]],
    x: alt.X,
    y: alt.Y,
    color: alt.Color,
    measure: str,
    marks: str,
) -> alt.LayerChart:
    """The curves of one panel: bands, lines, and the marks of the best."""
    ends = {"middle": _VALUE[measure], "low": f"{measure}_low", "high": f"{measure}_high"}
    rows = [
        {name: row[name] for name in ("gate", "optimizer", "value", "best")}
        | {end: None if row[name] is None else float(f"{row[name]:.4g}")
           for end, name in ends.items()}
        for curve in curves
        for row in curve
    ]  # fmt: skip
    data, low = chart_theme.data(rows), y.copy()
    low.shorthand = "low:Q"
    layers = [
        data.mark_area(opacity=0.2, aria=False).encode(x=x, y=low, y2="high:Q", color=color),
        data.mark_line(strokeWidth=1.5, aria=False).encode(x=x, y=y, color=color),
    ]
    if marks:
        looks = alt.Scale(domain=["best", "tied"], range=["diamond", "circle"])
        sizes = alt.Scale(domain=["best", "tied"], range=[110, 25])
        points = data.transform_filter("datum.best != null").mark_point(filled=True, opacity=1)
        layers.append(points.encode(
            x=x, y=y, color=color,
            shape=alt.Shape("best:N", scale=looks, legend=None),
            size=alt.Size("best:N", scale=sizes, legend=None),
        ))  # fmt: skip
    return alt.LayerChart(layer=layers, height=HEIGHT, title=chart_theme.panel_title(title))


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
