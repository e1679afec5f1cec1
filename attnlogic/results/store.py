"""A study on disk: a description in JSON, and the runs in Parquet, part by part.

::

    DIR/study.json                          settings, versions, devices
    DIR/parts/000-xor-adam/0-999.parquet    a row for each run: one condition, seeds 0 … 999

A part is written under another name and then renamed, so a file that has a part's name is whole,
whatever happened. Any Parquet reader reads them: ``DIR/parts/*/*.parquet``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from attnlogic.errors import InputError
from attnlogic.outcomes import NUMBERS, Kind
from attnlogic.results.rows import schema
from attnlogic.words import counted


@dataclass(frozen=True, repr=False)
class Runs:
    """The runs of a study, finished or not, as they are on disk.

    Attributes:
      directory: the study's folder.
      description: the content of ``study.json``.
    """

    directory: Path
    description: dict[str, Any]

    @property
    def frame(self) -> pl.LazyFrame:
        """All runs, a row each, with the columns of ``schema``; it is read when it is collected."""
        parts = self.part_files()
        if not parts:
            return pl.LazyFrame(schema=schema(self.description["precision"]))
        return _scan(*parts)

    def __len__(self) -> int:
        """How many runs there are."""
        return int(self.collect(self.frame.select(pl.len())).item())

    def table(self) -> pl.DataFrame:
        """All runs in memory, in the order of conditions, then of seeds.

        Raises:
          InputError: a part cannot be read.
        """
        conditions = [(c["gate"], c["optimizer"]) for c in self._conditions]
        order = pl.DataFrame(
            {
                "gate": [gate for gate, _ in conditions],
                "optimizer": [optimizer for _, optimizer in conditions],
                "_condition": range(len(conditions)),
            },
            schema={"gate": pl.String, "optimizer": pl.String, "_condition": pl.Int64},
        ).lazy()
        return self.collect(
            self.frame.join(order, on=("gate", "optimizer"), how="left")
            .sort("_condition", "seed")
            .drop("_condition")
        )

    def conditions(self) -> list[pl.LazyFrame]:
        """The runs of each condition that has some, in the order of the study's conditions.

        One row of each is read, to find its place in that order; ``collect`` reads the rest.
        """
        return [_scan(*parts) for parts in self._folders()]

    def parts(self) -> Iterator[pl.DataFrame]:
        """All runs, one part in memory at a time: in the order of conditions, some seeds each.

        Raises:
          InputError: a part cannot be read.
        """
        for parts in self._folders():
            for part in parts:
                yield self.collect(_scan(part))

    def _folders(self) -> list[list[Path]]:
        """The files of each condition, in the order of the study's conditions."""
        folders: dict[Path, list[Path]] = {}
        for part in self.part_files():
            folders.setdefault(part.parent, []).append(part)
        order = {(c["gate"], c["optimizer"]): i for i, c in enumerate(self._conditions)}

        def place(parts: list[Path]) -> int:
            first = _scan(parts[0]).select("gate", "optimizer").head(1)
            return order.get(self.collect(first).row(0), len(order))

        return sorted(folders.values(), key=place)

    @property
    def _conditions(self) -> list[dict[str, Any]]:
        conditions: list[dict[str, Any]] = self.description["conditions"]
        return conditions

    def part_files(self) -> list[Path]:
        """The files of all parts that are whole."""
        return sorted(self.directory.glob("parts/*/*.parquet"))

    def collect(self, frame: pl.LazyFrame) -> pl.DataFrame:
        """Read a lazy frame of these runs.

        Raises:
          InputError: a part cannot be read.
        """
        try:
            return frame.collect()
        except pl.exceptions.PolarsError as error:  # it seldom names the file
            broken = (part for part in self.part_files() if not self._readable(part))
            says = str(error).splitlines()[0]
            raise InputError(f"cannot read '{next(broken, self.directory)}': {says}") from error

    def _readable(self, part: Path) -> bool:
        try:
            rows = _scan(part).collect()
        except pl.exceptions.PolarsError:
            return False
        return rows.schema == schema(self.description["precision"])

    def __repr__(self) -> str:
        conditions = counted(len(self._conditions), "condition")
        try:
            return f"Runs({str(self.directory)!r}, {counted(len(self), 'run')} of {conditions})"
        except InputError:
            return f"Runs({str(self.directory)!r}, {conditions}; a part cannot be read)"


def _scan(*parts: Path) -> pl.LazyFrame:
    """The rows of some parts. Their paths are literal: no patterns, no ``~``."""
    rows = pl.scan_parquet([part.absolute() for part in parts], glob=False)
    # Earlier versions kept these in 32 bits.
    return rows.cast({name: pl.Int64 for name, n in NUMBERS.items() if n.kind is Kind.COUNT})


def load(directory: str | Path) -> Runs:
    """The runs of a study on disk.

    Raises:
      InputError: no study lies there.
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
        case {"precision": "float32" | "float64", "conditions": [*conditions]} if all(
            isinstance(c, dict) and {"gate", "optimizer"} <= c.keys() for c in conditions
        ):
            return Runs(path, description)
    raise InputError(
        f"'{path / 'study.json'}' does not describe a study: expected an object with its "
        "'precision' and its 'conditions', each a 'gate' with an 'optimizer'"
    )
