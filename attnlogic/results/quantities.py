"""What is told of runs, as expressions over the columns of ``store.schema``."""

from __future__ import annotations

from itertools import product

import polars as pl

from attnlogic.problems import Gate
from attnlogic.results.store import RUNGS
from attnlogic.theory import ending, solution

SIGNS = tuple("".join(signs) for signs in product("+-", repeat=3))
"""The signs of (wq, wk, wv): ``"++-"``. Four go with a C above 0, four with one below."""

GROUPS: dict[str, pl.Expr] = {
    "all": pl.lit(True),
    "reached": pl.col("first_hit").is_not_null(),
    "missed": pl.col("first_hit").is_null(),
    "solved": pl.col("status") == "solved",
    **{f"missed_{rung}": pl.col(rung).is_null() for rung in RUNGS},
}
"""Which runs are meant: those of a rung miss that one's loss."""


def quantities(gate: Gate) -> dict[str, pl.Expr]:
    """What can be told of a run, by name; null where it does not exist.

    - whole numbers: ``status``, ``ending`` and ``signs``, as places in ``STATUSES``, ``ENDINGS``
      and ``SIGNS``; the outcome's epochs and counts; ``end``, the epochs that it ran;
      ``settling``, sustained_from − first_hit;
    - numbers: ``C_off``, C − C*, or C itself where any C solves the gate; ``apart``, w1 − w2;
      ``drift_qk`` and ``drift_kv``, how much wq² − wk² and wk² − wv² changed, in magnitude; the
      outcome's losses and C.

    Args:
      gate: the gate of all runs that they are applied to.
    """
    exact = solution(gate).C
    w = {name: pl.col(name).cast(pl.Float64) for name in ("wq", "wk", "wv", "w1", "w2", "C")}
    signs = sum((w[name] < 0).cast(pl.Int64) * 2**k for k, name in enumerate(("wv", "wk", "wq")))
    counts = ("stopped_at", "evaluations", "evaluations_first_hit", "exits", "rises", "first_hit")
    return {
        "status": pl.col("status").to_physical(),
        "ending": ending(gate).to_physical(),
        "signs": signs,
        **{name: pl.col(name) for name in (*counts, *RUNGS)},
        "end": pl.min_horizontal("stopped_at", "diverged_at", "epochs"),
        "settling": pl.col("sustained_from") - pl.col("first_hit"),
        "C_off": w["C"] - (0.0 if exact is None else float(exact)),
        "apart": w["w1"] - w["w2"],
        "drift_qk": _drift("wq", "wk"),
        "drift_kv": _drift("wk", "wv"),
        **{name: pl.col(name) for name in ("worst_after_hit", "C_initial", "initial_loss")},
    }


def _drift(a: str, b: str) -> pl.Expr:
    """How much a² − b² changed. In float64: differences of squares of float32 lose digits."""

    def difference(end: str) -> pl.Expr:
        return pl.col(a + end).cast(pl.Float64) ** 2 - pl.col(b + end).cast(pl.Float64) ** 2

    return (difference("") - difference("_initial")).abs()
