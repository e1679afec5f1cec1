"""A run's row: its columns with their types, and rows from outcomes.

A part on disk holds what belongs to a run: its condition's number, its seed, its outcome. What
belongs to the condition is joined to it when the runs are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from attnlogic.outcomes import (
    NONE,
    NUMBERS,
    STATUSES,
    Kind,
    Outcome,
    numbers_of,
    own_numbers,
    status,
)
from attnlogic.problems import Problem, problem

_TYPES = {
    "int32": pl.Int32, "int64": pl.Int64, "float32": pl.Float32, "float64": pl.Float64,
}  # fmt: skip

SETTINGS: dict[str, Any] = {
    "backend": pl.String, "precision": pl.String, "epochs": pl.Int32, "threshold": pl.Float64,
    "init": pl.String, "until": pl.String, "model": pl.String, "encoding": pl.String,
}  # fmt: skip
"""The columns that, beside gate and optimizer, tell one condition from another; their types."""

CONDITION: dict[str, Any] = {"gate": pl.String, "optimizer": pl.String, **SETTINGS}
"""The columns that tell one condition from another, and their types."""

MAX_PARAMETERS = 64
"""Parameters of a model that are all columns. Of more, those that a study asks for."""

_TAKEN = {"condition", "seed", "status", *NUMBERS, *CONDITION}


class Own(NamedTuple):
    """The columns of a model's own.

    Attributes:
      quantities: the name of each of its quantities -> its meaning.
      parameters: the names of the parameters that are columns.
    """

    quantities: dict[str, str]
    parameters: tuple[str, ...]

    def __or__(self, other: Own) -> Own:
        """The columns of both."""
        parameters = dict.fromkeys((*self.parameters, *other.parameters))
        return Own(self.quantities | other.quantities, tuple(parameters))


def own_columns(problem: Problem, asked: Sequence[str] = ()) -> Own:
    """The columns of a problem's own.

    Args:
      problem: the problem.
      asked: names of parameters, or patterns such as ``"w*"``; without any all of them if they are
        ``MAX_PARAMETERS`` or fewer, else none.
    """
    names = problem.names
    if asked:
        names = tuple(n for n in names if any(matches(n, pattern) for pattern in asked))
    elif len(names) > MAX_PARAMETERS:
        names = ()
    return Own({q.name: q.meaning for q in problem.own}, names)


def matches(parameter: str, pattern: str) -> bool:
    """Whether a parameter is meant: ``*`` and ``?`` stand for anything, brackets for themselves."""
    return fnmatchcase(parameter, pattern.replace("[", "[[]"))


NOTEBOOK = own_columns(problem("xor"))
"""The columns of the notebook's neuron: C, and its six parameters."""


def run_schema(precision: str, own: Own = NOTEBOOK) -> dict[str, Any]:
    """The columns of a part, in order, with their polars types; of runs of one model.

    Args:
      precision: ``"float32"`` or ``"float64"``.
      own: the model's own columns.
    """
    return {"condition": pl.UInt32, "seed": pl.UInt32} | _of_a_run(precision, own)


def schema(
    precision: str, own: Sequence[Own] = (NOTEBOOK,), settings: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The columns of a run's row, in order, with their polars types.

    The numbers are those that ``outcomes.Outcome`` declares, and the models' own. Null stands for
    what does not exist: an epoch never reached, the parameters of a run that diverged, a quantity
    that a model has not. Losses and parameters have the training's precision.

    Args:
      precision: ``"float32"`` or ``"float64"``.
      own: the columns of the models' own.
      settings: more columns: the optimizers' hyperparameters.

    Example:
      >>> schema("float32")["first_hit"], schema("float32")["C"]
      (Int32, Float32)
    """
    every = reduce(Own.__or__, own)
    return {
        "gate": pl.String,
        "optimizer": pl.String,
        "seed": pl.UInt32,
        **_of_a_run(precision, every),
        **SETTINGS,
        **(settings or {}),
    }


def _of_a_run(precision: str, own: Own) -> dict[str, Any]:
    numbers = NUMBERS | own_numbers(own.quantities)
    columns = [column(name) for name in own.parameters]
    return {
        "status": pl.Enum(STATUSES),
        **{name: _TYPES[n.kind.dtype(precision).name] for name, n in numbers.items()},
        **dict.fromkeys(columns, _TYPES[precision]),
        **dict.fromkeys((f"{name}_initial" for name in columns), _TYPES[precision]),
    }


def column(parameter: str) -> str:
    """The column of a parameter: its name, marked where a row has another column of that name."""
    return f"param_{parameter}" if parameter in _TAKEN else parameter


def table(
    problem: Problem,
    precision: str,
    condition: npt.NDArray[np.uint32],
    seeds: npt.NDArray[np.uint32],
    runs: Outcome,
    own: Own = NOTEBOOK,
) -> pl.DataFrame:
    """Outcomes as the rows of a part.

    Args:
      problem: the problem, or one of its kind.
      precision: that of the trainings.
      condition: the number of each run's condition; (N,).
      seeds: (N,).
      runs: leaves of shape (N,), parameters (P, N).
      own: the columns of the problem's own.

    Returns:
      N rows with the columns of ``run_schema``.
    """
    place = {name: i for i, name in enumerate(problem.names)}
    columns: dict[str, Any] = {
        "condition": condition,
        "seed": seeds,
        "status": status(runs),
        **numbers_of(runs),
        **{column(name): runs.final[place[name]] for name in own.parameters},
        **{f"{column(name)}_initial": runs.initial[place[name]] for name in own.parameters},
    }
    rows = pl.DataFrame(
        {
            name: pl.Series(columns[name], dtype=kind)
            for name, kind in run_schema(precision, own).items()
        }
    )
    whole = [name for name, number in NUMBERS.items() if number.kind is not Kind.REAL]
    return rows.with_columns(pl.col(whole).replace(NONE, None), pl.selectors.float().fill_nan(None))
