"""How many runs ended where: see ``places`` for the places and how they are told."""

from __future__ import annotations

from typing import Any

import polars as pl

from attnlogic.results import SETTINGS, Runs, Tally, populations
from attnlogic.theory import ENDINGS

COUNTS: dict[str, Any] = {
    "gate": pl.String, "optimizer": pl.String, **dict.fromkeys(("runs", *ENDINGS), pl.Int64),
    **SETTINGS,
}  # fmt: skip
"""The columns of ``endings``, in order, with their types."""


def endings(runs: Runs | pl.LazyFrame | pl.DataFrame | Tally) -> pl.DataFrame:
    """How many runs of each condition ended where.

    Args:
      runs: a study, any frame with the columns of ``store.schema``, or a tally.

    Returns:
      A frame with the columns of ``COUNTS``: a row a condition, a count for each of ``ENDINGS``.
    """
    rows = []
    for some in populations(runs):
        ended = some.of("ending")
        counts = {name: ended.count(place) for place, name in enumerate(ENDINGS)}
        rows.append({**some.key, "runs": some.runs, **counts})
    return pl.DataFrame(rows, schema=COUNTS)
