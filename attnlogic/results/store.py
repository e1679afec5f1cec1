"""A study on disk: a description in JSON, and the runs in Parquet, part by part.

::

    DIR/study.json                          settings, versions, devices
    DIR/parts/000-xor-adam/0-999.parquet    a row a run: one condition, seeds 0 … 999

A part is written under another name and then renamed, so a file that has a part's name is whole,
whatever happened. Any Parquet reader reads them: ``DIR/parts/*/*.parquet``.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from attnlogic.backend import Training
from attnlogic.errors import InputError
from attnlogic.outcomes import LADDER, NONE, STATUSES, Outcome, rung_name, status
from attnlogic.problems import NAMES, invariant, pack

_EPOCHS = ("first_hit", "sustained_from", "stopped_at", "diverged_at")
_COUNTS = ("rises", "exits", "evaluations", "evaluations_first_hit")
_LOSSES = ("initial_loss", "final_loss", "min_loss", "worst_after_hit")
RUNGS = tuple(f"first_hit_{rung_name(rung)}" for rung in LADDER)
"""The columns of the ladder's first hits, from ``first_hit_1e-1`` to ``first_hit_1e-10``."""
_INITIAL = tuple(f"{name}_initial" for name in NAMES)


def schema(precision: str) -> dict[str, Any]:
    """The columns of a run's row, in order, with their polars types.

    Null stands for what does not exist: an epoch never reached, the parameters of a run that
    diverged. Losses and parameters have the training's precision.
    """
    real = pl.Float32 if precision == "float32" else pl.Float64
    return {
        "gate": pl.String,
        "optimizer": pl.String,
        "seed": pl.UInt32,
        "status": pl.Enum(STATUSES),
        **dict.fromkeys(_EPOCHS, pl.Int32),
        **dict.fromkeys(_COUNTS, pl.Int32),
        **dict.fromkeys(RUNGS, pl.Int32),
        **dict.fromkeys(_LOSSES, real),
        **dict.fromkeys(("gradient_norm", "C_initial", "C_first_hit", "C"), real),
        **dict.fromkeys((*NAMES, *_INITIAL), real),
        "epochs": pl.Int32,
        "threshold": pl.Float64,
        "backend": pl.String,
        "precision": pl.String,
        "init": pl.String,
        "until": pl.String,
    }


def table(
    training: Training, backend: str, init: str, seeds: npt.NDArray[np.uint32], runs: Outcome
) -> pl.DataFrame:
    """Outcomes as rows.

    Args:
      training: what was done.
      backend: the backend's name.
      init: the initialisation, written out.
      seeds: shape (N,).
      runs: leaves of shape (N,).

    Returns:
      N rows with the columns of ``schema``.
    """
    with np.errstate(over="ignore"):  # a start may be so far out that its C is infinite
        C_initial = invariant(runs.initial)
    columns: dict[str, Any] = {
        "gate": training.gate.name,
        "optimizer": str(training.optimizer),
        "seed": seeds,
        "status": status(runs),
        **{name: getattr(runs, name) for name in (*_EPOCHS, *_COUNTS, *_LOSSES)},
        **dict(zip(RUNGS, runs.ladder, strict=True)),
        "gradient_norm": runs.gradient_norm,
        "C_initial": C_initial,
        "C_first_hit": runs.C_first_hit,
        "C": runs.C,
        **dict(zip(NAMES, pack(runs.final), strict=True)),
        **dict(zip(_INITIAL, pack(runs.initial), strict=True)),
        "epochs": training.epochs,
        "threshold": training.threshold,
        "backend": backend,
        "precision": training.precision,
        "init": init,
        "until": training.until,
    }
    kinds = schema(training.precision)
    rows = pl.DataFrame(
        {
            name: pl.Series(columns[name], dtype=kind)
            if np.ndim(columns[name])
            else pl.repeat(columns[name], len(seeds), dtype=kind, eager=True)
            for name, kind in kinds.items()
        }
    )
    return rows.with_columns(
        pl.col(*_EPOCHS, *RUNGS, "evaluations_first_hit").replace(NONE, None),
        pl.selectors.float().fill_nan(None),
    )


