"""Which solution is found: how far from the exact C, and where among all that have it.

The loss depends on wq, wk, wv through C alone, so a gate's solutions are a surface: the three may
have any of four classes of signs, AND's and NAND's readouts lie on a line w1 + w2 = const, and
gradient flow, which conserves wq² − wk² and wk² − wv², would pick the point that its start
prescribes. How much an optimizer changes those two tells how far it is from that flow.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from attnlogic.results import SETTINGS, SIGNS, Population, Runs, Tally, populations
from attnlogic.theory import solution

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


def solutions(runs: Runs | pl.LazyFrame | pl.DataFrame | Tally) -> pl.DataFrame:
    """One row a condition: which solutions its solved runs found.

    Args:
      runs: a study, any frame with the columns of ``store.schema``, or a tally.

    Returns:
      A frame with the columns of ``SOLUTIONS``, all of them about the solved runs. ``distance`` is
      |C − C*|; ``signs_…`` count the classes of signs; ``apart`` is w1 − w2, which a line of
      solutions leaves free. ``drift_qk`` and ``drift_kv`` are the medians of how much wq² − wk² and
      wk² − wv² changed from the start to the end. Null stands for what does not exist.
    """
    return pl.DataFrame([_condition(some) for some in populations(runs)], schema=SOLUTIONS)


def _condition(some: Population) -> dict[str, Any]:
    exact = solution(some.gate).C
    distance, apart = some.of("C_off", "solved").magnitudes(), some.of("apart", "solved")
    signs = some.of("signs", "solved")
    return {
        **some.key,
        "runs": some.runs,
        "solved": some.count("solved"),
        "C_exact": None if exact is None else float(exact),
        **{name: None if exact is None else distance.quantile(q) for name, q in _DISTANCES.items()},
        **{f"signs_{name}": signs.count(k) for k, name in enumerate(SIGNS)},
        **{name: apart.quantile(q) for name, q in _APART.items()},
        **{name: some.of(name, "solved").quantile(0.5) for name in ("drift_qk", "drift_kv")},
    }
