"""What a statistic is asked of: runs of studies, frames and tallies, all or some.

One seed under one condition counts once, however many sources have it. Conditions of different
studies that have the same settings are one condition.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import polars as pl

from attnlogic.errors import InputError, unknown
from attnlogic.results.choosing.chosen import Choices, is_chosen
from attnlogic.results.choosing.other_threshold import at_threshold
from attnlogic.results.choosing.shared_runs import each_once
from attnlogic.results.choosing.sources import Rows, Source, together
from attnlogic.results.counts import ROWS_AT_ONCE, Population, Tally, population
from attnlogic.results.rows import Exported, Where

ROWS_READ_AT_ONCE = 2**18
"""Rows of a condition that are read at once to be counted."""


@dataclass(frozen=True, repr=False)
class Selection(Exported):
    """Runs, all or some, of one source or several; ``select`` makes one.

    Attributes:
      sources: studies and frames.
      tallies: of other runs, or of the same.
      asked: which conditions.
      rows: which rows; None for all.
      threshold: the rung of the ladder in place of the runs' own threshold; None for their own.
    """

    sources: tuple[Source, ...]
    tallies: tuple[Tally, ...]
    asked: Choices
    rows: Where | None = None
    threshold: float | None = None

    @property
    def note(self) -> str:
        """What was selected, in a sentence; empty where that is everything."""
        said = [f"{name} {' or '.join(texts)}" for name, texts in self.asked.items()]
        if self.rows:
            said.append(f"where {self.rows.text}")
        note = f"Only runs of: {', '.join(said)}." if said else ""
        if self.threshold is not None:
            note += f" Threshold {self.threshold:g}, from the ladder: not that of the training."
        return note.strip()

    @cached_property
    def columns(self) -> dict[str, Any]:
        """The columns of the rows with their polars types."""
        return together([source.columns for source in self.sources])

    @cached_property
    def _places(self) -> dict[tuple[Any, ...], list[tuple[int, int]]]:
        """Each condition asked for: in which sources it is, and by which number there."""
        found: dict[tuple[Any, ...], list[tuple[int, int]]] = {}
        for k, source in enumerate(self.sources):
            for number, key in enumerate(source.keys):
                if is_chosen(self.asked, key):
                    own = key if self.threshold is None else key | {"threshold": self.threshold}
                    found.setdefault(tuple(own.values()), []).append((k, number))
        return found

    def conditions(self) -> Iterator[Rows]:
        """The runs of each condition that has some, one after the other; big ones are lazy.

        Raises:
          InputError: a part cannot be read, sources disagree, no run is left, or there are tallies.
        """
        if self.tallies:
            raise InputError(
                "these are tallies: this needs every run, so name studies that keep rows"
            )
        streams = [
            _Stream(source, [n for places in self._places.values() for i, n in places if i == k])
            for k, source in enumerate(self.sources)
        ]
        some = False
        for places in self._places.values():
            parts = [rows for k, n in places if (rows := streams[k].take(n)) is not None]
            if self.threshold is not None:
                parts = [at_threshold(part, self.threshold) for part in parts]
            if parts and (rows := self._meant(each_once(parts, self.collect))) is not None:
                some = True
                yield rows
        if not some and self.note:
            raise InputError(f"no run is left. {self.note}")

    def _meant(self, rows: Rows) -> Rows | None:
        """The rows that are meant; None if there are none."""
        if self.rows is None:
            return rows
        meant = self.rows.of(rows.lazy())
        if isinstance(rows, pl.DataFrame):
            found = meant.collect()
            return found if len(found) else None
        return meant if self.collect(meant.select(pl.len())).item() else None

    def frames(self) -> Iterator[pl.DataFrame]:
        """The runs of each condition that has some, in memory, one after the other."""
        return (self.collect(rows.lazy()) for rows in self.conditions())

    def tables(
        self, columns: Sequence[str] | None = None, limit: int | None = None
    ) -> Iterator[pl.DataFrame]:
        """The rows of each condition, by seed; all with the same columns and types.

        Args:
          columns: which, in this order; None for all.
          limit: how many rows at most, of all conditions together; None for all.

        Raises:
          InputError: a column is unknown, or as for ``conditions``.
        """
        names = [*self.columns] if columns is None else [*columns]
        for name in names:
            if name not in self.columns:
                raise unknown("column", name, self.columns)
        schema = {name: self.columns[name] for name in names}
        return self._tables(schema, limit)

    def _tables(self, schema: dict[str, Any], limit: int | None) -> Iterator[pl.DataFrame]:
        left = limit
        for rows in self.conditions():
            there = rows.collect_schema()
            missing = [pl.lit(None, kind).alias(n) for n, kind in schema.items() if n not in there]
            some = rows.lazy().sort("seed").with_columns(missing).select(*schema)
            found = self.collect(some if left is None else some.head(left)).cast(pl.Schema(schema))
            yield found
            left = None if left is None else left - len(found)
            if left == 0:
                return

    def table(self, columns: Sequence[str] | None = None, limit: int | None = None) -> pl.DataFrame:
        """The rows in memory, by condition, then by seed; arguments as for ``tables``.

        Raises:
          InputError: a column is unknown, or as for ``conditions``.
        """
        names = [*self.columns] if columns is None else [*columns]
        none = pl.DataFrame(schema={name: self.columns.get(name) for name in names})
        return pl.concat([none, *self.tables(names, limit)])

    def populations(self) -> Iterator[Population]:
        """The runs of each condition as statistics see them, one after the other."""
        if self.tallies:
            return iter(self.tally().populations())
        return (population(rows, self.collect) for rows in self.conditions())

    def tally(self) -> Tally:
        """The tally of these runs.

        Raises:
          InputError: a part cannot be read, sources disagree, tallies share a run with another
            source, or rows were selected.
        """
        if self.rows is not None:
            raise InputError(
                "a tally counts whole conditions: rates of some runs alone would be read as those "
                "of all. Leave --where out"
            )
        rows = replace(self, tallies=()).conditions() if self.sources else ()
        return Tally.total([*map(self._kept, self.tallies), *map(self._counted, rows)])

    def _kept(self, tally: Tally) -> Tally:
        """The conditions of a tally that are asked for."""
        return tally.filtered(lambda key: is_chosen(self.asked, key))

    def _counted(self, rows: Rows) -> Tally:
        """The tally of a condition's runs, some at a time."""
        return Tally.total(
            Tally.of_rows(some)
            for block in self.blocks(rows)
            for some in block.iter_slices(ROWS_AT_ONCE)
        )

    def blocks(self, rows: Rows) -> Iterator[pl.DataFrame]:
        """A condition's runs in memory, a range of seeds at a time."""
        if isinstance(rows, pl.DataFrame):
            yield rows
            return
        seeds = self.collect(rows.select("seed"))["seed"].sort()
        for some in seeds.to_frame().iter_slices(ROWS_READ_AT_ONCE):
            within = pl.col("seed").is_between(some["seed"][0], some["seed"][-1])
            yield self.collect(rows.filter(within))

    def collect(self, rows: pl.LazyFrame) -> pl.DataFrame:
        """Read lazy rows.

        Raises:
          InputError: a part cannot be read; it names the file.
        """
        if len(self.sources) == 1:
            return self.sources[0].collect(rows)
        try:
            return rows.collect()
        except pl.exceptions.PolarsError as error:
            for source in self.sources:
                source.check()
            says = str(error).splitlines()[0]
            raise InputError(f"cannot read the runs: {says}") from error

    def __repr__(self) -> str:
        sources = [*self.sources, *self.tallies]
        return f"<selection of {len(sources)} sources{': ' if self.note else ''}{self.note}>"


class _Stream:
    """A source's conditions one after the other, in the order in which they are asked for."""

    def __init__(self, source: Source, numbers: Sequence[int]) -> None:
        self._rows = source.of_conditions(numbers)
        self._next: tuple[int, Rows] | None = None

    def take(self, number: int) -> Rows | None:
        """The runs of the next condition if it is this one, else None: it has none."""
        found = self._next or next(self._rows, None)
        self._next = found if found and found[0] != number else None
        return found[1] if found and self._next is None else None
