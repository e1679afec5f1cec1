"""How the loss is curved where runs end: minimum or saddle, how sharp, how many flat directions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from attnlogic.problems import NAMES, gate, unpack
from attnlogic.results import SETTINGS, Runs, condition, conditions
from attnlogic.theory import ENDINGS, ending, hessian

FLAT = 1e-4
"""An eigenvalue counts as zero up to this share of the largest one's magnitude: at a solution those
that are not zero are more than ten times as large, and a float32 end leaves some 1e-6."""

CURVATURE: dict[str, Any] = {
    "gate": pl.String, "optimizer": pl.String, "ended": pl.String, "runs": pl.Int64,
    "sharpness_q05": pl.Float64, "sharpness_median": pl.Float64, "sharpness_q95": pl.Float64,
    "least_median": pl.Float64, "saddles": pl.Int64,
    "negative": pl.Float64, "flat": pl.Float64, "positive": pl.Float64,
    **SETTINGS,
}  # fmt: skip
"""The columns of ``curvature``, in order, with their types."""


def eigenvalues(rows: pl.DataFrame) -> npt.NDArray[np.float64]:
    """The Hessian's eigenvalues at the ends of runs of one gate.

    Args:
      rows: N runs of one gate, with the columns ``gate`` and those of ``model.NAMES``.

    Returns:
      Shape (N, 6), ascending; NaN for a run whose end is not finite.
    """
    ends = rows.select(pl.col(NAMES).cast(pl.Float64).fill_null(float("nan"))).to_numpy().T
    with np.errstate(over="ignore", invalid="ignore"):
        matrices = hessian(gate(rows["gate"][0]), unpack([*ends]))
    finite = np.isfinite(matrices).all(axis=(1, 2))
    values = np.full((len(rows), 6), np.nan)
    values[finite] = np.linalg.eigvalsh(matrices[finite])
    return values


def curvature(runs: Runs | pl.LazyFrame | pl.DataFrame) -> pl.DataFrame:
    """One row for each condition and place where its runs ended.

    Args:
      runs: a study, or any frame with the columns of ``store.schema``.

    Returns:
      A frame with the columns of ``CURVATURE``. ``sharpness`` is the Hessian's largest eigenvalue
      (gradient descent is stable only where it is below 2/lr), ``least`` the smallest. ``saddles``
      counts runs with an eigenvalue below 0; ``negative``, ``flat`` and ``positive`` are the mean
      numbers of the six eigenvalues of that sign, where those within ``FLAT`` of zero are flat.
      Runs whose end is not finite are left out.
    """
    rows = []
    for part in conditions(runs):
        key = condition(part)
        ended = part.select(ending(gate(key["gate"])).alias("ended"))["ended"].to_numpy()
        values = eigenvalues(part)
        finite = np.isfinite(values).all(axis=1)
        places = {place: finite & (ended == place) for place in ENDINGS}
        rows += [
            {**key, "ended": place, **_shape(values[chosen])}
            for place, chosen in places.items()
            if chosen.any()
        ]
    return pl.DataFrame(rows, schema=CURVATURE)


def _shape(values: npt.NDArray[np.float64]) -> dict[str, Any]:
    """What the eigenvalues, (n, 6) and ascending, say of n ends."""
    scale = FLAT * np.abs(values).max(axis=1, keepdims=True)
    negative, positive = values < -scale, values > scale
    low, middle, high = np.quantile(values[:, -1], [0.05, 0.5, 0.95])
    return {
        "runs": len(values),
        "sharpness_q05": float(low),
        "sharpness_median": float(middle),
        "sharpness_q95": float(high),
        "least_median": float(np.median(values[:, 0])),
        "saddles": int(negative.any(axis=1).sum()),
        "negative": float(negative.sum(axis=1).mean()),
        "flat": float((~negative & ~positive).sum(axis=1).mean()),
        "positive": float(positive.sum(axis=1).mean()),
    }
