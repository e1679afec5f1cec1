"""Do runs stay where they hit? How often they leave, how far, and when they settle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attnlogic.statistics.chart import Chart
from attnlogic.statistics.rates import INTERVAL, LEVEL, in_percent, rate, rate_columns
from attnlogic.statistics.statistic import Column, Row, Statistic, by_condition
from attnlogic.view import CONDITION, Heading, Sheet, numbers

if TYPE_CHECKING:
    import polars as pl

    from attnlogic.results import Population
    from attnlogic.statistics.intervals import Interval

QUANTILES = {"median": 0.5, "q95": 0.95, "max": 1.0}

MEASURES = {
    "exits": (int, "times", "how often the loss left the threshold upwards"),
    "rises": (int, "epochs", "epochs after the hit whose loss is greater than the one before"),
    "worst_after_hit": (float, "loss", "the largest loss after the hit"),
    "settling": (int, "epochs", "epochs from the hit until the run stayed, of the solved runs"),
}

COLUMNS = by_condition(
    Column("runs", int, "runs", "all runs of the condition"),
    Column("reached", int, "runs", "runs that reached the threshold; the others do not count"),
    *rate_columns(
        "held", "stay", "runs that never left after their first hit", "the runs that reached"
    ),
    *(
        Column(f"{measure}_{name}", kind, unit, f"{meaning}: quantile {q}")
        for measure, (kind, unit, meaning) in MEASURES.items()
        for name, q in QUANTILES.items()
    ),
)


def _rows(conditions: Iterable[Population], interval: Interval, level: float) -> Iterator[Row]:
    for some in conditions:
        measured = {measure: some.of(measure, "reached") for measure in MEASURES}
        held = measured["settling"].count(0)
        yield {
            **some.key,
            "runs": some.runs,
            "reached": some.reached,
            **rate("held", "stay", held, some.reached, interval, level),
            **{
                f"{measure}_{name}": values.quantile(q)
                for measure, values in measured.items()
                for name, q in QUANTILES.items()
            },
        }


def _sheet(frame: pl.DataFrame, options: Mapping[str, Any]) -> Sheet:
    def counts(row: Row, name: str) -> str:
        if row[f"{name}_median"] is None:
            return numbers.NOTHING
        return f"{row[f'{name}_median']:,} ({row[f'{name}_q95']:,})"

    def worst(row: Row) -> str:
        middle, high = row["worst_after_hit_median"], row["worst_after_hit_q95"]
        if middle is None:
            return numbers.NOTHING
        return f"{numbers.significant(middle, 1)} ({numbers.significant(high, 1)})"

    rows = [
        [
            row["gate"],
            row["optimizer"],
            numbers.count(row["reached"]),
            numbers.rate(row, "stay"),
            *(counts(row, name) for name in ("settling", "exits", "rises")),
            worst(row),
        ]
        for row in frame.iter_rows(named=True)
    ]
    headings = (
        *CONDITION,
        Heading("reached"),
        Heading(
            "stayed %",
            "stayed: never left after the first hit; the share of the runs that reached, with "
            f"{in_percent(options['level'])} intervals.",
        ),
        Heading("settling", "settling: epochs from the hit until the run stayed, of the solved."),
        Heading("exits", "exits: times the run left."),
        Heading("rises", "rises: epochs after the hit whose loss is greater than the one before."),
        Heading("worst loss", "worst loss: the largest after the hit."),
    )
    note = "Of the runs that reached the threshold: the median (95 % quantile)."
    return Sheet(headings, rows, note)


statistic = Statistic(
    name="stability",
    question="Do runs stay below the threshold once they have hit it?",
    columns=COLUMNS,
    rows=_rows,
    sheet=_sheet,
    reading=(
        "A run is held if it never left the threshold after its first hit. exits counts how often "
        "runs left it, and the largest loss after the hit says how far: an optimizer can hit early "
        "and often and still not stay."
    ),
    options=(INTERVAL, LEVEL),
    charts=(Chart("stability", "Whether runs stay once they have hit, and how far they leave"),),
    after_hit=True,
)
