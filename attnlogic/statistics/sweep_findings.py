"""What a sweep found, in words: a sentence for each curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attnlogic.statistics.statistic import CONDITION, SETTINGS, Row
from attnlogic.view import numbers

if TYPE_CHECKING:
    import polars as pl


def curves_of(frame: pl.DataFrame) -> list[list[Row]]:
    """The rows of each curve."""
    names = [column.name for column in (*CONDITION, *SETTINGS)]
    parts = frame.partition_by(*names, "setting", maintain_order=True)
    return [[*part.iter_rows(named=True)] for part in parts if len(part)]


def number(value: float) -> str:
    """A value of a setting in full, as one would write it on a command line.

    Example:
      >>> number(0.1), number(2.0), number(0.00021544346900318837)
      ('0.1', '2', '0.00021544346900318837')
    """
    return f"{value:g}" if float(f"{value:g}") == value else str(value)


def finding(curve: Sequence[Row], by: str) -> str:
    """Which value of a curve is best, which others may be, and whether to sweep further.

    Args:
      curve: its rows, in the order of their values.
      by: ``"solve"``, ``"reach"`` or ``"ert"``: what the best is best in.
    """
    first = curve[0]
    name, setting = f"{first['gate']} · {first['optimizer']}", first["setting"]
    best = next((row for row in curve if row["best"] == "best"), None)
    if best is None:
        nothing = "solved" if by == "solve" else "reached the threshold in"
        return f"{name}: no {setting} {nothing} any run"
    among = [row for row in curve if row["best"]]
    low, high = (f"{row['value']:.4g}" for row in (among[0], among[-1]))
    span = f" ({low} … {high})" if len(among) > 1 else ""
    found = f"{name}: best {setting} {best['value']:.4g}{span}, {_success(best, by)}"
    if len(among) == len(curve):
        return f"{found}; no value is significantly worse: train more seeds"
    if best["edge"]:
        return f"{found}; at the edge of the range: sweep further {_WAYS[best['edge']]}"
    ways = [_WAYS[row["edge"]] for row in among if row["edge"]]
    if ways:
        return f"{found}; tied up to the edge of the range: sweep further {' and '.join(ways)}"
    return found


_WAYS = {"low": "down", "high": "up"}


def _success(row: Row, by: str) -> str:
    if by == "ert":
        return f"ERT {row['ert']:,.0f} epochs"
    word, share = ("solved", "solve_rate") if by == "solve" else ("reached", "reach_rate")
    return f"{numbers.percent(row[share])} % {word}"
