"""A run's row: its columns with their types, and rows from outcomes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from attnlogic.backend import Training
from attnlogic.outcomes import NONE, NUMBERS, STATUSES, Kind, Outcome, numbers_of, status
from attnlogic.problems import NAMES, pack

_INITIAL = tuple(f"{name}_initial" for name in NAMES)
_TYPES = {
    "int32": pl.Int32, "int64": pl.Int64, "float32": pl.Float32, "float64": pl.Float64,
}  # fmt: skip


def schema(precision: str) -> dict[str, Any]:
    """The columns of a run's row, in order, with their polars types.

    The numbers are those that ``outcomes.Outcome`` declares. Null stands for what does not exist:
    an epoch never reached, the parameters of a run that diverged. Losses and parameters have the
    training's precision.

    Example:
      >>> schema("float32")["first_hit"], schema("float32")["C"]
      (Int32, Float32)
    """
    numbers = {name: number.kind.dtype(precision).name for name, number in NUMBERS.items()}
    return {
        "gate": pl.String,
        "optimizer": pl.String,
        "seed": pl.UInt32,
        "status": pl.Enum(STATUSES),
        **{name: _TYPES[kind] for name, kind in numbers.items()},
        **dict.fromkeys((*NAMES, *_INITIAL), _TYPES[precision]),
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
    columns: dict[str, Any] = {
        "gate": training.gate.name,
        "optimizer": str(training.optimizer),
        "seed": seeds,
        "status": status(runs),
        **numbers_of(runs),
        **dict(zip(NAMES, pack(runs.final), strict=True)),
        **dict(zip(_INITIAL, pack(runs.initial), strict=True)),
        "epochs": training.epochs,
        "threshold": training.threshold,
        "backend": backend,
        "precision": training.precision,
        "init": init,
        "until": training.until,
    }
    rows = pl.DataFrame(
        {
            name: pl.Series(columns[name], dtype=kind)
            if np.ndim(columns[name])
            else pl.repeat(columns[name], len(seeds), dtype=kind, eager=True)
            for name, kind in schema(training.precision).items()
        }
    )
    whole = [name for name, number in NUMBERS.items() if number.kind is not Kind.REAL]
    return rows.with_columns(pl.col(whole).replace(NONE, None), pl.selectors.float().fill_nan(None))
