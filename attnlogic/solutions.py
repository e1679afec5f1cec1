"""Which solution is found: how far from the exact C, and where among all that have it.

The loss depends on wq, wk, wv through C alone, so a gate's solutions are a surface: the three may
have any of four classes of signs, AND's and NAND's readouts lie on a line w1 + w2 = const, and
gradient flow, which conserves wq² − wk² and wk² − wv², would pick the point that its start
prescribes. How much an optimizer changes those two tells how far it is from that flow.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import polars as pl

from attnlogic import gates, theory
from attnlogic.statistics import CONDITION, SETTINGS, conditions
from attnlogic.store import Runs

SIGNS = tuple("".join(signs) for signs in product("+-", repeat=3))
"""The signs of (wq, wk, wv): ``"++-"``. Four go with a C above 0, four with one below."""

_DISTANCES = {"distance_median": 0.5, "distance_q95": 0.95, "distance_max": 1.0}
_APART = {"apart_q05": 0.05, "apart_median": 0.5, "apart_q95": 0.95}

SOLUTIONS: dict[str, Any] = {
    "gate": pl.String, "optimizer": pl.String, "runs": pl.Int64, "solved": pl.Int64,
    "C_exact": pl.Float64,
    **dict.fromkeys(_DISTANCES, pl.Float64),
    **{f"signs_{signs}": pl.Int64 for signs in SIGNS},
    **dict.fromkeys(_APART, pl.Float64),
    "drift_qk": pl.Float64, "drift_kv": pl.Float64,
    **SETTINGS,
}  # fmt: skip
"""The columns of ``solutions``, in order, with their types."""


def solutions(runs: Runs | pl.LazyFrame | pl.DataFrame) -> pl.DataFrame:
    """One row a condition: which solutions its solved runs found.

    Args:
      runs: a study, or any frame with the columns of ``store.schema``.

    Returns:
      A frame with the columns of ``SOLUTIONS``, all of them about the solved runs. ``distance`` is
      |C − C*|; ``signs_…`` count the classes of signs; ``apart`` is w1 − w2, which a line of
      solutions leaves free. ``drift_qk`` and ``drift_kv`` are the medians of how much wq² − wk² and
      wk² − wv² changed from the start to the end. Null stands for what does not exist.
    """
    return pl.DataFrame([_condition(rows) for rows in conditions(runs)], schema=SOLUTIONS)


def _condition(rows: pl.DataFrame) -> dict[str, Any]:
    exact = theory.solution(gates.gate(rows["gate"][0])).C
    C = None if exact is None else float(exact)
    # In float64: differences of squares of float32 lose digits.
    solved = rows.filter(pl.col("status") == "solved").with_columns(
        pl.selectors.float().cast(pl.Float64)
    )
    sign = [pl.when(pl.col(w) < 0).then(pl.lit("-")).otherwise(pl.lit("+")) for w in _ATTENTION]
    signs = solved.select(pl.concat_str(sign).alias("signs"))["signs"]
    found = dict(signs.value_counts().iter_rows())
    distance = None if C is None else (solved["C"] - C).abs()
    return {
        **rows.select(CONDITION).row(0, named=True),
        "runs": len(rows),
        "solved": len(solved),
        "C_exact": C,
        **_quantiles(distance, _DISTANCES),
        **{f"signs_{signs}": found.get(signs, 0) for signs in SIGNS},
        **_quantiles(solved["w1"] - solved["w2"], _APART),
        "drift_qk": _drift(solved, "wq", "wk"),
        "drift_kv": _drift(solved, "wk", "wv"),
    }


_ATTENTION = ("wq", "wk", "wv")


def _quantiles(values: pl.Series | None, names: dict[str, float]) -> dict[str, Any]:
    if values is None:
        return dict.fromkeys(names)
    return {name: values.quantile(q, "linear") for name, q in names.items()}


def _drift(rows: pl.DataFrame, a: str, b: str) -> Any:
    """The median change of a² − b²."""
    start = rows[f"{a}_initial"] ** 2 - rows[f"{b}_initial"] ** 2
    return (rows[a] ** 2 - rows[b] ** 2 - start).abs().median()
