"""The columns of tables of counts: of a tally, and of a census' parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from attnlogic.results.rows.run_columns import CONDITION

COUNTS: dict[str, Any] = {
    **CONDITION, "group": pl.String, "quantity": pl.String, "bin": pl.Float64, "word": pl.String,
    "count": pl.Int64, "total": pl.Float64, "squares": pl.Float64,
}  # fmt: skip
"""The columns of a table of counts: how many runs of a group have a quantity in a bin.

``bin`` is the edge that is nearer to 0; of a quantity that is no number, ``word`` is the value. The
row that has neither counts the runs without a value. It is there, with a count of 0 if need be,
wherever the quantity is known: a quantity without any row is not known of the condition's runs.
"""

OF_A_VALUE = {name: kind for name, kind in COUNTS.items() if name not in CONDITION}

ENTRY = [*COUNTS][:-3]
"""The columns that tell one count from another."""

OF_A_COUNT: dict[str, Any] = {"condition": pl.UInt32, **OF_A_VALUE}
"""The columns of a count in a census: ``condition`` is the number of the condition."""


def census_schema(of_runs: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a census' part with their types.

    Args:
      of_runs: those of ``run_schema``.
    """
    fields = {name: kind for name, kind in of_runs.items() if name != "condition"}
    return OF_A_COUNT | {"run": pl.Struct(fields)}
