"""From runs to what can be said of them: rates with intervals, times, values of C."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from attnlogic import gates, theory
from attnlogic.intervals import Interval, wilson
from attnlogic.outcomes import STATUSES
from attnlogic.store import Runs

SETTINGS: dict[str, Any] = {
    "backend": pl.String, "precision": pl.String, "epochs": pl.Int64, "threshold": pl.Float64,
    "init": pl.String,
}  # fmt: skip
"""The columns that, beside gate and optimizer, tell one condition from another; their types."""

CONDITION = ("gate", "optimizer", *SETTINGS)
"""The columns that tell one condition from another."""

_QUARTILES = {"first_hit_q25": 0.25, "first_hit_median": 0.5, "first_hit_q75": 0.75}
_C_QUANTILES = {"C_q05": 0.05, "C_q25": 0.25, "C_median": 0.5, "C_q75": 0.75, "C_q95": 0.95}

SUMMARY: dict[str, Any] = {
    "gate": pl.String, "optimizer": pl.String,
    "runs": pl.Int64,
    "reached": pl.Int64, "reach_rate": pl.Float64, "reach_low": pl.Float64,
    "reach_high": pl.Float64,
    "solved": pl.Int64, "solve_rate": pl.Float64, "solve_low": pl.Float64,
    "solve_high": pl.Float64,
    **dict.fromkeys(_QUARTILES, pl.Int64),
    "C_mean": pl.Float64, "C_sd": pl.Float64,
    **dict.fromkeys(_C_QUANTILES, pl.Float64),
    "C_exact": pl.Float64,
    "lost": pl.Int64, "unsolved": pl.Int64, "diverged": pl.Int64, "stopped": pl.Int64,
    "evaluations": pl.Int64,
    **SETTINGS,
}  # fmt: skip
"""The columns of a summary, in order, with their types."""


def hit_quantile(first_hits: npt.NDArray[Any], runs: int, q: float) -> int | None:
    """The epoch by which a share q of all runs has hit; None if fewer ever did.

    Runs that never reached the threshold count as later than every epoch.

    Args:
      first_hits: the first hits of the runs that reached it; shape (n,), n ≤ runs.
      runs: how many runs there were.
      q: above 0, at most 1.
    """
    rank = max(1, int(np.ceil(q * runs - 1e-9)))  # the smallest rank whose share is at least q
    if rank > first_hits.size:
        return None
    return int(np.partition(first_hits, rank - 1)[rank - 1])


def conditions(runs: Runs | pl.LazyFrame | pl.DataFrame) -> list[pl.DataFrame]:
    """The runs of each condition, in the order of the study's conditions.

    Args:
      runs: a study, or any frame with the columns of ``store.schema``.
    """
    frame = runs.table() if isinstance(runs, Runs) else runs.lazy().collect()
    parts = frame.partition_by(CONDITION, maintain_order=True, include_key=True)
    return [rows for rows in parts if len(rows)]


def summarize(
    runs: Runs | pl.LazyFrame | pl.DataFrame, interval: Interval = wilson
) -> pl.DataFrame:
    """One row a condition: how often, when, and what C is found.

    Args:
      runs: a study, or any frame with the columns of ``store.schema``.
      interval: of the rates, at 95 %; see ``intervals``.

    Returns:
      A frame with the columns of ``SUMMARY``, in the order of the study's conditions. C is that of
      solved runs. Null stands for what does not exist: a rate without runs, a median of times when
      fewer than half of the runs hit, the exact C of a constant gate.
    """
    return pl.DataFrame([_condition(rows, interval) for rows in conditions(runs)], schema=SUMMARY)


def _condition(rows: pl.DataFrame, interval: Interval) -> dict[str, Any]:
    n = len(rows)
    count = dict(rows["status"].cast(pl.String).value_counts().iter_rows())
    hits = rows["first_hit"].drop_nulls().to_numpy()
    # In float64: sums of many float32 lose digits.
    C = rows.filter(pl.col("status") == "solved")["C"].cast(pl.Float64).to_numpy()
    exact = theory.solution(gates.gate(rows["gate"][0])).C
    return {
        **rows.select(CONDITION).row(0, named=True),
        "runs": n,
        **_rate("reached", "reach", len(hits), n, interval),
        **_rate("solved", "solve", count.get("solved", 0), n, interval),
        **{name: hit_quantile(hits, n, q) for name, q in _QUARTILES.items()},
        "C_mean": float(C.mean()) if C.size else None,
        "C_sd": float(C.std(ddof=1)) if C.size > 1 else None,
        **_quantiles(C),
        "C_exact": None if exact is None else float(exact),
        **{name: count.get(name, 0) for name in STATUSES if name != "solved"},
        "stopped": int(rows["stopped_at"].count()),
        "evaluations": int(rows["evaluations"].cast(pl.Int64).sum()),
    }


def _rate(count: str, prefix: str, successes: int, runs: int, interval: Interval) -> dict[str, Any]:
    low, high = interval(successes, runs, 0.95) or (None, None)
    rate = successes / runs if runs else None
    return {
        count: successes,
        f"{prefix}_rate": rate,
        f"{prefix}_low": low,
        f"{prefix}_high": high,
    }


def _quantiles(C: npt.NDArray[np.float64]) -> dict[str, Any]:
    if not C.size:
        return dict.fromkeys(_C_QUANTILES)
    return dict(
        zip(_C_QUANTILES, map(float, np.quantile(C, [*_C_QUANTILES.values()])), strict=True)
    )
