"""Conditions held against each other, on the same seeds: so seed by seed, in pairs."""

from __future__ import annotations

from itertools import combinations
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from attnlogic.errors import InputError
from attnlogic.results import Runs, condition, conditions, labels

COMPARISON: dict[str, Any] = {
    "gate": pl.String, "a": pl.String, "b": pl.String, "measure": pl.String,
    "pairs": pl.Int64, "both": pl.Int64, "only_a": pl.Int64, "only_b": pl.Int64,
    "neither": pl.Int64,
    "difference": pl.Float64, "low": pl.Float64, "high": pl.Float64,
    "p": pl.Float64, "p_holm": pl.Float64,
}  # fmt: skip
"""The columns of a comparison, in order, with their types."""


def compare(runs: Runs | pl.LazyFrame | pl.DataFrame, level: float = 0.95) -> pl.DataFrame:
    """Every two conditions of a gate, on the seeds that both have.

    Each pair of conditions has three rows, by ``measure``:

    - ``reached`` and ``solved``: the counts of seeds with which both, only one or neither
      succeeded; the difference of the rates (a's minus b's) with Bonett and Price's interval; p of
      McNemar's exact test, for which only the discordant seeds count.
    - ``first_hit``: p of the log-rank test on the times to the first hit. It takes the two samples
      as independent, which equal starts make conservative.

    ``p_holm`` is p adjusted by Holm's method over all rows of the comparison of that measure.

    Args:
      runs: a study, or any frame with the columns of ``store.schema``: conditions of several
        studies too, such as those of two backends.
      level: the intervals' confidence level.

    Returns:
      A frame with the columns of ``COMPARISON``. Null stands for what does not exist.

    Raises:
      InputError: no gate has two conditions with a seed in common.

    References: McNemar, "Note on the sampling error of the difference between correlated
    proportions", Psychometrika 12, 1947; Bonett and Price, "Adjusted Wald confidence interval for a
    difference of binomial proportions based on paired data", JEBS 37, 2012; Holm, "A simple
    sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.
    """
    parts = conditions(runs)
    names = labels([condition(part) for part in parts])
    rows = []
    for (a, name_a), (b, name_b) in combinations(zip(parts, names, strict=True), 2):
        if a["gate"][0] != b["gate"][0]:
            continue
        common = a.select("seed").join(b.select("seed"), on="seed")
        if len(common):
            one, other = (part.join(common, on="seed").sort("seed") for part in (a, b))
            about = {"gate": a["gate"][0], "a": name_a, "b": name_b, "pairs": len(common)}
            rows += [{**about, **measured} for measured in _measures(one, other, level)]
    if not rows:
        raise InputError("nothing to compare: no gate has two conditions with a seed in common")
    table = pl.DataFrame(rows, schema={k: v for k, v in COMPARISON.items() if k != "p_holm"})
    adjusted = pl.col("p").map_batches(_holm, pl.Float64).over("measure")
    return table.with_columns(p_holm=adjusted)


def _measures(a: pl.DataFrame, b: pl.DataFrame, level: float) -> list[dict[str, Any]]:
    """The three measures of two conditions, whose rows are the same seeds in the same order."""
    successes = {
        "reached": [part["first_hit"].is_not_null().to_numpy() for part in (a, b)],
        "solved": [(part["status"] == "solved").to_numpy() for part in (a, b)],
    }
    rows: list[dict[str, Any]] = [
        {"measure": measure, **_paired(one, other, level)}
        for measure, (one, other) in successes.items()
    ]
    return [*rows, {"measure": "first_hit", "p": _logrank(a, b)}]


def _paired(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_], level: float) -> dict[str, Any]:
    from scipy.stats import binomtest

    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    # Bonett and Price: Wald's interval once each discordant cell has got one more, and n two.
    n = len(a) + 2
    share_a, share_b = (only_a + 1) / n, (only_b + 1) / n
    z = NormalDist().inv_cdf((1 + level) / 2)
    half = z * float(np.sqrt((share_a + share_b - (share_a - share_b) ** 2) / n))
    discordant = only_a + only_b
    return {
        "both": int((a & b).sum()),
        "only_a": only_a,
        "only_b": only_b,
        "neither": int((~a & ~b).sum()),
        "difference": (only_a - only_b) / len(a),
        "low": max(-1.0, share_a - share_b - half),
        "high": min(1.0, share_a - share_b + half),
        "p": float(binomtest(only_a, discordant).pvalue) if discordant else 1.0,
    }


def _logrank(a: pl.DataFrame, b: pl.DataFrame) -> float | None:
    """p of the log-rank test; None where no run of either hit."""
    from scipy.stats import logrank

    if not a["first_hit"].count() + b["first_hit"].count():
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        p = float(logrank(_censored(a), _censored(b)).pvalue)
    return p if np.isfinite(p) else 1.0  # all hits at one time: no variance, no difference


def _censored(rows: pl.DataFrame) -> Any:
    """The first hits as SciPy's ``CensoredData``, in epochs."""
    from scipy.stats import CensoredData

    hits = rows["first_hit"].drop_nulls().to_numpy()
    never = rows.filter(pl.col("first_hit").is_null())["epochs"].to_numpy()
    return CensoredData(uncensored=hits, right=never - 1)


def _holm(p: pl.Series) -> pl.Series:
    """Holm's adjustment of the p values that there are."""
    present = p.drop_nulls().to_numpy()
    order = np.argsort(present)
    steps = (present.size - np.arange(present.size)) * present[order]
    adjusted = np.empty_like(present)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(steps)) if steps.size else steps
    values = iter(adjusted.tolist())
    return pl.Series([None if old is None else next(values) for old in p], dtype=pl.Float64)
