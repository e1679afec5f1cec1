"""Where do runs end? Solved, on a plateau, in a valley, still moving, …"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attnlogic.statistics.chart import Chart
from attnlogic.statistics.statistic import Column, Row, Statistic, by_condition
from attnlogic.theory import ENDING_MEANINGS, ENDINGS
from attnlogic.view import CONDITION, Heading, Sheet, numbers

if TYPE_CHECKING:
    import polars as pl

    from attnlogic.results import Population

COLUMNS = by_condition(
    Column("runs", int, "runs", "all runs of the condition"),
    *(Column(name, int, "runs", meaning) for name, meaning in ENDING_MEANINGS.items()),
)


def _rows(conditions: Iterable[Population]) -> Iterator[Row]:
    for some in conditions:
        ended = some.of("ending")
        counts = {name: ended.count(place) for place, name in enumerate(ENDINGS)}
        yield {**some.key, "runs": some.runs, **counts}


def _sheet(frame: pl.DataFrame, options: Mapping[str, Any]) -> Sheet:
    seen = [name for name in ENDINGS if frame[name].sum()]  # others are left out
    rows = [
        [row["gate"], row["optimizer"], *(numbers.count(row[name]) for name in ("runs", *seen))]
        for row in frame.iter_rows(named=True)
    ]
    explained = [Heading(name, f"{name}: {ENDING_MEANINGS[name]}.") for name in seen]
    return Sheet((*CONDITION, Heading("runs"), *explained), rows, "How many runs ended where.")


statistic = Statistic(
    name="endings",
    question="Where do runs end, and why did the failed runs fail?",
    columns=COLUMNS,
    rows=_rows,
    sheet=_sheet,
    reading=(
        "Each bar shares out all runs by where they ended: green is solved, everything else "
        "is a place where the loss is flat or falls without end. Paths show single runs on "
        "their way there, over the least loss at each C."
    ),
    charts=(
        Chart("endings", "Where runs end: shares, stacked"),
        Chart(
            "paths", "Why runs fail: paths of some seeds of each ending, over V(C)", needs_rows=True
        ),
    ),
)
