"""Which solution is found? How far from the exact C, and where among all that have it.

The loss depends on wq, wk, wv through C alone, so a gate's solutions are a surface: the three may
have any of four classes of signs, AND's and NAND's readouts lie on a line w1 + w2 = const, and
gradient flow, which conserves wq² − wk² and wk² − wv², would pick the point that its start
prescribes. How much an optimizer changes those two says how far it is from that flow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attnlogic.problems import SIGNS
from attnlogic.statistics.chart import Chart
from attnlogic.statistics.statistic import Column, Row, Statistic, by_condition
from attnlogic.view import CONDITION, Heading, Sheet, numbers

if TYPE_CHECKING:
    import polars as pl

    from attnlogic.results import Population

_DISTANCES = {"distance_median": 0.5, "distance_q95": 0.95, "distance_max": 1.0}
_APART = {"apart_q05": 0.05, "apart_median": 0.5, "apart_q95": 0.95}
_DRIFTS = {"drift_qk": "wq² − wk²", "drift_kv": "wk² − wv²"}

COLUMNS = by_condition(
    Column("runs", int, "runs", "all runs of the condition"),
    Column("solved", int, "runs", "solved runs; the others do not count"),
    Column("C_exact", float, "", "C* of the exact solution; null where any C will do"),
    *(Column(name, float, "", f"|C − C*|: quantile {q}") for name, q in _DISTANCES.items()),
    *(
        Column(f"signs_{signs}", int, "runs", f"runs whose wq, wk, wv have the signs {signs}")
        for signs in SIGNS
    ),
    *(Column(name, float, "", f"w1 − w2: quantile {q}") for name, q in _APART.items()),
    *(
        Column(name, float, "", f"how much {what} changed from start to end, in magnitude: median")
        for name, what in _DRIFTS.items()
    ),
)


def _rows(conditions: Iterable[Population]) -> Iterator[Row]:
    for some in conditions:
        exact = some.exact
        distance = some.of("C_off", "solved").magnitudes()
        apart, signs = some.of("apart", "solved"), some.of("signs", "solved")
        signed = some.knows("signs", "solved")
        yield {
            **some.key,
            "runs": some.runs,
            "solved": some.count("solved"),
            "C_exact": exact,
            **{
                name: None if exact is None else distance.quantile(q)
                for name, q in _DISTANCES.items()
            },
            **{f"signs_{name}": signs.count(k) if signed else None for k, name in enumerate(SIGNS)},
            **{name: apart.quantile(q) for name, q in _APART.items()},
            **{name: some.of(name, "solved").quantile(0.5) for name in _DRIFTS},
        }


def _sheet(frame: pl.DataFrame, options: Mapping[str, Any]) -> Sheet:
    seen = [s for s in SIGNS if frame[f"signs_{s}"].sum()]  # classes that no run has are left out

    def distance(row: Row) -> str:
        middle, high = row["distance_median"], row["distance_q95"]
        if middle is None:
            return numbers.NOTHING
        return f"{numbers.significant(middle)} ({numbers.significant(high)})"

    def apart(row: Row) -> str:
        if row["apart_median"] is None:
            return numbers.NOTHING
        middle, low, high = (
            numbers.minus(f"{row[f'apart_{q}']:z.2f}") for q in ("median", "q05", "q95")
        )
        return f"{middle} ({low}…{high})"

    rows = [
        [
            row["gate"],
            row["optimizer"],
            numbers.count(row["solved"]),
            distance(row),
            *(numbers.count(row[f"signs_{signs}"]) for signs in seen),
            apart(row),
            *(numbers.significant(row[name]) for name in _DRIFTS),
        ]
        for row in frame.iter_rows(named=True)
    ]
    drift = (
        "drift qk, kv: the median change of wq² − wk² and of wk² − wv², which gradient flow "
        "conserves."
    )
    headings = (
        *CONDITION,
        Heading("solved"),
        Heading("off C*", "off C*: |C − C*|, median (95 % quantile)."),
        *(Heading(numbers.minus(s), "+, −: the signs of wq, wk, wv.", optional=True) for s in seen),
        Heading("w1 − w2", "w1 − w2: median (5 %…95 %)."),
        Heading("drift qk", drift),
        Heading("drift kv", drift),
    )
    return Sheet(headings, rows, "Of the solved runs.")


statistic = Statistic(
    name="solutions",
    question="Which of all exact solutions is found, and how exactly?",
    columns=COLUMNS,
    rows=_rows,
    sheet=_sheet,
    reading=(
        "The curve is the least loss at each C, the bars below it are the runs' final C: "
        "solved runs pile up at C*, failed ones along the plateaus and in the valley. Among "
        "exact solutions the readout and the drift tell which is picked."
    ),
    charts=(
        Chart("C", "The C that runs end with, over V(C), the least loss at each C"),
        Chart("readout", "The readout w1, w2 of solved runs, and the exact solutions", True),
        Chart("drift", "How much solved runs changed what gradient flow conserves"),
    ),
)
