"""Runs in memory in one normal form, whatever they were read from: as one frame or by condition."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import polars as pl

from attnlogic.backend import PRECISIONS
from attnlogic.errors import InputError
from attnlogic.outcomes import NUMBERS, Kind
from attnlogic.results.rows import CONDITION, Own, condition, in_words, schema, with_earlier
from attnlogic.results.store import Runs

_LISTED = 5
"""Missing columns that a message names."""


def normalized(runs: Runs | pl.LazyFrame | pl.DataFrame) -> pl.DataFrame:
    """The runs as a frame with the columns and types of ``schema``.

    Args:
      runs: a study, or a frame with those columns, of any types that hold the values: CSV and JSON
        files have text for a status, and wider numbers.

    Returns:
      First the columns that every run has, then the others: parameters, the models' own quantities,
      hyperparameters. Real numbers of a run are Float32 if every run's precision is float32, else
      Float64. NaN becomes null.

    Raises:
      InputError: a part cannot be read, a column is missing, or a value is not one of its column.
    """
    if isinstance(runs, Runs):
        return runs.table()
    frame = with_earlier(_collected(runs))
    none = Own({}, ())
    missing = [name for name in schema("float64", [none]) if name not in frame.columns]
    if missing:
        names = ", ".join(missing[:_LISTED]) + (", …" if len(missing) > _LISTED else "")
        raise InputError(
            f"these are no runs, the frame lacks {names}: expected the columns of Runs.table()"
        )
    precisions = _cast(frame["precision"], pl.Enum(PRECISIONS)).unique().to_list()
    if None in precisions:
        raise InputError(f"column 'precision': expected {' or '.join(PRECISIONS)}, got None")
    precision = "float32" if precisions == ["float32"] else "float64"
    wanted = schema(precision, [none])
    real = wanted["final_loss"]
    for name, kind in frame.schema.items():
        if name not in wanted:
            wanted[name] = real if of_a_model(name, frame.columns) else kind
    rows = pl.DataFrame([_cast(frame[name], kind) for name, kind in wanted.items()])
    return rows.with_columns(pl.col("encoding").replace("1", "01"))  # read as a number from a CSV


def conditions(runs: Runs | pl.LazyFrame | pl.DataFrame) -> list[pl.DataFrame]:
    """The runs of each condition, in the order of the study's conditions.

    Args:
      runs: a study, or a frame of runs as ``Runs.table`` gives it. The frame may have been read
        from a CSV or JSON file: it needs the same columns, in any order and of any types that hold
        the values.

    Returns:
      Frames with the columns and types of ``schema``, none of them empty.

    Raises:
      InputError: a part cannot be read, a column is missing, a value is not one of its column, or a
        condition of the frame has a seed twice.
    """
    if isinstance(runs, Runs):
        return [runs.collect(rows.lazy()) for rows in runs.conditions()]
    parts = normalized(runs).partition_by(*CONDITION, maintain_order=True)
    found = [_in_its_precision(rows) for rows in parts if len(rows)]
    for rows in found:
        _check_seeds(rows)
    return found


def _check_seeds(rows: pl.DataFrame) -> None:
    """Refuse a condition that has a seed twice: the run would count twice."""
    seeds = rows["seed"]
    if seeds.null_count():
        raise InputError("column 'seed': expected a seed, got None")
    if seeds.n_unique() < len(seeds):
        raise InputError(
            f"{in_words(condition(rows))} has seed {int(seeds.filter(seeds.is_duplicated())[0])} "
            "more than once: keep each run once, such as with "
            "frame.unique(['gate', 'optimizer', 'seed'])"
        )


def _in_its_precision(rows: pl.DataFrame) -> pl.DataFrame:
    """Real numbers of the runs' own as Float32 where these were trained in float32."""
    if rows["precision"][0] == "float64":
        return rows
    real = [name for name, kind in rows.schema.items() if kind == pl.Float64]
    return rows.cast({name: pl.Float32 for name in real if _of_a_run(name, rows.columns)})


def _of_a_run(name: str, columns: Collection[str]) -> bool:
    """Whether a column's numbers are a run's own, of the precision in which it was trained."""
    number = NUMBERS.get(name)
    return (number is not None and number.kind is Kind.REAL) or of_a_model(name, columns)


def of_a_model(name: str, columns: Collection[str]) -> bool:
    """Whether a column is of a model's own: a parameter or a quantity, wherever in the run."""
    stem = name.removesuffix("_initial").removesuffix("_first_hit")
    return f"{stem}_initial" in columns and stem in columns


def _collected(runs: object) -> pl.DataFrame:
    if isinstance(runs, pl.LazyFrame):
        try:
            return runs.collect()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise InputError(f"cannot read the runs: {str(error).splitlines()[0]}") from error
    if isinstance(runs, pl.DataFrame):
        return runs
    raise InputError(
        "runs: expected a study, a tally or a polars frame of runs, got "
        f"{type(runs).__name__}: attnlogic.load(folder) reads a study"
    )


def _cast(column: pl.Series, kind: Any) -> pl.Series:
    """The column in this type; raises ``InputError`` for a value that it does not hold."""
    if column.dtype.is_float():
        column = column.fill_nan(None)
    if column.dtype == kind:
        return column
    cast = column.cast(kind, strict=False)
    lost = cast.is_null() & column.is_not_null()
    if cast.dtype.is_integer() and column.dtype.is_float():
        lost |= (cast != column).fill_null(False)
    if lost.any():
        expected = f"one of {', '.join(kind.categories)}" if isinstance(kind, pl.Enum) else kind
        wrong = column.filter(lost)[0]
        raise InputError(f"column '{column.name}': expected {expected}, got {wrong!r}")
    return cast
