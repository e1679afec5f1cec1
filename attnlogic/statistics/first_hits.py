"""Quartiles of the first hit over all runs: their columns, their values, their cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnlogic.statistics.statistic import Column, Row

if TYPE_CHECKING:
    from attnlogic.results import Population

_QUARTILES = {"first_hit_q25": 0.25, "first_hit_median": 0.5, "first_hit_q75": 0.75}

FIRST_HIT = tuple(
    Column(name, int, "epochs", f"the first hit that a share {q} of all runs do not exceed")
    for name, q in _QUARTILES.items()
)
"""The columns of ``first_hit``. A run that never hit counts as later than every other."""


def first_hit(some: Population) -> Row:
    """The values of the columns; None where too few runs hit."""
    hits = some.of("first_hit", "reached")
    return {name: hits.quantile(q, of=some.runs) for name, q in _QUARTILES.items()}


def first_hit_cell(row: Row) -> str:
    """The median with the quartiles: ``1,234 (150–never)``."""
    low, median, high = ("never" if row[name] is None else f"{row[name]:,}" for name in _QUARTILES)
    return "never" if low == "never" else f"{median} ({low}–{high})"
