"""The conditions of a chart, by the panels that they share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from attnlogic.errors import InputError
from attnlogic.statistics.statistic import CONDITION, SETTINGS, Row, named
from attnlogic.words import counted

if TYPE_CHECKING:
    import polars as pl

    from attnlogic.view import DotsPanel

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


Number = tuple[str, float | None, float | None, float | None]
"""A number of a row: its kind, its value, and its interval's ends."""


def dotted(found: Layout, numbers: Callable[[Row], Iterable[Number]]) -> list[DotsPanel]:
    """The panels of a chart of dots: the numbers of each row, those that exist."""
    from attnlogic.view import Dot

    return [
        (
            panel.title,
            panel.names,
            [
                Dot(row["name"], value, low, high, found.colors[row["name"]], kind)
                for row in panel.rows
                for kind, value, low, high in numbers(row)
                if value is not None
            ],
        )
        for panel in found.panels
    ]


def rate_of(row: Row, prefix: str, kind: str) -> Number:
    """A share with its interval, from the columns ``{prefix}_rate``, _low and _high."""
    return (kind, row[f"{prefix}_rate"], row[f"{prefix}_low"], row[f"{prefix}_high"])


def left_out(conditions: int, most: int) -> str:
    """What a chart of the first conditions says of the others."""
    if conditions <= most:
        return ""
    return f"The first {most} of {conditions} conditions: filter the runs to see the others."


def runs_each(counts: Iterable[int]) -> str:
    """How many runs the conditions have.

    Example:
      >>> runs_each([1000, 1000]), runs_each([5, 1000])
      ('n = 1,000 runs each', 'n = 5 to 1,000 runs')
    """
    each = [*counts]
    low, high = min(each), max(each)
    if len(each) == 1:
        return f"n = {counted(low, 'run')}"
    return f"n = {low:,} runs each" if low == high else f"n = {low:,} to {high:,} runs"
