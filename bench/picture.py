"""The picture of what training costs as the work grows."""

from __future__ import annotations

from statistics import median
from typing import Any

import altair as alt

from bench.growth import ATTNLOGIC, AXES, COUNTED, OWN, PEER, PEER_OWN
from bench.work import MIB

Row = dict[str, Any]
COLUMNS = {"ns a seed-epoch": 1.0, "s to compile": 0.1, "peak memory, MiB": 200.0}
"""What a panel shows, and the least number that its axis has."""

TICKS = [m * 10.0**n for n in range(-1, 7) for m in (1, 2, 3, 5)]

WAYS = {
    ATTNLOGIC: "#0072b2", COUNTED: "#56b4e9", OWN: "#009e73", PEER: "#d55e00", PEER_OWN: "#e69f00",
}  # fmt: skip
"""Okabe and Ito's colours, which the colour-blind can tell apart."""


def chart(measured: dict[str, list[Row]]) -> Any:
    """A row of panels for each axis: time, compilation and memory, a line for each way to train.

    Args:
      measured: the points of each axis.
    """
    rows = [
        alt.hconcat(*(_panel(measured[name], name, what) for what in COLUMNS))
        for name in AXES
        if name in measured
    ]
    return alt.vconcat(*rows).configure_axis(
        labelFontSize=12, titleFontSize=13, titleFontWeight="normal"
    )


def value(row: Row, what: str) -> float | None:
    """What a panel shows of a point; None where it was not measured."""
    seconds = median(row["seconds"])
    if what == "ns a seed-epoch":
        return float(1e9 * seconds / (row["seeds"] * row["epochs"] * row["conditions"]))
    if what == "s to compile":  # a census was compiled with fewer seeds
        return None if row["way"] == COUNTED else max(0.1, float(row["first_seconds"] - seconds))
    return float(row["peak_bytes"] / MIB)


def _panel(rows: list[Row], x: str, what: str) -> Any:
    points = [
        {"x": row[x], "y": y, "way": row["way"]}
        for row in rows
        if (y := value(row, what)) is not None
    ]
    log = alt.Scale(type="log", nice=False, padding=8)
    from_least = alt.Scale(type="log", domainMin=COLUMNS[what])
    ticks = sorted({row[x] for row in rows})
    across = alt.Axis(format="~s", values=ticks, grid=False, labelOverlap=True)
    up = alt.Axis(format="~g", values=TICKS)
    legend = alt.Legend(orient="top", columns=3, labelFontSize=12, labelLimit=0)
    colors = alt.Scale(domain=[*WAYS], range=[*WAYS.values()])
    return (
        alt.Chart(alt.InlineData(values=points), width=210, height=150)
        .mark_line(point=True)
        .encode(
            alt.X("x:Q", scale=log, title=x, axis=across),
            alt.Y("y:Q", scale=from_least, title=what, axis=up),
            alt.Color("way:N", scale=colors, title=None, legend=legend),
        )
    )
