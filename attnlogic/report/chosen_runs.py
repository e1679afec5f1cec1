"""Runs to choose from: one small table of them, and the views that a choice links."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from attnlogic.report.training_commands import training_command

if TYPE_CHECKING:
    from attnlogic.report.few_runs import Few
    from attnlogic.report.linked_views import View

MAX_RUNS = 20_000
"""Runs of all conditions on the page, at most: some 60 bytes each."""

MAX_END = 100.0
"""The end of the axis of a quantity such as C, at most, in magnitude; beyond it runs are drawn at
the edge."""

TINY = 1e-16
"""The least loss that is drawn."""


class Choice(NamedTuple):
    """What the page needs to let its reader choose runs.

    Attributes:
      chosen_by: the name of the quantity by which runs are chosen: C, another model's own, or the
        final loss.
      conditions: of each its name, the command that trains a seed again but for the seed, and how
        many runs it has here; the column ``condition`` is a place in this list.
      columns: of the runs: the name -> a value for each run.
      views: of the data ``"runs"`` with these columns.
      limits: what stands for no limit below and above.
      note: what was left out.
    """

    chosen_by: str
    conditions: list[dict[str, Any]]
    columns: dict[str, list[Any]]
    views: list[View]
    limits: tuple[float, float]
    note: str


def choice(some: Few) -> Choice | None:
    """The runs and views; None if no run ended at a finite number.

    Args:
      some: of the study's runs at most ``MAX_RUNS``, about.
    """
    from attnlogic.report.linked_views import ChoiceAxis, linked_views
    from attnlogic.results import condition, labels

    own = _own_quantity(some.frames)
    found = [
        (condition(rows), _columns(rows, own))
        for rows in some.frames
        if own is None or own in rows.columns
    ]
    found = [(key, columns) for key, columns in found if len(columns)]
    if not found:
        return None
    keys = [key for key, _ in found]
    conditions = [
        {"name": f"{key['gate']} · {name}", "command": training_command(key), "runs": len(columns)}
        for (key, columns), name in zip(found, labels(keys), strict=True)
    ]
    numbered = [columns.with_columns(condition=pl.lit(n)) for n, (_, columns) in enumerate(found)]
    runs = pl.concat(numbered)
    by = own or "final loss"
    axis = ChoiceAxis(by, *(_ends(runs["x"]) if own else _log_ends(runs["x"])), own is None)
    epochs = max(key["epochs"] for key in keys)
    missing = sum(map(len, some.frames)) - len(runs)
    notes = [some.note, f"{missing:,} runs without a finite {by} are left out." if missing else ""]
    return Choice(
        by,
        conditions,
        {name: runs[name].to_list() for name in runs.columns},
        linked_views(axis, "final loss" if own else "initial loss", _has_plane(runs), epochs),
        (-1e300, 1e300) if own else (1e-300, 1e300),
        " ".join(note for note in notes if note),
    )


def _own_quantity(frames: Sequence[pl.DataFrame]) -> str | None:
    """C where a model has it, else another quantity of a model's own; None where there is none."""
    columns = dict.fromkeys(name for rows in frames for name in rows.columns)
    own = [name.removesuffix("_initial") for name in columns if name.endswith("_initial")]
    found = [name for name in own if f"{name}_first_hit" in columns and name in columns]
    told = [name for name in found if any(name in f and f[name].count() for f in frames)]
    return "C" if "C" in told else next(iter(told), None)


def _columns(rows: pl.DataFrame, own: str | None) -> pl.DataFrame:
    """The page's columns of a condition's runs, those with a finite end; numbers to six digits."""
    nothing = pl.lit(None, pl.Float64)
    plane = {n: pl.col(n) if {"w1", "w2"} <= {*rows.columns} else nothing for n in ("w1", "w2")}
    loss = pl.col("final_loss").cast(pl.Float64)
    drawn = loss.clip(TINY)
    x, y = (pl.col(own), drawn) if own else (drawn, pl.col("initial_loss").cast(pl.Float64))
    found = rows.select(
        seed=pl.col("seed").cast(pl.Int64),
        status=pl.col("status").cast(pl.String),
        hit=pl.col("first_hit").cast(pl.Int64),
        x=_short(x),
        y=_short(y),
        loss=_short(loss),
        **{name: _short(values) for name, values in plane.items()},
    )
    finite = pl.col("x").is_finite() & pl.col("y").is_finite() & (pl.col("y") > 0)
    return found.filter(finite)


def _short(values: pl.Expr) -> pl.Expr:
    return values.cast(pl.Float64).round_sig_figs(6)


def _has_plane(runs: pl.DataFrame) -> bool:
    return bool(runs["w1"].count())


def _ends(x: pl.Series) -> tuple[float, float]:
    """The ends of the axis: round numbers that hold all values, up to ``MAX_END``."""

    def end(furthest: float) -> float:
        if furthest <= 0.1:
            return 0.1
        power = 10.0 ** math.floor(math.log10(furthest))
        return min(next(k * power for k in (1, 3, 10) if k * power >= furthest), MAX_END)

    # polars types a column's least and greatest as any Python value; here they are floats.
    low, high = float(x.min() or 0), float(x.max() or 0)  # type: ignore[arg-type]
    return -end(-low), end(high)


def _log_ends(x: pl.Series) -> tuple[float, float]:
    """The ends of a logarithmic axis: the powers of ten around all values."""
    # As in _ends: these are numbers.
    low, high = (math.log10(float(end)) for end in (x.min(), x.max()))  # type: ignore[arg-type]
    return 10.0 ** math.floor(low), 10.0 ** (math.floor(high) + 1)
