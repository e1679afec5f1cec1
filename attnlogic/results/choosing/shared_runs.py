"""Runs of one condition from several sources: each seed once, where all say the same of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from attnlogic.errors import InputError
from attnlogic.outcomes import NUMBERS
from attnlogic.results.choosing.normal import of_a_model
from attnlogic.results.choosing.sources import Rows
from attnlogic.results.rows import condition, in_words

SEEDS_AT_ONCE = 2**18
"""Runs of two sources that are compared at once."""

Seeds = npt.NDArray[np.uint32]
Collect = Callable[[pl.LazyFrame], pl.DataFrame]


def each_once(parts: Sequence[Rows], collect: Collect = pl.LazyFrame.collect) -> Rows:
    """The runs of all parts; a seed that several have is taken from the first.

    Args:
      parts: rows of one condition, each seed at most once in each; not empty.
      collect: reads lazy rows.

    Returns:
      Rows in memory, by seed, if all parts are in memory; else lazy rows.

    Raises:
      InputError: two parts have other values for a seed; it names condition, seed and column.
    """
    if len(parts) == 1:
        return parts[0]
    lazy = [part.lazy() for part in parts]
    seen: list[Seeds] = []
    kept: list[pl.LazyFrame] = []
    for k, part in enumerate(lazy):
        seeds = np.sort(collect(part.select("seed"))["seed"].to_numpy())
        again = np.zeros(seeds.shape, bool)
        for i, before in enumerate(seen):
            shared = np.intersect1d(before, seeds, assume_unique=True)
            again |= np.isin(seeds, shared, assume_unique=True)
            for some in _blocks(shared):
                _check_same(*(collect(lazy[n].filter(_among(some))) for n in (i, k)))
        seen.append(seeds)
        if again.any():
            part = part.filter(_among(seeds[~again]))
        kept.append(part)
    together = pl.concat(kept, how="diagonal_relaxed")
    if any(isinstance(part, pl.LazyFrame) for part in parts):
        return together
    return collect(together.sort("seed"))


def _blocks(seeds: Seeds) -> Iterator[Seeds]:
    for first in range(0, len(seeds), SEEDS_AT_ONCE):
        yield seeds[first : first + SEEDS_AT_ONCE]


def _among(seeds: Seeds) -> pl.Expr:
    """Whether a row's seed is one of these, which are ascending."""
    if not seeds.size:
        return pl.lit(False)
    between = pl.col("seed").is_between(int(seeds[0]), int(seeds[-1]))
    if int(seeds[-1]) - int(seeds[0]) == len(seeds) - 1:
        return between
    return between & pl.col("seed").is_in(pl.Series(seeds, dtype=pl.UInt32).implode())


def _check_same(one: pl.DataFrame, other: pl.DataFrame) -> None:
    """Raise ``InputError`` if rows of the same seeds of a condition are not the same runs."""
    one, other = one.sort("seed"), other.sort("seed")
    wrong = {
        name: int(np.argmin(same))
        for name in of_runs(one.columns)
        if name in other.columns
        if not (same := one[name].eq_missing(other[name]).to_numpy()).all()
    }
    if not wrong:
        return
    name, at = min(wrong.items(), key=lambda found: found[1])
    raise InputError(
        f"{in_words(condition(one))}: seed {one['seed'][at]} is there twice and differs: {name} is "
        f"{one[name][at]} and {other[name][at]}. Runs of different code or devices are not one "
        "study: name one of them alone"
    )


def of_runs(columns: Iterable[str]) -> list[str]:
    """The columns that a run itself has, not its condition."""
    names = [*columns]
    return [n for n in names if n == "status" or n in NUMBERS or of_a_model(n, names)]
