"""From runs to what can be said of them: rates with intervals, times, values of C."""

from __future__ import annotations

from typing import Any

import polars as pl

from attnlogic.outcomes import STATUSES
from attnlogic.results import SETTINGS, Population, Runs, Tally, populations
from attnlogic.statistics.intervals import Interval, rate, wilson
from attnlogic.statistics.times import Times
from attnlogic.theory import solution

_QUARTILES = {"first_hit_q25": 0.25, "first_hit_median": 0.5, "first_hit_q75": 0.75}
_C_QUANTILES = {"C_q05": 0.05, "C_q25": 0.25, "C_median": 0.5, "C_q75": 0.75, "C_q95": 0.95}

SUMMARY: dict[str, Any] = {
    "gate": pl.String, "optimizer": pl.String,
    "runs": pl.Int64,
    "reached": pl.Int64, "reach_rate": pl.Float64, "reach_low": pl.Float64,
    "reach_high": pl.Float64,
    "solved": pl.Int64, "solve_rate": pl.Float64, "solve_low": pl.Float64,
    "solve_high": pl.Float64,
    "held": pl.Int64, "hold_rate": pl.Float64, "hold_low": pl.Float64, "hold_high": pl.Float64,
    **dict.fromkeys(_QUARTILES, pl.Int64), "ert": pl.Float64,
    "C_mean": pl.Float64, "C_sd": pl.Float64,
    **dict.fromkeys(_C_QUANTILES, pl.Float64),
    "C_exact": pl.Float64,
    "lost": pl.Int64, "unsolved": pl.Int64, "diverged": pl.Int64, "stopped": pl.Int64,
    "evaluations": pl.Int64,
    **SETTINGS,
}  # fmt: skip
"""The columns of a summary, in order, with their types."""


def summarize(
    runs: Runs | pl.LazyFrame | pl.DataFrame | Tally, interval: Interval = wilson
) -> pl.DataFrame:
    """One row a condition: how often, when, and what C is found.

    Args:
      runs: a study, any frame with the columns of ``store.schema``, or a tally.
      interval: of the rates, at 95 %; see ``intervals``.

    Returns:
      A frame with the columns of ``SUMMARY``, in the order of the study's conditions. ``held`` are
      the runs that stayed below the threshold from their first hit on; ``ert`` is in epochs (see
      ``times``). C is that of solved runs. A quantile is the smallest value that such a share of
      the runs does not exceed. Null stands for what does not exist: a rate without runs, a median
      of times when fewer than half of the runs hit, the exact C of a constant gate.
    """
    rows = [_condition(some, interval) for some in populations(runs)]
    return pl.DataFrame(rows, schema=SUMMARY)


def _condition(some: Population, interval: Interval) -> dict[str, Any]:
    n, hits, off = some.runs, some.of("first_hit", "reached"), some.of("C_off", "solved")
    exact = solution(some.gate).C
    C = None if exact is None else float(exact)

    def at(distance: float | None) -> float | None:
        return None if distance is None else distance + (C or 0.0)

    return {
        **some.key,
        "runs": n,
        **rate("reached", "reach", some.reached, n, interval),
        **rate("solved", "solve", some.count("solved"), n, interval),
        **rate("held", "hold", some.of("settling", "reached").count(0), n, interval),
        **{name: hits.quantile(q, of=n) for name, q in _QUARTILES.items()},
        "ert": Times.of(some).ert,
        "C_mean": at(off.mean()),
        "C_sd": off.sd(),
        **{name: at(off.quantile(q)) for name, q in _C_QUANTILES.items()},
        "C_exact": C,
        **{status: some.count(status) for status in STATUSES if status != "solved"},
        "stopped": some.of("stopped_at").n,
        "evaluations": int(some.of("evaluations").total),
    }
