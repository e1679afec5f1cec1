"""Runs counted instead of kept: what statistics need of them, whose size does not grow with them.

A tally holds, for each condition, how often each value of each quantity came up. Whole numbers
(epochs, counts) are counted exactly; other numbers fall into bins whose edges have seven bits after
the leading one, so that a bin is less than 1 % of its values wide, anywhere. Each bin also keeps
the sum and the sum of squares of what fell in. Tallies add: that of a union is the sum.

Every statistic that needs no pairs is computed from ``populations``, which come from rows or from a
tally: counts, rates and times are the same from both, means but for rounding, and quantiles of
other numbers but for a bin's width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from attnlogic.errors import InputError
from attnlogic.outcomes import STATUSES
from attnlogic.problems import gate
from attnlogic.results.distribution import Distribution
from attnlogic.results.grouping import CONDITION, condition, conditions
from attnlogic.results.quantities import GROUPS, quantities
from attnlogic.results.store import RUNGS, Runs, write_frame

KEPT = {
    "all": ("status", "ending", "stopped_at", "evaluations", "C_initial", "initial_loss", *RUNGS),
    "reached": (
        "first_hit", "evaluations_first_hit", "settling", "exits", "rises", "worst_after_hit",
        "C_initial", "initial_loss",
    ),
    "missed": ("end", "evaluations"),
    "solved": ("C_off", "signs", "apart", "drift_qk", "drift_kv"),
    **{f"missed_{rung}": ("end",) for rung in RUNGS},
}  # fmt: skip
"""What a tally holds: the quantities of each group of runs (see ``quantities``)."""

SCHEMA: dict[str, Any] = {
    **CONDITION, "group": pl.String, "quantity": pl.String, "bin": pl.Float64,
    "count": pl.Int64, "total": pl.Float64, "squares": pl.Float64,
}  # fmt: skip
"""A tally's columns. ``bin`` is the edge that is nearer to 0."""

_BELOW = ~np.int64((1 << (52 - 7)) - 1)
"""The bits of a float64 that stay: sign, exponent and seven of the fraction."""


class Population:
    """The runs of one condition, as statistics see them.

    Attributes:
      key: what tells the condition from others: the columns of ``CONDITION``.
      gate: its gate.
    """

    def __init__(self, key: dict[str, Any], of: Callable[[str, str], Distribution]) -> None:
        self.key, self.gate, self._of = key, gate(key["gate"]), of

    def of(self, quantity: str, group: str = "all") -> Distribution:
        """How a quantity is distributed among a group of the runs (see ``KEPT``)."""
        return self._of(quantity, group)

    @cached_property
    def _statuses(self) -> Distribution:
        return self.of("status")

    @property
    def runs(self) -> int:
        """How many runs there are."""
        return self._statuses.n

    @cached_property
    def reached(self) -> int:
        """How many reached the threshold."""
        return self.of("first_hit", "reached").n

    def count(self, status: str) -> int:
        """How many have this status."""
        return self._statuses.count(STATUSES.index(status))


