"""First hits of the threshold: the share of runs that have hit by each epoch, with its band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np

from attnlogic.errors import InputError
from attnlogic.statistics.intervals import wilson
from attnlogic.statistics.panels import KEY, Panel, layout, runs_each
from attnlogic.statistics.rates import in_percent
from attnlogic.view import chart_theme

if TYPE_CHECKING:
    import polars as pl

    from attnlogic.results import Population

POINTS = 60
"""Points of a curve, at most; evenly spaced in the logarithm of the epoch."""

MAX_CURVES = 24
"""Conditions that are drawn, at most."""

HEIGHT = 150
"""Of a panel, in pixels."""


def draw(frame: pl.DataFrame, given: Sequence[Population], options: Mapping[str, Any]) -> Any:
    """The empirical distribution of the first hit with a pointwise band, for each condition.

    Every run is observed up to its budget, so that the share at an epoch is a plain proportion of
    all runs; a run that ends earlier without a hit never hits.

    Raises:
      InputError: no run hit.
    """
    if not any(some.reached for some in given):
        raise InputError("nothing to draw: no run reached the threshold")
    panels, colors, note = layout(frame, MAX_CURVES)
    by_key = {tuple(some.key[name] for name in KEY): some for some in given}
    last = max(some.key["epochs"] for some in given)
    width = 400 if len(panels) == 1 else 165
    drawn = [_panel(panel, by_key, colors, last, options["level"], width) for panel in panels]
    return alt.concat(*drawn, columns=2, spacing=14).properties(
        title=chart_theme.heading(
            "When runs first hit",
            "The share of runs whose loss has been at or below the threshold, by epoch; runs that "
            f"never hit count, too. Bands: pointwise {in_percent(options['level'])} intervals "
            f"(Wilson); {runs_each(frame['runs'])}.",
            note,
        )
    )


def _panel(
    panel: Panel,
    populations: Mapping[tuple[Any, ...], Population],
    colors: Mapping[str, str],
    last: int,
    level: float,
    width: int,
) -> Any:
    rows = [
        {"name": row["name"], **point}
        for row in panel.rows
        for point in curve(populations[tuple(row[name] for name in KEY)], level)
    ]
    axis = alt.Axis(**chart_theme.FONT, grid=False, format="~s", values=[10**k for k in range(10)])
    x = alt.X("epoch:Q", title="epoch", axis=axis,
              scale=alt.Scale(type="log", domain=[1, last], nice=False))  # fmt: skip
    color = chart_theme.colors("name", colors, chart_theme.line_legend(colors))
    data = chart_theme.data(rows)
    low, middle = (chart_theme.percent_axis(end, "runs that have hit, %")
                   for end in ("low", "share"))  # fmt: skip
    band = data.mark_area(interpolate="step-after", opacity=0.2, aria=False)
    line = data.mark_line(interpolate="step-after", strokeWidth=1.5, aria=False)
    return alt.LayerChart(
        layer=[
            band.encode(x=x, y=low, y2="high:Q", color=color),
            line.encode(x=x, y=middle, color=color),
        ],
        width=width,
        height=HEIGHT,
        title=chart_theme.panel_title(panel.title),
    )


def curve(some: Population, level: float) -> list[dict[str, float]]:
    """The points of a condition's curve: epoch, share, and the ends of its interval.

    A log axis has no epoch 0: what hits there stands at 1.
    """
    hits, last = some.of("first_hit", "reached"), int(some.key["epochs"]) - 1
    first = int(hits.values[0]) if hits.n else last
    grid = np.geomspace(first + 1, last + 1, POINTS).astype(np.int64) - 1
    epochs = np.unique(np.append([0, first], grid))
    reached = np.append(0, hits.counts.cumsum())
    count = reached[np.searchsorted(hits.values, epochs, side="right")]
    points = []
    for epoch, n in zip(epochs, count, strict=True):
        low, high = wilson(int(n), some.runs, level) or (0.0, 1.0)
        ends = {"share": n / some.runs, "low": low, "high": high}
        rounded = {name: round(float(value), 4) for name, value in ends.items()}
        points.append({"epoch": max(int(epoch), 1), **rounded})
    return points
