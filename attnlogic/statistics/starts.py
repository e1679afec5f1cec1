"""Which starts succeed? The rate of success by where a run begins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attnlogic.errors import InputError
from attnlogic.statistics.chart import Chart
from attnlogic.statistics.rates import INTERVAL, LEVEL, in_percent, rate, rate_columns
from attnlogic.statistics.statistic import Column, Option, Row, Statistic, by_condition
from attnlogic.view import CONDITION, Heading, Sheet, numbers

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    from attnlogic.results import Population
    from attnlogic.statistics.intervals import Interval

MEASURES = ("C_initial", "initial_loss")
"""The numbers of a start by which runs are sorted into bins."""

COLUMNS = by_condition(
    Column("measure", str, "", "what the bins are made of: C_initial or initial_loss"),
    Column("from", float, "", "smallest value in the bin"),
    Column("to", float, "", "largest value in the bin"),
    Column("runs", int, "runs", "runs that start in the bin"),
    *rate_columns("reached", "reach", "runs of the bin that reached the threshold", "its runs"),
)


def _bins_read(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 2 or value % 2:
        raise InputError(f"bins: expected an even whole number from 2, got {value!r}")
    return value


BINS = Option("bins", 8, "Bins for each measure: an even number.", _bins_read)


def _rows(
    conditions: Iterable[Population], bins: int, interval: Interval, level: float
) -> Iterator[Row]:
    """The bins hold equally many runs, as nearly as ties allow, and those of C are cut at 0.

    Half of C's bins lie on each side of 0. A start that is not finite is in no bin. In a tally the
    values are bins already: as many of them go into one as come nearest to equal numbers.
    """
    for some in conditions:
        for measure in MEASURES:
            for in_bin in _bins(some, measure, bins, interval, level):
                yield {**some.key, "measure": measure, **in_bin}


def _bins(
    some: Population, measure: str, bins: int, interval: Interval, level: float
) -> Iterator[Row]:
    import numpy as np

    every, hit = (some.of(measure, group).finite() for group in ("all", "reached"))
    reached = np.zeros_like(every.counts)
    reached[np.searchsorted(every.bins, hit.bins)] = hit.counts
    below = every.values < 0
    sides = (below, ~below) if measure == "C_initial" else (np.ones_like(below),)
    for side in sides:
        for chosen in _equal(np.flatnonzero(side), every.counts, bins // len(sides)):
            values, n = every.values[chosen], int(every.counts[chosen].sum())
            yield {
                "from": float(values[0]),
                "to": float(values[-1]),
                "runs": n,
                **rate("reached", "reach", int(reached[chosen].sum()), n, interval, level),
            }


def _equal(
    which: npt.NDArray[np.int64], counts: npt.NDArray[np.int64], bins: int
) -> list[npt.NDArray[np.int64]]:
    """Cut the chosen entries, in ascending order, into bins of equally many runs."""
    in_entry = counts[which]
    before = in_entry.cumsum() - in_entry
    bin_of = before * bins // max(1, in_entry.sum())
    return [which[bin_of == b] for b in range(bins) if (bin_of == b).any()]


def _sheet(frame: pl.DataFrame, options: Mapping[str, Any]) -> Sheet:
    rows = [
        [
            row["gate"],
            row["optimizer"],
            row["measure"],
            *(numbers.significant(row[end], 3) for end in ("from", "to")),
            numbers.count(row["runs"]),
            numbers.rate(row, "reach"),
        ]
        for row in frame.iter_rows(named=True)
    ]
    headings = (
        *CONDITION,
        Heading("measure", "C_initial: wq·wk·wv at the start.", text=True),
        Heading("from"),
        Heading("to"),
        Heading("runs"),
        Heading("reached %", f"Rates with {in_percent(options['level'])} intervals."),
    )
    return Sheet(headings, rows, "Runs by where they start, in bins of equally many runs.")


statistic = Statistic(
    name="starts",
    question="Which starts succeed, by initial C and by initial loss?",
    columns=COLUMNS,
    rows=_rows,
    sheet=_sheet,
    reading=(
        "Runs are sorted into bins of equally many by where they start, and each dot is the"
        " share of a bin's runs that reached the threshold. A flat line means that the start does"
        " not matter."
    ),
    options=(BINS, INTERVAL, LEVEL),
    charts=(Chart("starts", "Success by the initial C and by the initial loss"),),
)