@dataclass(frozen=True)
class Tally:
    """Counts of runs; see the module. ``frame`` has the columns of ``SCHEMA``."""

    frame: pl.DataFrame

    @classmethod
    def of(cls, runs: Runs | pl.LazyFrame | pl.DataFrame) -> Tally:
        """The tally of some runs; of a study part by part, so that memory does not grow with it.

        Args:
          runs: a study, or any frame with the columns of ``store.schema``.
        """
        parts = runs.parts() if isinstance(runs, Runs) else [runs.lazy().collect()]
        counted = (_counted(rows) for part in parts for rows in conditions(part))
        return sum(map(cls, counted), cls.none())

    @classmethod
    def none(cls) -> Tally:
        """The tally of no runs."""
        return cls(pl.DataFrame(schema=SCHEMA))

    def __add__(self, other: Tally) -> Tally:
        """The tally of the runs of both, which must not share any."""
        both = pl.concat([self.frame, other.frame])
        return Tally(_summed(both, [*SCHEMA][:-3]))

    def populations(self) -> list[Population]:
        """The runs of each condition, in the order in which they were added."""
        parts = self.frame.partition_by(*CONDITION, maintain_order=True)
        return [Population(condition(part), _lookup(part)) for part in parts if len(part)]

    def write(self, path: Path) -> None:
        """Write it to a Parquet file.

        Raises:
          InputError: it cannot be written.
        """
        try:
            write_frame(path, self.frame)
        except OSError as error:
            raise InputError(f"cannot write '{path}': {error.strerror or error}") from error

    @classmethod
    def read(cls, path: Path) -> Tally:
        """Read what ``write`` wrote.

        Raises:
          InputError: the file is none of a tally.
        """
        try:
            frame = pl.read_parquet(path)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise InputError(f"cannot read '{path}' as a tally: {error}") from error
        if dict(frame.schema) != SCHEMA:
            raise InputError(f"'{path}' is no tally: make one with attnlogic tally DIR --out FILE")
        return cls(frame)


def populations(runs: Runs | pl.LazyFrame | pl.DataFrame | Tally) -> list[Population]:
    """The runs of each condition, in the order of the study's conditions.

    Args:
      runs: a study, any frame with the columns of ``store.schema``, or a tally.
    """
    if isinstance(runs, Tally):
        return runs.populations()
    if isinstance(runs, Runs):
        return [population(rows, runs.collect) for rows in runs.conditions()]
    return [population(rows) for rows in conditions(runs)]


def population(
    rows: pl.LazyFrame | pl.DataFrame,
    collect: Callable[[pl.LazyFrame], pl.DataFrame] = pl.LazyFrame.collect,
) -> Population:
    """The population of some rows, all of one condition: every value exact.

    Args:
      rows: with the columns of ``store.schema``.
      collect: how to read a quantity of lazy ones; one at a time, so that memory holds no more.
    """
    rows = rows.lazy()
    key = condition(collect(rows.select(*CONDITION).head(1)))
    told = quantities(gate(key["gate"]))

    def of(quantity: str, group: str) -> Distribution:
        chosen = rows.filter(GROUPS[group]).select(value=told[quantity].cast(pl.Float64))
        return Distribution.of(collect(chosen)["value"].drop_nulls().to_numpy())

    return Population(key, of)


def _counted(rows: pl.DataFrame) -> pl.DataFrame:
    """The tally's frame of some rows, all of one condition."""
    key = condition(rows)
    every, parts = quantities(gate(key["gate"])), []
    for group, names in KEPT.items():
        expressions = [every[name].alias(name) for name in names]
        told = rows.filter(GROUPS[group]).select(expressions)
        for name in names:
            values = told[name].drop_nulls()
            numbers = values.cast(pl.Float64).to_numpy()
            parts.append(
                pl.DataFrame(
                    {
                        "quantity": pl.repeat(name, len(values), eager=True),
                        "bin": numbers if values.dtype.is_integer() else _edges(numbers),
                        "count": pl.repeat(1, len(values), dtype=pl.Int64, eager=True),
                        "total": numbers,
                        "squares": np.square(numbers),
                    }
                )
                .pipe(_summed, ["quantity", "bin"])
                .with_columns(group=pl.lit(group))
            )
    about = [pl.lit(value, kind).alias(name) for (name, kind), value in zip(
        CONDITION.items(), key.values(), strict=True
    )]  # fmt: skip
    return pl.concat(parts).with_columns(about).select(*SCHEMA)


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

    def of(quantity: str, group: str) -> Distribution:
        rows = entries.get((quantity, group), none)
        count, total = rows["count"].to_numpy(), rows["total"].to_numpy()
        values = total / count
        with np.errstate(invalid="ignore"):  # the infinite, of which there is no deviation
            within = rows["squares"].to_numpy() - values * total
        within = np.where(within > 0, within, 0)
        return Distribution(rows["bin"].to_numpy(), values, count, within)

    return of
