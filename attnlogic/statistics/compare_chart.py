"""Which optimizer is better, seed by seed: differences of the rates of success."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import altair as alt
import polars as pl

from attnlogic.errors import InputError
from attnlogic.statistics.panels import MAX_ROWS, runs_each
from attnlogic.statistics.rates import in_percent
from attnlogic.view import Dot, chart_theme, dots_chart, optimizer_colors

if TYPE_CHECKING:
    from attnlogic.statistics.statistic import Row

KINDS = ("reached", "solved")


def draw(frame: pl.DataFrame, given: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """The rate of a minus that of b with its interval, for every two conditions of a gate.

    Raises:
      InputError: there is nothing to compare.
    """
    rows = frame.filter(pl.col("measure").is_in(KINDS))
    if rows.is_empty():
        raise InputError("nothing to draw: no two conditions have a seed in common")
    colors = optimizer_colors([name for pair in rows.select("a", "b").rows() for name in pair])
    error = 1 - options["level"]
    panels: list[tuple[str, list[str], list[Dot]]] = []
    pairs = 0
    for gate in rows["gate"].unique(maintain_order=True):
        of_gate = [*rows.filter(pl.col("gate") == gate).iter_rows(named=True)]
        names = [*dict.fromkeys(_name(row) for row in of_gate)][: max(0, MAX_ROWS - pairs)]
        pairs += len({_name(row) for row in of_gate})
        dots = [_dot(row, colors, error) for row in of_gate if _name(row) in names]
        if names:
            panels.append((gate, names, dots))
    ends = [
        end
        for _, _, dots in panels
        for dot in dots
        for end in (dot.low, dot.high)
        if end is not None
    ]
    axis = alt.Axis(**chart_theme.FONT, format="+.0%", tickCount=5, labelFlush=False)
    scale = alt.Scale(domain=[min(ends), max(ends)], nice=True)
    x = alt.X("value:Q", title="difference of the rates, %", axis=axis, scale=scale)
    return dots_chart(panels, x, KINDS, rule=0).properties(
        title=chart_theme.heading(
            "Which optimizer is better, seed by seed?",
            "The first one's rate minus the second's, on the same seeds, with "
            f"{in_percent(options['level'])} intervals (Bonett and Price). In the colour of the "
            f"better one where p ≤ {error:.3g} (McNemar's test, Holm's adjustment), else grey; "
            f"{runs_each(frame['pairs'])}.".replace("runs", "pairs"),
            f"The first {MAX_ROWS} of {pairs} pairs." if pairs > MAX_ROWS else "",
        )
    )


def _name(row: Row) -> str:
    return f"{row['a']} − {row['b']}"


def _dot(row: Row, colors: Mapping[str, str], error: float) -> Dot:
    better = row["a"] if row["difference"] > 0 else row["b"]
    color = colors[better] if row["p_holm"] <= error else chart_theme.INK
    return Dot(_name(row), row["difference"], row["low"], row["high"], color, row["measure"])
