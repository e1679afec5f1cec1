"""How does success depend on a setting, and which value is best? The curves of a sweep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attnlogic.errors import InputError, unknown
from attnlogic.statistics.best_values import Point, marks
from attnlogic.statistics.chart import Chart
from attnlogic.statistics.first_hits import FIRST_HIT, first_hit
from attnlogic.statistics.rates import INTERVAL, LEVEL, in_percent, rate, rate_columns
from attnlogic.statistics.statistic import Column, Option, Row, Statistic, by_condition
from attnlogic.statistics.sweep_findings import curves_of, finding, number
from attnlogic.view import CONDITION, Heading, Sheet, numbers

if TYPE_CHECKING:
    import polars as pl

    from attnlogic.results import Population
    from attnlogic.statistics.curves import Curve
    from attnlogic.statistics.intervals import Interval

COLUMNS = by_condition(
    Column("setting", str, "", "the swept setting, … in optimizer, init or model; or the epochs"),
    Column("value", float, "", "its value"),
    Column("runs", int, "runs", "all runs with that value"),
    *rate_columns("reached", "reach", "runs whose loss was ever at most the threshold", "all runs"),
    *rate_columns("solved", "solve", "runs whose final loss is at most the threshold", "all runs"),
    *FIRST_HIT,
    Column("ert", float, "epochs", "epochs that all runs spent up to their hit, per hit"),
    Column("ert_low", float, "epochs", "lower end of its interval"),
    Column("ert_high", float, "epochs", "upper end of its interval"),
    Column("ert_evaluations", float, "evaluations", "evaluations of all runs up to it, per hit"),
    Column("best", str, "", "best; tied: not significantly worse than the best; null: worse"),
    Column("edge", str, "", "low, high: an end of the range, beyond which there are values"),
)

BY = ("solve", "reach", "ert")


def _by(value: Any) -> str:
    if value not in BY:
        raise unknown("by", value, BY)
    return str(value)


def _setting(value: Any) -> str:
    if not isinstance(value, str):
        raise InputError(f"setting: expected the name of a swept setting such as lr, got {value!r}")
    return value


def _rows(
    conditions: Iterable[Population], by: str, setting: str, interval: Interval, level: float
) -> Iterator[Row]:
    """A row for each value of each curve; see ``curves`` and ``best_values``.

    Raises:
      InputError: no two conditions differ in one number alone, or not in that setting.
    """
    from attnlogic.statistics.curves import curves
    from attnlogic.statistics.hitting_times import HittingTimes, log_normal_ert

    keys, rows = [], []
    for some in conditions:
        times = HittingTimes.of(some)
        keys.append(some.key)
        rows.append((Point(some.runs, some.count("solved"), some.reached, times), {
            "runs": some.runs,
            **rate("reached", "reach", some.reached, some.runs, interval, level),
            **rate("solved", "solve", some.count("solved"), some.runs, interval, level),
            **first_hit(some),
            **log_normal_ert(times, level).columns("ert"),
            "ert_evaluations": HittingTimes.of(some, evaluations=True).ert,
        }))  # fmt: skip
    swept = curves(keys)
    if not swept:
        raise InputError(
            "there is no sweep in these runs: no two conditions differ in one number alone. "
            "Several values of a setting make one: "
            "attnlogic study xor -o 'adamw(lr=1e-4..1:log:25)'"
        )
    settings = [*dict.fromkeys(curve.setting for curve in swept)]
    if setting and setting not in settings:
        raise unknown("swept setting", setting, settings)
    for curve in swept:
        if setting in ("", curve.setting):
            best = marks([rows[place][0] for place in curve.at], by, interval, level)
            edges = _edges(curve)
            for value, place, mark, edge in zip(curve.values, curve.at, best, edges, strict=True):
                at = {"setting": curve.setting, "value": value, "best": mark, "edge": edge}
                yield {**curve.about, **at, **rows[place][1]}


def _edges(curve: Curve) -> list[str | None]:
    """For each value: at which end of the range it lies, if the setting goes beyond."""
    edges: list[str | None] = [None] * len(curve.values)
    if curve.values[0] > curve.lowest:
        edges[0] = "low"
    if curve.values[-1] < curve.highest:
        edges[-1] = "high"
    return edges


def _sheet(frame: pl.DataFrame, options: Mapping[str, Any]) -> Sheet:
    parts = curves_of(frame)
    settings = {part[0]["setting"] for part in parts}
    common = settings.pop() if len(settings) == 1 else None

    def named(row: Row) -> list[str]:
        about = [row["gate"], row["optimizer"]]
        return about if common else [*about, row["setting"]]

    def cells(row: Row) -> list[str]:
        return [
            number(row["value"]),
            numbers.count(row["runs"]),
            numbers.rate(row, "reach"),
            numbers.rate(row, "solve"),
            numbers.estimate(row, "ert"),
            row["best"] or "",
        ]

    rows = []
    for part in parts:  # a curve's name stands at its first value alone
        about = named(part[0])
        blank = [""] * len(about)
        rows += [[*(blank if k else about), *cells(row)] for k, row in enumerate(part)]
    by, level = options["by"], in_percent(options["level"])
    wanted = {"solve": "most solved", "reach": "most reached", "ert": "least ERT"}[by]
    headings = (
        *CONDITION,
        *([Heading(common)] if common else [Heading("setting", text=True), Heading("value")]),
        Heading("runs", optional=True),
        Heading("reached %", "reached: the loss was ever at most the threshold."),
        Heading("solved %", "solved: it ended there."),
        Heading("ERT", "ERT: epochs spent over all runs, per hit.", optional=True),
        Heading(
            "best",
            f"best: {wanted}; tied: not significantly worse than that. With {level} confidence the "
            "truly best value of a curve is the best or one of the tied.",
            text=True,
        ),
    )
    note = f"Intervals: {level}."
    return Sheet(headings, rows, note, tuple(finding(part, by) for part in parts))


statistic = Statistic(
    name="sweep",
    question="How does success depend on a swept setting, and which value is best?",
    columns=COLUMNS,
    rows=_rows,
    sheet=_sheet,
    reading=(
        "Each curve is a rate against one setting, everything else being equal. The best "
        "value is marked with the values that cannot be told from it: a broad top is worth "
        "more than a high one."
    ),
    options=(
        Option("by", "solve", "What the best value is best in: solve, reach or ert.", _by, BY),
        Option("setting", "", "Only the curves of this setting, such as lr.", _setting),
        INTERVAL,
        LEVEL,
    ),
    charts=(
        Chart("sweep", "Success against a swept setting, and its best value"),
        Chart("sweep_times", "What a hit costs against a swept setting"),
    ),
)
