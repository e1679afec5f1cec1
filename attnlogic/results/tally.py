"""A tally: histograms of every quantity, so that statistics need no rows.

For each condition it counts how often each value of each quantity came up. Whole numbers (epochs,
counts) are counted exactly; other numbers fall into bins whose edges have seven bits after the
leading one, so that a bin is less than 1 % of its values wide, anywhere. Each bin also keeps the
sum and the sum of squares of its values. Its size does not grow with the number of runs, and
tallies add: that of a union is the sum.

Every statistic that needs no pairs is computed from ``populations``, which come from rows or from a
tally: counts, rates and times are the same from both, means but for rounding, and quantiles of
other numbers but for a bin's width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from attnlogic.errors import InputError
from attnlogic.results.condition_columns import with_earlier
from attnlogic.results.distribution import Distribution
from attnlogic.results.files import write_frame
from attnlogic.results.grouping import condition, conditions
from attnlogic.results.known import known_of
from attnlogic.results.population import Population, population
from attnlogic.results.quantities import GROUPS, KEPT, QUANTITIES
from attnlogic.results.rows import CONDITION
from attnlogic.results.store import Runs
from attnlogic.words import counted

SCHEMA: dict[str, Any] = {
    **CONDITION, "epochs": pl.Int64, "group": pl.String, "quantity": pl.String, "bin": pl.Float64,
    "count": pl.Int64, "total": pl.Float64, "squares": pl.Float64,
}  # fmt: skip
"""A tally's columns. ``bin`` is the edge that is nearer to 0."""

ROWS_AT_ONCE = 2**16
"""Rows counted at once: every quantity of them is in memory."""

_BELOW = ~np.int64((1 << (52 - 7)) - 1)
"""The bits of a float64 that stay: sign, exponent and seven of the fraction."""


@dataclass(frozen=True, repr=False)
class Tally:
    """Counts of runs; see the module. ``frame`` has the columns of ``SCHEMA``.

    Example:
      >>> from attnlogic.results import schema
      >>> Tally.of(pl.DataFrame(schema=schema("float32")))
      Tally(0 runs of 0 conditions)
    """

    frame: pl.DataFrame

    @classmethod
    def of(cls, runs: Runs | pl.LazyFrame | pl.DataFrame) -> Tally:
        """The tally of some runs; of a study part by part, so that memory does not grow with it.

        Args:
          runs: a study, or a frame of runs (see ``conditions``).

        Raises:
          InputError: a part cannot be read, or the frame is not one of runs.
        """
        parts = runs.parts() if isinstance(runs, Runs) else [runs]
        tallied = (
            cls(_counted(some))
            for part in parts
            for rows in conditions(part)
            for some in rows.iter_slices(ROWS_AT_ONCE)
        )
        tally = sum(tallied, cls.none())
        return tally._in_order(runs.condition_table) if isinstance(runs, Runs) else tally

    @classmethod
    def none(cls) -> Tally:
        """The tally of no runs."""
        return cls(pl.DataFrame(schema=SCHEMA))

    def _in_order(self, table: pl.DataFrame) -> Tally:
        """The same counts by the order of the conditions in a table, not that of their parts."""
        order = table.select(*CONDITION).unique(maintain_order=True).with_row_index("place")
        placed = self.frame.join(
            order, on=[*CONDITION], how="left", nulls_equal=True, maintain_order="left"
        )
        return Tally(placed.sort("place", maintain_order=True).select(*SCHEMA))

    def __add__(self, other: Tally) -> Tally:
        """The tally of the runs of both, which must not share any."""
        both = pl.concat([self.frame, other.frame])
        return Tally(_summed(both, [*SCHEMA][:-3]))

    def populations(self) -> list[Population]:
        """The runs of each condition, in the order in which they were added."""
        parts = self.frame.partition_by(*CONDITION, maintain_order=True)
        return [Population(condition(part), _lookup(part)) for part in parts if len(part)]

    def write(self, path: str | PathLike[str]) -> None:
        """Write it to a Parquet file, whole or not at all.

        Raises:
          InputError: it cannot be written.
        """
        try:
            write_frame(Path(path), self.frame)
        except OSError as error:
            raise InputError(f"cannot write '{path}': {error.strerror or error}") from error

    @classmethod
    def read(cls, path: str | PathLike[str]) -> Tally:
        """Read the file that ``write`` wrote.

        Raises:
          InputError: the file cannot be read, or holds something else.
        """
        try:
            with Path(path).open("rb") as file:  # polars would take the path as a pattern
                frame = pl.read_parquet(file)
        except OSError as error:
            raise InputError(f"cannot read '{path}': {error.strerror or error}") from error
        except pl.exceptions.PolarsError as error:
            raise InputError(f"cannot read '{path}' as a tally: {error}") from error
        frame = with_earlier(frame)
        if dict(frame.schema).keys() == SCHEMA.keys():
            frame = frame.select(*SCHEMA)
        if dict(frame.schema) != SCHEMA:
            raise InputError(f"'{path}' is no tally: make one with attnlogic tally DIR --out FILE")
        return cls(frame)

    def __repr__(self) -> str:
        found = self.populations()
        runs = counted(sum(some.runs for some in found), "run")
        return f"Tally({runs} of {counted(len(found), 'condition')})"


