"""How often, when, and with what C? The headline of a study, a row a condition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attnlogic.statistics.chart import Chart
from attnlogic.statistics.first_hits import FIRST_HIT, first_hit, first_hit_cell
from attnlogic.statistics.rates import INTERVAL, LEVEL, in_percent, rate, rate_columns
from attnlogic.statistics.statistic import Column, Row, Statistic, by_condition
from attnlogic.view import CONDITION, Heading, Sheet, numbers

if TYPE_CHECKING:
    import polars as pl

    from attnlogic.results import Population
    from attnlogic.statistics.intervals import Interval

_C_QUANTILES = {"C_q05": 0.05, "C_q25": 0.25, "C_median": 0.5, "C_q75": 0.75, "C_q95": 0.95}
_OTHER_STATUSES = ("lost", "unsolved", "diverged")

COLUMNS = by_condition(
    Column("runs", int, "runs", "all runs of the condition"),
    *rate_columns("reached", "reach", "runs whose loss was ever at most the threshold", "all runs"),
    *rate_columns("solved", "solve", "runs whose final loss is at most the threshold", "all runs"),
    *rate_columns("held", "hold", "solved runs that never left after their first hit", "all runs"),
    *FIRST_HIT,
    Column("ert", float, "epochs", "epochs that all runs spent up to their hit, per hit"),
    Column("C_mean", float, "", "mean of C = wq·wk·wv over the solved runs"),
    Column("C_sd", float, "", "standard deviation of C over the solved runs"),
    *(
        Column(name, float, "", f"the C that a share {q} of the solved runs do not exceed")
        for name, q in _C_QUANTILES.items()
    ),
    Column("C_exact", float, "", "C of the exact solution; null where any C will do"),
    Column("lost", int, "runs", "runs that reached the threshold and did not end there"),
    Column("unsolved", int, "runs", "runs that never reached the threshold"),
    Column("diverged", int, "runs", "runs whose loss became infinite or NaN"),
    Column("stopped", int, "runs", "runs that the optimizer's own rule ended"),
    Column("evaluations", int, "evaluations", "evaluations of loss and gradient by all runs"),
)


def _rows(conditions: Iterable[Population], interval: Interval, level: float) -> Iterator[Row]:
    from attnlogic.statistics.hitting_times import HittingTimes

    for some in conditions:
        n, off = some.runs, some.of("C_off", "solved")
        C = some.exact
        settling, solved = some.of("settling", "reached"), some.count("solved")
        # A solved run has settled: otherwise it is not known which were held (another threshold).
        held = settling.count(0) if settling.n == solved else None

        def at(distance: float | None, C: float | None = C) -> float | None:
            return None if distance is None else distance + (C or 0.0)

        yield {
            **some.key,
            "runs": n,
            **rate("reached", "reach", some.reached, n, interval, level),
            **rate("solved", "solve", solved, n, interval, level),
            **rate("held", "hold", held, n, interval, level),
            **first_hit(some),
            "ert": HittingTimes.of(some).ert,
            "C_mean": at(off.mean()),
            "C_sd": off.sd(),
            **{name: at(off.quantile(q)) for name, q in _C_QUANTILES.items()},
            "C_exact": C,
            **{status: some.count(status) for status in _OTHER_STATUSES},
            "stopped": some.of("stopped_at").n,
            "evaluations": int(some.of("evaluations").total),
        }


def _sheet(frame: pl.DataFrame, options: Mapping[str, Any]) -> Sheet:
    def cells(row: Row) -> list[str]:
        C, exact = row["C_mean"], row["C_exact"]
        return [
            row["gate"],
            row["optimizer"],
            numbers.count(row["runs"]),
            numbers.rate(row, "reach"),
            numbers.rate(row, "solve"),
            numbers.percent(row["hold_rate"]),
            first_hit_cell(row),
            numbers.NOTHING if row["ert"] is None else f"{row['ert']:,.0f}",
            numbers.NOTHING if C is None else numbers.decimal(C) + numbers.spread(row["C_sd"]),
            _exact(row) if exact is None else numbers.significant(exact, 4),
            numbers.count(row["diverged"]),
        ]

    headings = (
        *CONDITION,
        Heading("runs"),
        Heading("reached %", "reached: the loss was ever at most the threshold."),
        Heading("solved %", "solved: it ended there."),
        Heading("held %", "held: solved, and never left after the first hit.", optional=True),
        Heading("first hit", "first hit: the epoch, median (quartiles) of all runs."),
        Heading("ERT", "ERT: epochs spent over all runs, per hit.", optional=True),
        Heading("C", "C = wq·wk·wv of the solved: mean ± standard deviation."),
        Heading("exact", "exact: the C of the exact solution; none: there is none; –: not known."),
        Heading("diverged"),
    )
    note = f"Rates in % with {in_percent(options['level'])} intervals."
    return Sheet(headings, [cells(row) for row in frame.iter_rows(named=True)], note)


def _exact(row: Row) -> str:
    """What is known of the exact solution where it has no single C."""
    from attnlogic.results import known_of

    of = known_of(row)
    if of is None:
        return numbers.NOTHING
    return "any" if of.solvable else "none"


statistic = Statistic(
    name="summary",
    question="How often does each optimizer reach the threshold, when, and with what C?",
    columns=COLUMNS,
    rows=_rows,
    sheet=_sheet,
    reading=(
        "Dots are shares of runs, with their intervals: intervals that do not overlap differ "
        "by more than chance. solved counts the last epoch alone, so a run that reached the "
        "threshold and left it is not in it; C should lie at the exact one."
    ),
    options=(INTERVAL, LEVEL),
    charts=(Chart("summary", "Shares of runs that reached the threshold and that are solved"),),
)
