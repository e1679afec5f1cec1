"""Where runs end: shares of each condition, stacked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import altair as alt

from attnlogic.statistics.panels import Panel, layout, runs_each
from attnlogic.view import ENDING_COLORS, chart_theme, label_width, row_axis

if TYPE_CHECKING:
    import polars as pl

ROW = 20
"""Pixels of a condition."""


def draw(frame: pl.DataFrame, given: Sequence[Any], options: Mapping[str, Any]) -> alt.VConcatChart:
    """The share of runs that ended at each place, from the solution to divergence."""
    panels, _, note = layout(frame)
    seen = {name: color for name, color in ENDING_COLORS.items() if frame[name].sum()}
    width = chart_theme.COLUMN - label_width([n for p in panels for n in p.names]) - 20
    bars = [_panel(panel, seen, width, panel is panels[-1]) for panel in panels]
    return alt.vconcat(*bars, spacing=12).properties(
        title=chart_theme.heading(
            "Where runs end",
            f"Shares of the runs; {runs_each(frame['runs'])}. What the places mean: see "
            "attnlogic endings.",
            note,
        )
    )


def _panel(panel: Panel, seen: Mapping[str, str], width: int, last: bool) -> Any:
    rows = []
    for row in panel.rows:
        before = 0
        for name in seen:
            if row[name]:
                span = {"from": before / row["runs"], "to": (before + row[name]) / row["runs"]}
                rows.append({"row": row["name"], "ending": name, **span})
            before += row[name]
    x = chart_theme.percent_axis("from", "runs, %", alt.X)
    x.title = "runs, %" if last else None
    legend = alt.Legend(title=None, orient="bottom", columns=5, labelFontSize=12)
    return (
        chart_theme.data(rows)
        .mark_bar(size=ROW - 5)
        .encode(
            x=x,
            x2="to:Q",
            y=row_axis(panel.names),
            color=chart_theme.colors("ending", seen, legend),
        )
        .properties(
            width=width,
            height=ROW * len(panel.names),
            title=chart_theme.panel_title(panel.title),
        )
    )