def populations(runs: Runs | pl.LazyFrame | pl.DataFrame | Tally) -> list[Population]:
    """The runs of each condition, in the order of the study's conditions.

    Args:
      runs: a study, a tally, or a frame of runs (see ``conditions``).

    Raises:
      InputError: a part cannot be read, or the frame is not one of runs.
    """
    if isinstance(runs, Tally):
        return runs.populations()
    if isinstance(runs, Runs):
        return [population(rows, runs.collect) for rows in runs.conditions()]
    return [population(rows) for rows in conditions(runs)]


def _counted(rows: pl.DataFrame) -> pl.DataFrame:
    """The tally's frame of some rows of one condition."""
    key = condition(rows)
    of, columns = known_of(key), {*rows.columns}
    values = rows.select(
        quantity.expression(of).alias(name)
        for name, quantity in QUANTITIES.items()
        if columns.issuperset(quantity.needs)
    )
    members = rows.select(member.alias(group) for group, member in GROUPS.items())
    parts = [
        _binned(values[name].filter(members[group])).with_columns(
            group=pl.lit(group), quantity=pl.lit(name)
        )
        for group, names in KEPT.items()
        for name in names
        if name in values.columns
    ]
    about = [pl.lit(key[name], SCHEMA[name]).alias(name) for name in CONDITION]
    return pl.concat(parts).with_columns(about).select(*SCHEMA)


def _binned(values: pl.Series) -> pl.DataFrame:
    """The bins of a quantity's values; null for a run that has none."""
    values = values.drop_nulls()
    numbers = values.cast(pl.Float64).to_numpy()
    edges = numbers if values.dtype.is_integer() else _edges(numbers)
    bins, at, counts = np.unique(edges, return_inverse=True, return_counts=True)
    sums = {
        "bin": bins,
        "count": counts,
        "total": np.bincount(at, numbers, bins.size),
        "squares": np.bincount(at, np.square(numbers), bins.size),
    }
    return pl.DataFrame(sums, schema={name: SCHEMA[name] for name in sums})


def _summed(frame: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    sums = pl.col("count", "total", "squares").sum()
    return frame.group_by(by, maintain_order=True).agg(sums)


def _edges(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The bins' edges: each number cut, towards 0, to seven bits after the leading one."""
    return (numbers.view(np.int64) & _BELOW).view(np.float64)


def _lookup(part: pl.DataFrame) -> Callable[[str, str], Distribution]:
    """The distributions of one condition's part of a tally."""
    entries = {
        key: rows.sort("bin")
        for key, rows in part.partition_by("quantity", "group", as_dict=True).items()
    }
    none = part.clear()

    def distribution(quantity: str, group: str) -> Distribution:
        rows = entries.get((quantity, group), none)
        count, total = rows["count"].to_numpy(), rows["total"].to_numpy()
        values = total / count
        with np.errstate(invalid="ignore"):  # an infinite value has no deviation
            within = rows["squares"].to_numpy() - values * total
        within = np.where(within > 0, within, 0)
        return Distribution(rows["bin"].to_numpy(), values, count, within)

    return distribution
