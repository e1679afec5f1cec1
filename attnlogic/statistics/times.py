"""When do runs hit, and what does a hit cost? Times with intervals, a row a condition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attnlogic.statistics.chart import Chart
from attnlogic.statistics.rates import LEVEL, in_percent
from attnlogic.statistics.statistic import Column, Row, Statistic, by_condition
from attnlogic.view import CONDITION, Heading, Sheet, numbers

if TYPE_CHECKING:
    import polars as pl

    from attnlogic.results import Population


def _estimate(name: str, unit: str, meaning: str) -> tuple[Column, ...]:
    return (
        Column(name, float, unit, meaning),
        Column(f"{name}_low", float, unit, "lower end of its interval"),
        Column(f"{name}_high", float, unit, "upper end of its interval"),
    )


COLUMNS = by_condition(
    Column("runs", int, "runs", "all runs of the condition"),
    Column("hits", int, "runs", "runs that reached the threshold"),
    *_estimate("median", "epochs", "Kaplan and Meier's median of the first hit"),
    *_estimate("mean", "epochs", "mean of the smaller of first hit and budget"),
    *_estimate("ert", "epochs", "epochs of all runs up to their hit, per hit"),
    *_estimate("ert_evaluations", "evaluations", "evaluations of all runs up to it, per hit"),
)


def _rows(conditions: Iterable[Population], level: float) -> Iterator[Row]:
    from attnlogic.statistics.hitting_times import (
        HittingTimes,
        expected_running_time,
        median,
        restricted_mean,
    )

    for some in conditions:
        epochs, evaluations = HittingTimes.of(some), HittingTimes.of(some, evaluations=True)
        yield {
            **some.key,
            "runs": some.runs,
            "hits": some.reached,
            **median(epochs, level).columns("median"),
            **restricted_mean(epochs, level).columns("mean"),
            **expected_running_time(epochs, level).columns("ert"),
            **expected_running_time(evaluations, level).columns("ert_evaluations"),
        }


def _sheet(frame: pl.DataFrame, options: Mapping[str, Any]) -> Sheet:
    estimates = ("median", "mean", "ert", "ert_evaluations")
    rows = [
        [
            row["gate"],
            row["optimizer"],
            numbers.count(row["runs"]),
            numbers.count(row["hits"]),
            *(numbers.estimate(row, name) for name in estimates),
        ]
        for row in frame.iter_rows(named=True)
    ]
    headings = (
        *CONDITION,
        Heading("runs"),
        Heading("hits"),
        Heading("median", "median: Kaplan and Meier's."),
        Heading("mean", "mean: of the smaller of first hit and budget.", optional=True),
        Heading(
            "ERT",
            "ERT: the epochs of all runs up to their hit, per hit: what a hit costs if one starts "
            "afresh whenever the budget ends without one.",
        ),
        Heading("ERT, evaluations", "ERT, evaluations: likewise.", optional=True),
    )
    note = f"Epochs to the first hit, with {in_percent(options['level'])} intervals."
    return Sheet(headings, rows, note)


statistic = Statistic(
    name="times",
    question="When do runs first hit, and what does a hit cost?",
    columns=COLUMNS,
    rows=_rows,
    sheet=_sheet,
    reading=(
        "Each line is the share of runs that have hit by an epoch: higher and further left is"
        " better. A line that levels off below 100 % leaves runs that never hit; ERT charges "
        "their epochs to the hits of the others."
    ),
    options=(LEVEL,),
    charts=(Chart("times", "First hits: the share of runs that have hit, by epoch, with bands"),),
)
"""See ``hitting_times`` for the estimators and their sources."""
