"""Where runs are read from: a study's folder or a frame, condition by condition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import polars as pl

from attnlogic.results.choosing.normal import conditions, normalized
from attnlogic.results.rows import CONDITION, condition
from attnlogic.results.store import Runs

Rows = pl.LazyFrame | pl.DataFrame
"""Runs of one condition: in memory, or read when they are collected."""


class Source(Protocol):
    """Runs of several conditions, each of which has a number."""

    @property
    def keys(self) -> list[dict[str, Any]]:
        """The conditions' values of the columns ``CONDITION``, by number."""

    @property
    def columns(self) -> Mapping[str, Any]:
        """The columns of the rows with their polars types."""

    def of_conditions(self, numbers: Sequence[int]) -> Iterator[tuple[int, Rows]]:
        """The runs of each of these conditions that has some, with its number, in this order."""

    def collect(self, rows: pl.LazyFrame) -> pl.DataFrame:
        """Read lazy rows; raises ``InputError`` that says what cannot be read."""

    def check(self) -> None:
        """Raise ``InputError`` that says what cannot be read, if something cannot."""


@dataclass(frozen=True)
class FolderSource:
    """A study on disk."""

    runs: Runs

    @property
    def keys(self) -> list[dict[str, Any]]:
        return self.runs.condition_table.select(*CONDITION).to_dicts()

    @property
    def columns(self) -> Mapping[str, Any]:
        return self.runs.schema

    def of_conditions(self, numbers: Sequence[int]) -> Iterator[tuple[int, Rows]]:
        return self.runs.of_conditions(numbers)

    def collect(self, rows: pl.LazyFrame) -> pl.DataFrame:
        return self.runs.collect(rows)

    def check(self) -> None:
        for _ in self.runs.parts():
            pass


@dataclass(frozen=True)
class FrameSource:
    """A frame of runs, of any types that hold the values; see ``conditions``."""

    frame: pl.LazyFrame | pl.DataFrame

    @cached_property
    def _parts(self) -> list[pl.DataFrame]:
        return conditions(self.frame)

    @property
    def keys(self) -> list[dict[str, Any]]:
        return [condition(part) for part in self._parts]

    @property
    def columns(self) -> Mapping[str, Any]:
        schemas = [part.schema for part in self._parts]
        return together(schemas or [normalized(self.frame).schema])

    def of_conditions(self, numbers: Sequence[int]) -> Iterator[tuple[int, Rows]]:
        return ((number, self._parts[number]) for number in numbers)

    def collect(self, rows: pl.LazyFrame) -> pl.DataFrame:
        return rows.collect()

    def check(self) -> None:
        pass


def together(schemas: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The columns of rows of all these: where types differ Float64 for numbers, else text.

    Example:
      >>> together([{"C": pl.Float32, "seed": pl.UInt32}, {"C": pl.Float64, "lr": pl.Float64}])
      {'C': Float64, 'seed': UInt32, 'lr': Float64}
    """
    found: dict[str, Any] = {}
    for schema in schemas:
        for name, kind in schema.items():
            before = found.setdefault(name, kind)
            if before != kind and kind != pl.Null:
                numeric = before.is_numeric() and kind.is_numeric()
                found[name] = kind if before == pl.Null else pl.Float64 if numeric else pl.String
    return found
