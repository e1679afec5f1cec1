"""The conditions of a chart, by the panels that they share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from attnlogic.errors import InputError
from attnlogic.statistics.statistic import CONDITION, SETTINGS, Row, named

if TYPE_CHECKING:
    import polars as pl

KEY = tuple(column.name for column in (*CONDITION, *SETTINGS))
"""The columns that tell one condition from another."""

MAX_ROWS = 60
"""Conditions of a chart with a row for each, at most."""

MAX_PANELS = 12
"""Conditions of a chart with a panel for each, at most."""


class Panel(NamedTuple):
    """What shares a panel: one gate under several optimizers, or the reverse.

    Attributes:
      title: the gate, or the optimizer where all have the same.
      names: of its conditions: the optimizers, or the gates; in order.
      rows: of the statistic's frame, each with its condition's name as ``"name"``.
    """

    title: str
    names: list[str]
    rows: list[Row]


class Layout(NamedTuple):
    """The panels of a chart, the colour of each optimizer, and what the chart leaves out.

    Attributes:
      panels: in the order of the study's conditions.
      colors: of every condition's name.
      note: a sentence; empty where nothing is left out.
    """

    panels: list[Panel]
    colors: dict[str, str]
    note: str


def layout(frame: pl.DataFrame, most: int = MAX_ROWS) -> Layout:
    """The rows of a statistic's frame by panels: one for each gate, or one for all gates.

    Args:
      frame: with the columns of a condition, and a row or several for each.
      most: how many conditions are drawn; of more the first.

    Raises:
      InputError: the frame has no rows.
    """
    from attnlogic.view import optimizer_colors

    if frame.is_empty():
        raise InputError("nothing to draw: there are no runs of which this can be said")
    names = named(frame)[0]["optimizer"].to_list()
    colors = optimizer_colors(names)
    keys = frame.select(KEY).rows()
    drawn = {*[*dict.fromkeys(keys)][:most]}
    by_gate = len(colors) == 1
    found: dict[str, list[Row]] = {}
    for row, name, key in zip(frame.iter_rows(named=True), names, keys, strict=True):
        if key in drawn:
            title, label = (name, row["gate"]) if by_gate else (row["gate"], name)
            found.setdefault(title, []).append({**row, "name": label})
    panels = [
        Panel(title, [*dict.fromkeys(row["name"] for row in rows)], rows)
        for title, rows in found.items()
    ]
    if by_gate:
        colors = dict.fromkeys(panels[0].names, *colors.values())
    return Layout(panels, colors, left_out(len({*keys}), most))


def left_out(conditions: int, most: int) -> str:
    """What a chart of the first conditions says of the others."""
    if conditions <= most:
        return ""
    return f"The first {most} of {conditions} conditions: filter the runs to see the others."


def runs_each(counts: Sequence[Any]) -> str:
    """How many runs the conditions have: ``"n = 1,000 runs each"``."""
    low, high = min(counts), max(counts)
    if len(counts) == 1:
        return f"n = {low:,} runs"
    return f"n = {low:,} runs each" if low == high else f"n = {low:,} to {high:,} runs"
