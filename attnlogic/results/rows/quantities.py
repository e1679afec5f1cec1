"""What statistics read of a run: each quantity once, as an expression over the row's columns."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import polars as pl

from attnlogic.outcomes import NUMBERS, RUNGS, STATUSES, own_numbers
from attnlogic.problems import SIGNS
from attnlogic.results.rows.endings import ending
from attnlogic.results.rows.known import Known
from attnlogic.results.rows.run_columns import NOTEBOOK
from attnlogic.theory import ENDINGS

GROUPS: dict[str, pl.Expr] = {
    "all": pl.lit(True),
    "reached": pl.col("first_hit").is_not_null(),
    "missed": pl.col("first_hit").is_null(),
    "solved": pl.col("status") == "solved",
    "failed": pl.col("status") != "solved",
    **{f"missed_{rung}": pl.col(rung).is_null() for rung in RUNGS},
}
"""Groups of runs; ``missed_first_hit_1e-4`` are the runs whose loss was never ≤ 1e-4."""


class Quantity(NamedTuple):
    """A number that each run has, or lacks.

    Attributes:
      meaning: one line for a person, with the unit.
      over: the groups of runs (see ``GROUPS``) over which its distribution can be had: exactly from
        rows, binned from a tally.
      expression: its values for rows of which theory knows that, or nothing; null where a run
        has none.
      needs: the columns of a model's own that it is computed from: where a condition has not all
        of them, the quantity is not known of its runs.
      words: what it can be, if it is no number: its values are places in this list.
    """

    meaning: str
    over: tuple[str, ...]
    expression: Callable[[Known | None], pl.Expr]
    needs: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


def _column(name: str, of: Known | None) -> pl.Expr:
    return pl.col(name)


def _signs(of: Known | None) -> pl.Expr:
    negative = [(pl.col(name) < 0).cast(pl.Int64) for name in ("wq", "wk", "wv")]
    return 4 * negative[0] + 2 * negative[1] + negative[2]


def _distance(of: Known | None) -> pl.Expr:
    exact = None if of is None else of.C
    return _double("C") - (exact or 0.0)


def _drift(a: str, b: str, of: Known | None) -> pl.Expr:
    end, start = (_double(a + at) ** 2 - _double(b + at) ** 2 for at in ("", "_initial"))
    return (end - start).abs()


def _double(name: str) -> pl.Expr:
    """A column in float64: differences of float32 numbers lose digits."""
    return pl.col(name).cast(pl.Float64)


QUANTITIES: dict[str, Quantity] = {
    **{
        name: Quantity(number.meaning, number.over, partial(_column, name))
        for name, number in NUMBERS.items()
    },
    **{
        name: Quantity(number.meaning, number.over, partial(_column, name), (name,))
        for name, number in own_numbers(NOTEBOOK.quantities).items()
    },
    "status": Quantity(
        "the status, as its place in STATUSES",
        ("all",),
        lambda _: pl.col("status").to_physical(),
        words=STATUSES,
    ),
    "ending": Quantity(
        "where the run ended, as a place in ENDINGS",
        ("all",),
        lambda of: ending(of).to_physical(),
        words=ENDINGS,
    ),
    "end": Quantity(
        "epochs until the budget, the optimizer's rule or a loss that is not finite ended the run",
        ("missed", *(f"missed_{rung}" for rung in RUNGS)),
        lambda _: pl.min_horizontal("stopped_at", "diverged_at", "epochs"),
    ),
    "settling": Quantity(
        "sustained_from − first_hit, in epochs",
        ("reached",),
        lambda _: pl.col("sustained_from") - pl.col("first_hit"),
    ),
    "signs": Quantity(
        "the signs of wq, wk, wv, as a place in SIGNS",
        ("solved",),
        _signs,
        ("wq", "wk", "wv"),
        SIGNS,
    ),
    "C_off": Quantity(
        "C − C*; C itself where any C solves the gate, or none is known",
        ("solved",),
        _distance,
        ("C",),
    ),
    "apart": Quantity(
        "w1 − w2", ("solved",), lambda _: _double("w1") - _double("w2"), ("w1", "w2")
    ),
    "drift_qk": Quantity(
        "how much wq² − wk² changed, in magnitude",
        ("solved",),
        partial(_drift, "wq", "wk"),
        ("wq", "wk"),
    ),
    "drift_kv": Quantity(
        "how much wk² − wv² changed, in magnitude",
        ("solved",),
        partial(_drift, "wk", "wv"),
        ("wk", "wv"),
    ),
}
"""The quantities by name: the numbers that an outcome declares, and what is derived from a row."""

KEPT = {
    group: tuple(name for name, quantity in QUANTITIES.items() if group in quantity.over)
    for group in GROUPS
}
"""The quantities that a tally keeps of each group of runs."""
