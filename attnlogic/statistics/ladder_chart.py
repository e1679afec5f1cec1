"""First hits of each of ten losses: a panel a condition, a curve a loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import altair as alt
import polars as pl

from attnlogic.errors import InputError
from attnlogic.outcomes import rung_name
from attnlogic.statistics.ladder import curves_of
from attnlogic.statistics.panels import KEY, MAX_PANELS, layout, runs_each
from attnlogic.statistics.rates import in_percent
from attnlogic.view import chart_theme

if TYPE_CHECKING:
    from attnlogic.results import Population

CURVE_POINTS = 30
"""Points of each curve, at most."""

WIDTH, HEIGHT = 170, 110
"""Of a panel, in pixels."""


def draw(frame: pl.DataFrame, given: Sequence[Population], options: Mapping[str, Any]) -> Any:
    """The share of runs that got at or below each loss, against the epoch.

    Raises:
      InputError: no run got to any of the losses.
    """
    curves = curves_of(given, CURVE_POINTS)
    if curves.is_empty():
        raise InputError("nothing to draw: no run got to any of the ladder's losses")
    panels, _, note = layout(frame, MAX_PANELS)
    losses = sorted(map(rung_name, curves["loss"].unique()), key=float, reverse=True)
    last = curves["epoch"].max()
    rows = [
        (f"{panel.title} · {name}", next(row for row in panel.rows if row["name"] == name))
        for panel in panels
        for name in panel.names
    ]
    drawn = [
        _panel(title, _points(curves, row), losses, last, place >= len(rows) - 2)
        for place, (title, row) in enumerate(rows)
    ]
    half = max((row["reach_high"] - row["reach_low"]) / 2 for row in frame.iter_rows(named=True))
    return alt.concat(*drawn, columns=2, spacing=14).properties(
        title=chart_theme.heading(
            "How deep runs get, and when",
            "The share of runs whose loss was ever at most each of ten losses, by epoch; a run "
            f"that never gets there counts, too. {runs_each(frame['runs'])}; "
            f"{in_percent(options['level'])} intervals of the final shares reach "
            f"±{100 * half:.1f} points at most.",
            note,
        )
    )


def _points(curves: pl.DataFrame, of: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The points of one condition's curves; a log axis has no epoch 0."""
    own = curves.filter(pl.col(name).eq_missing(pl.lit(of[name])) for name in KEY).select(
        loss=pl.col("loss").map_elements(rung_name, pl.String),
        epoch=pl.max_horizontal("epoch", 1),
        share=pl.col("share").round(4),
    )
    # A step that is lower than a pixel cannot be seen; a curve's last point can.
    step = (pl.col("share") * HEIGHT).round().diff().fill_null(1).over("loss")
    last = pl.col("epoch") == pl.col("epoch").max().over("loss")
    return own.filter((step != 0) | last).to_dicts()


def _panel(
    title: str, points: list[dict[str, Any]], losses: list[str], last: Any, lowest: bool
) -> Any:
    powers = [10**k for k in range(10)]
    axis = alt.Axis(**chart_theme.FONT, format="~s", values=powers, grid=False)
    scale = alt.Scale(type="log", domain=[1, last], nice=False)
    legend = alt.Legend(
        title="loss ≤", orient="bottom", columns=5, symbolType="stroke", symbolStrokeWidth=3
    )
    color = alt.Scale(domain=losses, scheme=chart_theme.SHADES)
    return (
        chart_theme.data(points)
        .mark_line(interpolate="step-after", strokeWidth=1.5, aria=False)
        .encode(
            x=alt.X("epoch:Q", title="epoch" if lowest else None, axis=axis, scale=scale),
            y=chart_theme.percent_axis("share", "runs, %", values=[0, 0.5, 1]),
            color=alt.Color("loss:N", sort=losses, legend=legend, scale=color),
        )
        .properties(width=WIDTH, height=HEIGHT, title=chart_theme.panel_title(title))
    )
