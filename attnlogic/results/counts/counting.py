"""Runs counted: how often each value of each quantity came up, in bins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from attnlogic.errors import InputError
from attnlogic.results.counts.distribution import Distribution
from attnlogic.results.rows import (
    CONDITION,
    COUNTS,
    ENTRY,
    GROUPS,
    KEPT,
    OF_A_VALUE,
    QUANTITIES,
    condition,
    known_of,
)

_BELOW = ~np.int64((1 << (52 - 7)) - 1)
"""The bits of a float64 that stay: sign, exponent and seven of the fraction."""


def counted_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """The table of counts of some runs of one condition.

    Args:
      rows: with the columns of ``schema``.
    """
    key = condition(rows)
    of, columns = known_of(key), {*rows.columns}
    values = rows.select(
        quantity.expression(of).alias(name)
        for name, quantity in QUANTITIES.items()
        if columns.issuperset(quantity.needs)
    )
    members = rows.select(member.alias(group) for group, member in GROUPS.items())
    parts = [
        _binned(values[name].filter(members[group]), QUANTITIES[name].words).with_columns(
            group=pl.lit(group), quantity=pl.lit(name)
        )
        for group, names in KEPT.items()
        for name in names
        if name in values.columns
    ]
    about = [pl.lit(key[name], COUNTS[name]).alias(name) for name in CONDITION]
    every = pl.concat([pl.DataFrame(schema=OF_A_VALUE), *parts], how="diagonal")
    return every.with_columns(about).select(*COUNTS)


def summed(counts: pl.DataFrame) -> pl.DataFrame:
    """The table with each count once: the sum of those of the same entry."""
    sums = pl.col("count", "total", "squares").sum()
    return counts.group_by(ENTRY, maintain_order=True).agg(sums)


def distributions(counts: pl.DataFrame) -> Callable[[str, str], Distribution | None]:
    """How a quantity is distributed over a group, from one condition's part of a table."""
    entries = counts.partition_by("quantity", "group", as_dict=True)

    def distribution(quantity: str, group: str) -> Distribution | None:
        found = entries.get((quantity, group))
        if found is None:
            _check_unknown(quantity)
            return None
        words = QUANTITIES[quantity].words
        if words:
            return _of_words(found.filter(pl.col("word").is_not_null()), words, quantity)
        return _of_numbers(found.filter(pl.col("bin").is_not_null()).sort("bin"))

    return distribution


def _check_unknown(quantity: str) -> None:
    """Raise ``InputError`` for a quantity that every run has: then it was not counted."""
    if not QUANTITIES[quantity].needs:
        raise InputError(
            f"this tally lacks '{quantity}', which this version needs: count the runs again with "
            "attnlogic tally DIR --out FILE"
        )


def _of_words(rows: pl.DataFrame, words: tuple[str, ...], quantity: str) -> Distribution:
    unknown = [word for word in rows["word"] if word not in words]
    if unknown:
        raise InputError(
            f"this tally has a {quantity} '{unknown[0]}' that this version does not know: "
            f"expected one of {', '.join(words)}"
        )
    placed = sorted((words.index(word), n) for word, n in rows.select("word", "count").rows())
    places = np.array([place for place, _ in placed], np.float64)
    counts = np.array([n for _, n in placed], np.int64)
    return Distribution(places, places, counts, np.zeros_like(places))


def _of_numbers(rows: pl.DataFrame) -> Distribution:
    count, total = rows["count"].to_numpy(), rows["total"].to_numpy()
    values = total / count
    with np.errstate(invalid="ignore"):  # an infinite value has no deviation
        within = rows["squares"].to_numpy() - values * total
    within = np.where(within > 0, within, 0)
    return Distribution(rows["bin"].to_numpy(), values, count, within)


def _binned(values: pl.Series, words: tuple[str, ...]) -> pl.DataFrame:
    """The counts of a quantity's values; last the number of runs that have none."""
    without, values = values.null_count(), values.drop_nulls()
    numbers = values.cast(pl.Float64).to_numpy()
    edges = numbers if values.dtype.is_integer() else _edges(numbers)
    bins, at, counts = np.unique(edges, return_inverse=True, return_counts=True)
    found: dict[str, Any] = {"count": counts}
    if words:
        found["word"] = [words[int(place)] for place in bins]
    else:
        found["bin"] = bins
        found["total"] = np.bincount(at, numbers, bins.size)
        found["squares"] = np.bincount(at, np.square(numbers), bins.size)
    rows = pl.DataFrame(found, schema={name: COUNTS[name] for name in found})
    none = pl.DataFrame({"count": [without]}, schema={"count": pl.Int64})
    return pl.concat([rows, none], how="diagonal")


def _edges(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The bins' edges: each number cut, towards 0, to seven bits after the leading one."""
    return (numbers.view(np.int64) & _BELOW).view(np.float64)
