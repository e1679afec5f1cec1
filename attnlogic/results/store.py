"""A study on disk: a description in JSON, and the runs in Parquet, part by part.

::

    DIR/study.json                       what was asked: conditions, seeds, versions, devices
    DIR/parts/000-adam/0-1999.parquet    a row for each run: some conditions of one kind, in order

A part is written under another name and then renamed, so a file that has a part's name is whole,
whatever happened. Any Parquet reader reads them: the column ``condition`` is a place in the list of
conditions in ``study.json``. Conditions are of one kind if they train one model by one optimizer,
with other targets or numbers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from attnlogic.errors import InputError
from attnlogic.outcomes import NUMBERS, Kind
from attnlogic.results.condition_columns import condition_table, kinds
from attnlogic.results.rows import run_schema, schema
from attnlogic.words import counted

T = TypeVar("T")

FORMAT = 2
"""The number of this layout. In the first, which had none, each row had its condition's columns."""

ROWS_AT_ONCE = 2**18
"""Rows in memory at once, at most, where conditions with few runs are read together."""


@dataclass(frozen=True, repr=False)
class Runs:
    """The runs of a study, finished or not, as they are on disk.

    Attributes:
      directory: the study's folder.
      description: the content of ``study.json``.
    """

    directory: Path
    description: dict[str, Any]

    @cached_property
    def condition_table(self) -> pl.DataFrame:
        """A row for each condition: see ``conditions.condition_table``."""
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
        return schema(self.precision, kinds(self.description), settings)

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
        return int(self.collect(self._scan(self.part_files()).select(pl.len())).item())

    def table(self) -> pl.DataFrame:
        """All runs in memory, in the order of conditions, then of seeds.

        Raises:
          InputError: a part cannot be read.
        """
        rows = self._scan(self.part_files()).sort("condition", "seed")
        return self.collect(self._with_conditions(rows))

    def conditions(self) -> Iterator[pl.LazyFrame | pl.DataFrame]:
        """The runs of each condition that has some, in the order of the study's conditions.

        A condition with many runs is lazy: it is read when its frame is collected. Others are in
        memory, a few at a time.

        Raises:
          InputError: a part cannot be read.
        """
        rows = self._scan(self.part_files())
        counts = self.collect(rows.group_by("condition").len().sort("condition"))
        for some, runs in _together(counts.rows()):
            of_some = rows.filter(pl.col("condition").is_between(some[0], some[-1]))
            if runs > ROWS_AT_ONCE:
                yield self._with_conditions(of_some)
                continue
            ordered = of_some.sort("condition", "seed")
            block = self.collect(self._with_conditions(ordered, keep=("condition",)))
            yield from block.partition_by("condition", include_key=False, maintain_order=True)

    def parts(self) -> Iterator[pl.DataFrame]:
        """All runs, one part in memory at a time.

        Raises:
          InputError: a part cannot be read.
        """
        for part in self.part_files():
            yield self.collect(self._with_conditions(self._scan([part])))

    def part_files(self) -> list[Path]:
        """The files of all parts that are whole."""
        return sorted(self.directory.glob("parts/*/*.parquet"))

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
        if not parts:
            return pl.LazyFrame(schema=run_schema(self.precision))
        folders: dict[Path, list[Path]] = {}
        for part in parts:
            folders.setdefault(part.parent, []).append(part)
        frames = [self._scan_alike(alike) for alike in folders.values()]
        return frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal")

    def _scan_alike(self, parts: Sequence[Path]) -> pl.LazyFrame:
        """The rows of parts with the same columns. Paths are literal: no patterns, no ``~``."""
        rows = pl.scan_parquet([part.absolute() for part in parts], glob=False)
        if "format" in self.description:
            return rows
        # The first format: each row had its condition's columns, and counts had 32 bits.
        of = self.condition_table.lazy().select("condition", "gate", "optimizer")
        counts: dict[Any, Any] = {
            name: pl.Int64 for name, n in NUMBERS.items() if n.kind is Kind.COUNT
        }
        joined = rows.cast(counts).join(of, on=("gate", "optimizer"), how="left")
        return joined.select(*run_schema(self.precision))

    def _with_conditions(self, rows: pl.LazyFrame, keep: tuple[str, ...] = ()) -> pl.LazyFrame:
        """Rows of parts with the columns of ``schema``, in their order; those kept come first."""
        there = self._read(rows.collect_schema)
        missing = [
            pl.lit(None, kind).alias(name)
            for name, kind in self.schema.items()
            if name not in there and name not in self.condition_table.columns
        ]
        known = rows.join(
            self.condition_table.lazy(), on="condition", how="left", maintain_order="left"
        )
        return known.with_columns(missing).select(*keep, *self.schema)

    def __repr__(self) -> str:
        conditions = counted(len(self.description["conditions"]), "condition")
        try:
            return f"Runs({str(self.directory)!r}, {counted(len(self), 'run')} of {conditions})"
        except InputError:
            return f"Runs({str(self.directory)!r}, {conditions}; a part cannot be read)"

    def _repr_html_(self) -> str:
        """What a notebook shows: the summary of the runs as a table."""
        import attnlogic

        try:
            return f"<p>{escape(repr(self))}</p>{attnlogic.STATISTICS['summary'].html(self)}"
        except InputError as error:
            return f"<p>{escape(repr(self))}</p><p>{escape(str(error))}</p>"


def _together(counts: Sequence[tuple[int, int]]) -> Iterator[tuple[list[int], int]]:
    """Conditions with their numbers of runs, in lists of one or of up to ``ROWS_AT_ONCE`` runs."""
    some: list[int] = []
    rows = 0
    for condition, runs in counts:
        if some and rows + runs > ROWS_AT_ONCE:
            yield some, rows
            some, rows = [], 0
        some.append(condition)
        rows += runs
    if some:
        yield some, rows


def load(directory: str | Path) -> Runs:
    """The runs of a study on disk.

    Raises:
      InputError: no study lies there, or one of a later version.
    """
    path = Path(directory)
    try:
        description = json.loads((path / "study.json").read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            f"no study in '{path}' (it has no study.json): name the folder given to --out"
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read '{path / 'study.json'}': {error}") from error
    match description:
        case {"format": int(number)} if number > FORMAT:
            raise InputError(
                f"'{path}' has the format {number}, and this version reads up to {FORMAT}: "
                "read it with the version that wrote it, or a later one"
            )
        case {"precision": "float32" | "float64", "conditions": [*conditions]} if all(
            isinstance(c, dict) and {"gate", "optimizer"} <= c.keys() for c in conditions
        ):
            return Runs(path, description)
    raise InputError(
        f"'{path / 'study.json'}' does not describe a study: expected an object with its "
        "'precision' and its 'conditions', each a 'gate' with an 'optimizer'"
    )
