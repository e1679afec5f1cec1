"""How often runs reach the threshold and end there: shares with intervals, a row a condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import altair as alt

from attnlogic.statistics.panels import dotted, layout, rate_of, runs_each
from attnlogic.statistics.rates import in_percent
from attnlogic.view import chart_theme, dots_chart

if TYPE_CHECKING:
    import polars as pl

RATES = {"reached": "reach", "solved": "solve"}
"""What is drawn -> the prefix of its columns."""


def draw(frame: pl.DataFrame, given: Sequence[Any], options: Mapping[str, Any]) -> alt.VConcatChart:
    """The shares of runs that reached the threshold, and that ended solved."""
    found = layout(frame)
    drawn = dotted(found, lambda row: [rate_of(row, of, kind) for kind, of in RATES.items()])
    x = chart_theme.percent_axis("value", "runs, %", alt.X)
    return dots_chart(drawn, x, [*RATES]).properties(
        title=chart_theme.heading(
            "How often runs reach the threshold, and end there",
            f"Reached: the loss was ever at most {_thresholds(frame)}; solved: it ended there.",
            f"{runs_each(frame['runs'])}, {in_percent(options['level'])} intervals.",
            found.note,
        )
    )


def _thresholds(frame: pl.DataFrame) -> str:
    values = frame["threshold"].unique().to_list()
    return f"{values[0]:g}" if len(values) == 1 else "the threshold"
