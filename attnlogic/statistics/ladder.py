"""How deep do runs get, and when? First hits of a whole ladder of losses, from one training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attnlogic.statistics.chart import Chart
from attnlogic.statistics.rates import INTERVAL, LEVEL, rate, rate_columns
from attnlogic.statistics.statistic import (
    CONDITION,
    SETTINGS,
    Column,
    Row,
    Statistic,
    by_condition,
)
from attnlogic.view import CONDITION as HEADINGS
from attnlogic.view import Heading, Sheet, numbers

if TYPE_CHECKING:
    import polars as pl

    from attnlogic.results import Population, Selectable
    from attnlogic.statistics.intervals import Interval

COLUMNS = by_condition(
    Column("loss", float, "loss", "the rung of the ladder"),
    Column("runs", int, "runs", "all runs of the condition"),
    *rate_columns("reached", "reach", "runs whose loss was ever at most that", "all runs"),
    Column("median", float, "epochs", "Kaplan and Meier's median of the first such epoch"),
    Column("median_low", float, "epochs", "lower end of its interval"),
    Column("median_high", float, "epochs", "upper end of its interval"),
    Column("ert", float, "epochs", "epochs that all runs spent up to it, per run that got there"),
)

CURVES = by_condition(
    Column("loss", float, "loss", "the rung of the ladder"),
    Column("epoch", int, "epochs", "an epoch"),
    Column("share", float, "share", "share of all runs that had got there by that epoch"),
)
"""The columns of ``curves``."""


def _rows(conditions: Iterable[Population], interval: Interval, level: float) -> Iterator[Row]:
    from attnlogic.outcomes import LADDER, RUNGS
    from attnlogic.statistics.hitting_times import HittingTimes, median

    for some in conditions:
        for loss, rung in zip(LADDER, RUNGS, strict=True):
            times = HittingTimes.of_rung(some, rung)
            yield {
                **some.key,
                "loss": loss,
                "runs": times.runs,
                **rate("reached", "reach", times.hits.n, times.runs, interval, level),
                **median(times, level).columns("median"),
                "ert": times.ert,
            }


def curves(runs: Selectable, points: int | None = None) -> pl.DataFrame:
    """The empirical distribution functions of the first hits, a curve for each condition and rung.

    Args:
      runs: a study, a tally, or a frame of runs' rows.
      points: how many a curve may have, evenly spaced in the logarithm of the epoch, for a picture;
        None for every step.

    Returns:
      A frame with the columns of ``CURVES``: the share of all runs that hit at ``epoch`` or before.
      A curve begins at its first hit, and its last point is the budget's last epoch; a rung that no
      run reaches has none.
    """
    from attnlogic.results import populations

    return curves_of(populations(runs), points)


def curves_of(conditions: Iterable[Population], points: int | None = None) -> pl.DataFrame:
    """``curves`` of the runs of each condition."""
    import numpy as np
    import polars as pl

    from attnlogic.outcomes import LADDER, RUNGS

    schema = pl.Schema({column.name: column.type for column in CURVES})
    parts = [pl.DataFrame(schema=schema)]
    for some in conditions:
        last = some.key["epochs"] - 1
        for loss, rung in zip(LADDER, RUNGS, strict=True):
            hits = some.of(rung)
            if not hits.n:
                continue
            epochs, hit = hits.values.astype(np.int64), hits.counts.cumsum()
            if points is not None:
                grid = np.geomspace(epochs[0] + 1, last + 1, points) - 1
                epochs = np.unique(np.append(epochs[0], grid.astype(np.int64)))
                hit = hit[np.searchsorted(hits.values, epochs, side="right") - 1]
            if epochs[-1] < last:
                epochs, hit = np.append(epochs, last), np.append(hit, hit[-1])
            about = {**some.key, "loss": loss}
            constants = [
                pl.lit(value).cast(schema[name]).alias(name) for name, value in about.items()
            ]
            curve = pl.DataFrame({"epoch": epochs, "share": hit / some.runs})
            parts.append(curve.with_columns(constants).select(schema.names()))
    return pl.concat(parts)


def _sheet(frame: pl.DataFrame, options: Mapping[str, Any]) -> Sheet:
    """A row a condition, a column a rung."""
    from attnlogic.outcomes import rung_name

    losses = frame["loss"].unique(maintain_order=True).to_list()

    def cell(row: Row) -> str:
        share = numbers.percent(row["reach_rate"])
        return share if row["median"] is None else f"{share} ({row['median']:,.0f})"

    rows = []
    names = [column.name for column in (*CONDITION, *SETTINGS)]
    for part in frame.partition_by(*names, maintain_order=True):
        rungs = [*part.iter_rows(named=True)]
        about = [rungs[0]["gate"], rungs[0]["optimizer"], f"{rungs[0]['runs']:,}"]
        rows.append([*about, *map(cell, rungs)])
    headings = (
        *HEADINGS,
        Heading("runs"),
        *(Heading(numbers.minus(rung_name(x)), optional=k % 2 == 0) for k, x in enumerate(losses)),
    )
    note = (
        "The share of runs, %, whose loss was ever at most the number above; in parentheses the "
        "median epoch of the first time, where half of the runs or more got there."
    )
    return Sheet(headings, rows, note)


statistic = Statistic(
    name="ladder",
    question="How deep do runs get, and when: the first hits of ten losses, 1e-1 … 1e-10?",
    columns=COLUMNS,
    rows=_rows,
    sheet=_sheet,
    reading=(
        "The same as first hits, for ten thresholds from one training: the lines fan out "
        "where an optimizer slows down on its way to the solution. Lines that are close "
        "together mean that, once a run gets there, it gets all the way."
    ),
    options=(INTERVAL, LEVEL),
    charts=(Chart("ladder", "First hits of each of ten losses, by epoch"),),
)
