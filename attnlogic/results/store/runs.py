"""A study on disk: a folder that describes itself, and survives what may happen to it.

::

    DIR/study.json       what was asked (conditions, data, seeds), versions, devices; a checksum
    DIR/parts/000-adam/0-1999.1f3870be274f6c49b3e31a0c6728957f.parquet
                         a row for each run: some conditions of one kind, some seeds of each
    DIR/.lock, DIR/.writer.json     held by the process that writes, and who that is

The name of a part has the range of its seeds and the digest of its bytes. In its metadata it lists
its runs: seeds by condition, each condition with a digest of all that decides its rows. A part is
written under another name, synced and renamed. Files are read only if they lie in a folder that
``study.json`` names and are regular, whole, of this study, and hold no run that another part holds;
what is not read is named. What is missing is what ``study.json`` asks for and no part has.

Any Parquet reader reads the parts: the column ``condition`` is a place in the list of conditions in
``study.json``. Conditions are of one kind if they train one model by one optimizer, with other
targets or numbers. Parts of a census hold counts in place of rows: see ``census``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from attnlogic.errors import InputError
from attnlogic.results.rows import (
    Exported,
    Own,
    SeedRanges,
    census_schema,
    condition_table,
    kinds,
    run_schema,
    schema,
    seed_ranges,
)
from attnlogic.results.store.blocks import together
from attnlogic.results.store.description import FORMAT, read_description
from attnlogic.results.store.inventory import Inventory, Unread, earlier_parts, take_inventory
from attnlogic.results.store.scanning import scan, with_conditions
from attnlogic.words import counted

T = TypeVar("T")

ROWS_AT_ONCE = 2**18
"""Rows in memory at once, at most, where conditions with few runs are read together."""


@dataclass(frozen=True, repr=False)
class Runs(Exported):
    """The runs of a study, finished or not, as they are on disk.

    Attributes:
      directory: the study's folder.
      description: the content of ``study.json``.
    """

    directory: Path
    description: dict[str, Any]

    def inventory(self, on_read: Callable[[int], None] = lambda size: None) -> Inventory:
        """What lies in the folder now: the parts that are sound, and what is not read.

        Args:
          on_read: called with the size of each file that has been checked.

        Raises:
          InputError: a folder cannot be read.
        """
        columns = [run_schema(self.precision, own) for own in self._kinds]
        if not self.keeps_rows:
            columns = [*map(census_schema, columns)]
        return take_inventory(self.directory, self.description, columns, on_read)

    @property
    def unread(self) -> tuple[Unread, ...]:
        """What looks like a part and is not read, each with the reason."""
        return () if self.is_earlier else self.inventory().unread

    @cached_property
    def planned(self) -> dict[int, SeedRanges]:
        """The seeds of each condition, by its number: what the study has once it is finished."""
        conditions = self.description["conditions"]
        if self.is_earlier:
            said = self.description.get("seeds", {"first": 0, "count": 0})
            seeds = ((said["first"], said["first"] + said["count"]),)
            return dict.fromkeys(range(len(conditions)), seeds)
        return {i: seed_ranges.union(one["seeds"]) for i, one in enumerate(conditions)}

    @property
    def asked(self) -> int:
        """How many runs the study has once it is finished."""
        return sum(map(seed_ranges.count, self.planned.values()))

    @property
    def seeds(self) -> SeedRanges:
        """The seeds that any condition has once the study is finished."""
        return seed_ranges.union(*self.planned.values())

    @cached_property
    def _kinds(self) -> list[Own]:
        return kinds(self.description)

    @property
    def is_earlier(self) -> bool:
        """Whether an earlier version wrote it, whose parts have no checksums."""
        return bool(self.description.get("format", 1) < FORMAT)

    @property
    def keeps_rows(self) -> bool:
        """Whether it keeps every run's row; a census keeps tallies: see ``census``."""
        return bool(self.description.get("keep", "rows") == "rows")

    @cached_property
    def condition_table(self) -> pl.DataFrame:
        """A row for each condition: see ``rows.condition_table``."""
        return condition_table(self.description)

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The columns of a run's row, in order, with their polars types."""
        known = schema(self.precision)
        settings = {
            name: kind
            for name, kind in self.condition_table.schema.items()
            if name != "condition" and name not in known
        }
        return schema(self.precision, self._kinds, settings)

    @property
    def precision(self) -> str:
        """``"float32"`` or ``"float64"``."""
        return str(self.description["precision"])

    @property
    def frame(self) -> pl.LazyFrame:
        """All runs, a row each, with the columns of ``schema``; it is read when it is collected."""
        return self._with_conditions(self._scan(self.part_files()))

    def __len__(self) -> int:
        """How many runs there are."""
        if self.is_earlier:
            return int(self.collect(self._scan(self.part_files()).select(pl.len())).item())
        return sum(part.rows for part in self.inventory().parts)

    def table(self) -> pl.DataFrame:
        """All runs in memory, in the order of conditions, then of seeds.

        Raises:
          InputError: a part cannot be read.
        """
        rows = self._scan(self.part_files()).sort("condition", "seed")
        return self.collect(self._with_conditions(rows))

    def conditions(self) -> Iterator[pl.LazyFrame | pl.DataFrame]:
        """The runs of each condition that has some, in order; see ``of_conditions``."""
        return (rows for _, rows in self.of_conditions(range(len(self.condition_table))))

    def of_conditions(
        self, numbers: Sequence[int]
    ) -> Iterator[tuple[int, pl.LazyFrame | pl.DataFrame]]:
        """The runs of each of these conditions that has some, with its number.

        A condition with many runs is lazy: it is read when its frame is collected. Others are in
        memory, a few at a time.

        Args:
          numbers: of conditions, each once, in the order in which they are wanted.

        Raises:
          InputError: a part cannot be read.
        """
        rows = self._scan(self.part_files())
        counts = dict(self.collect(rows.group_by("condition").len()).rows())
        there = [(number, counts[number]) for number in numbers if number in counts]
        for some, runs in together(there, ROWS_AT_ONCE):
            number = pl.col("condition")  # a range, too: by that, files can be left out
            of_some = rows.filter(number.is_between(min(some), max(some)), number.is_in(some))
            if runs > ROWS_AT_ONCE:
                yield some[0], self._with_conditions(of_some)
                continue
            ordered = of_some.sort("condition", "seed")
            block = self.collect(self._with_conditions(ordered, keep=("condition",)))
            found = block.partition_by("condition", include_key=False, as_dict=True)
            yield from ((number, found[number,]) for number in some)

    def parts(self) -> Iterator[pl.DataFrame]:
        """All runs, one part in memory at a time.

        Raises:
          InputError: a part cannot be read.
        """
        for part in self.part_files():
            yield self.collect(self._with_conditions(self._scan([part])))

    def part_files(self) -> list[Path]:
        """The files of all parts that are sound."""
        if self.is_earlier:
            return earlier_parts(self.directory, self.description)
        return [part.path for part in self.inventory().parts]

    def collect(self, frame: pl.LazyFrame) -> pl.DataFrame:
        """Read a lazy frame of these runs.

        Raises:
          InputError: a part cannot be read.
        """
        return self._read(frame.collect)

    def _read(self, reading: Callable[[], T]) -> T:
        """What ``reading`` returns; if it fails, an error that names the part."""
        try:
            return reading()
        except pl.exceptions.PolarsError as error:  # it seldom names the file
            broken = (part for part in self.part_files() if not self._readable(part))
            says = str(error).splitlines()[0]
            raise InputError(f"cannot read '{next(broken, self.directory)}': {says}") from error

    def _readable(self, part: Path) -> bool:
        known = {"condition": pl.UInt32, **self.schema}
        try:
            columns = self._scan([part]).collect().schema
        except pl.exceptions.PolarsError:
            return False
        return all(known.get(name) == kind for name, kind in columns.items())

    def _scan(self, parts: Sequence[Path]) -> pl.LazyFrame:
        """The rows of some parts; of the columns of ``run_schema`` those that any of them has."""
        if not self.keeps_rows:
            raise InputError(
                f"'{self.directory}' keeps a tally and no rows: statistics take it as it is, and "
                "what needs every run a study that was trained with --keep rows"
            )
        return scan(self.description, parts)

    def known(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows with the columns of ``run_schema`` as rows with those of ``schema``."""
        return self._with_conditions(rows.lazy()).collect()

    def _with_conditions(self, rows: pl.LazyFrame, keep: tuple[str, ...] = ()) -> pl.LazyFrame:
        """Rows of parts with the columns of ``schema``, in their order; those kept come first."""
        return self._read(lambda: with_conditions(rows, self.condition_table, self.schema, keep))

    def __repr__(self) -> str:
        conditions = counted(len(self.description["conditions"]), "condition")
        try:
            there = f"{counted(len(self), 'run')} of {conditions}"
        except InputError:
            return f"Runs({str(self.directory)!r}, {conditions}; a part cannot be read)"
        unread = f"; not read: {counted(len(self.unread), 'file')}" if self.unread else ""
        return f"Runs({str(self.directory)!r}, {there}{unread})"

    def _repr_html_(self) -> str:
        """What a notebook shows: the summary of the runs as a table."""
        import attnlogic

        try:
            return f"<p>{escape(repr(self))}</p>{attnlogic.STATISTICS['summary'].html(self)}"
        except InputError as error:
            return f"<p>{escape(repr(self))}</p><p>{escape(str(error))}</p>"


def load(directory: str | Path) -> Runs:
    """The runs of a study on disk. A file that is not read is a warning: see ``Runs.unread``.

    Raises:
      InputError: see ``read_study``.
    """
    runs = read_study(directory)
    if unread := runs.unread:
        more = f", and {counted(len(unread) - 1, 'file')} more" if unread[1:] else ""
        warnings.warn(f"not read: {unread[0]}{more}: see Runs.unread", stacklevel=2)
    return runs


def read_study(directory: str | Path) -> Runs:
    """The runs of a study on disk, whose parts are not looked at yet.

    Raises:
      InputError: no study lies there, one of a later version, or its ``study.json`` is damaged.
    """
    path = Path(directory)
    return Runs(path, read_description(path))