@dataclass(frozen=True)
class Runs:
    """The runs of a study, finished or not, as they lie on disk.

    Attributes:
      directory: where.
      description: what ``study.json`` says.
    """

    directory: Path
    description: dict[str, Any]

    @property
    def frame(self) -> pl.LazyFrame:
        """All runs, a row each, with the columns of ``schema``; nothing is read until needed."""
        parts = self._parts()
        if not parts:
            return pl.LazyFrame(schema=schema(self.description["precision"]))
        return pl.scan_parquet(parts, glob=False)

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
        """The runs of each condition that there are now, in the order of the study's conditions.

        Nothing but a row of each is read: ``collect`` reads what is asked of it.
        """
        return [pl.scan_parquet(parts, glob=False) for parts in self._folders()]

    def parts(self) -> Iterator[pl.DataFrame]:
        """All runs, a part in memory at a time: in the order of conditions, some seeds each.

        Raises:
          InputError: a part cannot be read.
        """
        for parts in self._folders():
            for part in parts:
                yield self.collect(pl.scan_parquet(part, glob=False))

    def _folders(self) -> list[list[Path]]:
        """The files of each condition, in the order of the study's conditions."""
        folders: dict[Path, list[Path]] = {}
        for part in self._parts():
            folders.setdefault(part.parent, []).append(part)
        order = {(c["gate"], c["optimizer"]): i for i, c in enumerate(self._conditions)}

        def place(parts: list[Path]) -> int:
            first = pl.scan_parquet(parts[0], glob=False).select("gate", "optimizer").head(1)
            return order.get(self.collect(first).row(0), len(order))

        return sorted(folders.values(), key=place)

    @property
    def _conditions(self) -> list[dict[str, Any]]:
        conditions: list[dict[str, Any]] = self.description["conditions"]
        return conditions

    def _parts(self) -> list[Path]:
        return sorted(self.directory.glob("parts/*/*.parquet"))

    def collect(self, frame: pl.LazyFrame) -> pl.DataFrame:
        """Read what a frame of these runs asks for.

        Raises:
          InputError: a part cannot be read.
        """
        try:
            return frame.collect()
        except pl.exceptions.PolarsError as error:  # it seldom says in which file
            broken = (part for part in self._parts() if not self._readable(part))
            says = str(error).splitlines()[0]
            raise InputError(f"cannot read '{next(broken, self.directory)}': {says}") from error

    def _readable(self, part: Path) -> bool:
        try:
            rows = pl.scan_parquet(part, glob=False).collect()
        except pl.exceptions.PolarsError:
            return False
        return rows.schema == schema(self.description["precision"])


def create(directory: Path, description: dict[str, Any]) -> Runs:
    """Start a study in a folder that is new or empty.

    Raises:
      InputError: the folder holds something already, or cannot be made.
    """
    try:
        if directory.is_dir() and any(directory.iterdir()):
            raise InputError(f"'{directory}' is not empty: name another folder with --out")
        (directory / "parts").mkdir(parents=True)
        _write(directory / "study.json", json.dumps(description, indent=2).encode() + b"\n")
    except OSError as error:
        raise InputError(f"cannot write to '{directory}': {error.strerror}") from error
    return Runs(directory, description)


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


def write_part(directory: Path, condition: str, rows: pl.DataFrame) -> None:
    """Add some runs of one condition: a file of their own, there whole or not at all."""
    folder = directory / "parts" / condition
    folder.mkdir(exist_ok=True)
    write_frame(folder / f"{rows['seed'][0]}-{rows['seed'][-1]}.parquet", rows)


def write_frame(path: Path, frame: pl.DataFrame) -> None:
    """Write a frame to a Parquet file, whole or not at all.

    Raises:
      OSError: the system's own: polars would hide it (a full disk) in one of its own.
    """
    content = io.BytesIO()
    frame.write_parquet(content)
    _write(path, content.getvalue())


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: under another name, renamed once it is on the disk."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
