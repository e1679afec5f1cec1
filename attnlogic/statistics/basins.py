"""Does the start's side decide the end? V(C)'s maximum parts the solution's basin from the valley.

For a readout that has settled, gradient flow moves C downhill on V(C) (see ``theory``), which has
one maximum: from one side it leads to the solution, from the other into the valley where C grows
without bound. How many runs end on the side on which they start says how much an optimizer's path
is that of the flow; how many succeed from each side, how much of its success is luck of the start.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attnlogic.statistics.chart import Chart
from attnlogic.statistics.rates import INTERVAL, LEVEL, in_percent, rate, rate_columns
from attnlogic.statistics.statistic import Column, Row, Statistic, by_condition
from attnlogic.view import CONDITION, Heading, Sheet, numbers

if TYPE_CHECKING:
    import polars as pl

    from attnlogic.statistics.intervals import Interval

COLUMNS = by_condition(
    Column("start", str, "", "the side of V's maximum of the initial C: solution or valley"),
    Column("C_maximum", float, "", "the C of V's maximum between the sides; null where two are"),
    Column("runs", int, "runs", "runs that start on that side"),
    *rate_columns("solved", "solve", "runs of that side that end solved", "its runs"),
    *rate_columns(
        "crossed", "cross", "runs of that side whose final C is on the other", "its runs"
    ),
    Column("diverged", int, "runs", "runs of that side that diverged: their end has no side"),
)


def _rows(conditions: Iterable[pl.DataFrame], interval: Interval, level: float) -> Iterator[Row]:
    """What has no maximum of V has no sides, and so no rows: constant gates, models without C."""
    import polars as pl

    from attnlogic.results import condition, known_of
    from attnlogic.theory import landscape

    for part in conditions:
        key = condition(part)
        of = known_of(key)
        basin = None if of is None else landscape(of.gate, of.form).basin
        if basin is None or not (edges := [edge for edge in basin if math.isfinite(edge)]):
            continue
        starts, ends = (
            part[name].cast(pl.Float64).is_between(*basin, closed="none")
            for name in ("C_initial", "C")
        )
        for name, chosen in {"solution": starts, "valley": ~starts}.items():
            n = int(chosen.sum())
            solved = int((chosen & (part["status"] == "solved")).sum())
            crossed = int((chosen & (starts != ends)).sum())  # null, and so 0, for the diverged
            yield {
                **key,
                "start": name,
                "C_maximum": edges[0] if len(edges) == 1 else None,
                "runs": n,
                **rate("solved", "solve", solved, n, interval, level),
                **rate("crossed", "cross", crossed, n, interval, level),
                "diverged": int((chosen & (part["status"] == "diverged")).sum()),
            }


def _sheet(frame: pl.DataFrame, options: Mapping[str, Any]) -> Sheet:
    rows = [
        [
            row["gate"],
            row["optimizer"],
            row["start"],
            numbers.count(row["runs"]),
            numbers.rate(row, "solve"),
            numbers.rate(row, "cross"),
            numbers.count(row["diverged"]),
        ]
        for row in frame.iter_rows(named=True)
    ]
    maxima = dict.fromkeys((row["gate"], row["C_maximum"]) for row in frame.iter_rows(named=True))
    where = ", ".join(f"{gate} {numbers.significant(C, 4)}" for gate, C in maxima)
    headings = (
        *CONDITION,
        Heading(
            "start",
            "start: on which side of V's maximum the initial C lies: the solution's, or that of "
            f"the valley where C grows without bound (C of the maximum: {where or 'none'}).",
            text=True,
        ),
        Heading("runs"),
        Heading("solved %", "solved: ended at or below the threshold."),
        Heading("crossed %", "crossed: ended with C on the other side."),
        Heading("diverged"),
    )
    note = (
        "V(C) is the least loss at each C; gradient flow with a settled readout cannot cross its "
        f"maximum. Rates in % with {in_percent(options['level'])} intervals."
    )
    return Sheet(headings, rows, note)


statistic = Statistic(
    name="basins",
    question="Does the side of V(C)'s maximum on which a run starts decide how it ends?",
    columns=COLUMNS,
    rows=_rows,
    sheet=_sheet,
    reading=(
        "The maximum of V(C) parts the starts: from one side gradient flow leads to the "
        "solution, from the other into the valley. Rates near 100 % and 0 % mean that the "
        "start decides; runs that crossed did what the flow cannot."
    ),
    needs_rows=True,
    options=(INTERVAL, LEVEL),
    charts=(Chart("basins", "Success by the side of V(C) on which runs start"),),
)
