"""Which optimizer is better? Conditions against each other, on the same seeds: in pairs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

from attnlogic.errors import InputError
from attnlogic.statistics.chart import Chart
from attnlogic.statistics.rates import LEVEL, in_percent
from attnlogic.statistics.statistic import Column, Row, Statistic
from attnlogic.view import Heading, Sheet, numbers

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

COLUMNS = (
    Column("gate", str, "", "the gate"),
    Column("a", str, "", "the first condition"),
    Column("b", str, "", "the second condition"),
    Column("epochs_a", int, "epochs", "the budget of a's runs"),
    Column("epochs_b", int, "epochs", "the budget of b's runs"),
    Column("measure", str, "", "reached, solved, or first_hit"),
    Column("pairs", int, "seeds", "seeds that both conditions have"),
    Column("both", int, "seeds", "seeds with which both succeeded"),
    Column("only_a", int, "seeds", "seeds with which only a succeeded"),
    Column("only_b", int, "seeds", "seeds with which only b succeeded"),
    Column("neither", int, "seeds", "seeds with which neither succeeded"),
    Column("difference", float, "share", "a's rate of success minus b's"),
    Column("low", float, "share", "lower end of its interval (Bonett and Price's)"),
    Column("high", float, "share", "upper end of its interval"),
    Column("p", float, "", "McNemar's exact test; for first_hit the log-rank test"),
    Column("p_holm", float, "", "p adjusted by Holm's method over all rows of that measure"),
)


def _rows(conditions: Iterable[pl.DataFrame], level: float) -> Iterator[Row]:
    """Every two conditions of a gate and a model, on the seeds that both have.

    Each pair of conditions has three rows, by ``measure``:

    - ``reached`` and ``solved``: the counts of seeds with which both, only one or neither
      succeeded; the difference of the rates (a's minus b's) with Bonett and Price's interval; p of
      McNemar's exact test, for which only the discordant seeds count.
    - ``first_hit``: p of the log-rank test on the times to the first hit. It takes the two samples
      as independent, which equal starts make conservative.

    Runs of one seed are a pair only if they start at the same parameters and are held to the same
    threshold; anything else is refused. Budgets may differ, and are given.

    References: McNemar, "Note on the sampling error of the difference between correlated
    proportions", Psychometrika 12, 1947; Bonett and Price, "Adjusted Wald confidence interval for a
    difference of binomial proportions based on paired data", JEBS 37, 2012; Holm, "A simple
    sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.
    """
    from attnlogic.results import condition, labels

    parts = [*conditions]
    names = labels([condition(part) for part in parts])
    rows: list[Row] = []
    for (a, name_a), (b, name_b) in combinations(zip(parts, names, strict=True), 2):
        if any(a[name][0] != b[name][0] for name in ("gate", "model", "encoding")):
            continue
        common = a.select("seed").join(b.select("seed"), on="seed")
        if len(common):
            one, other = (part.join(common, on="seed").sort("seed") for part in (a, b))
            _check_pairs(one, other, name_a, name_b)
            about = {
                "gate": a["gate"][0], "a": name_a, "b": name_b,
                "epochs_a": a["epochs"][0], "epochs_b": b["epochs"][0], "pairs": len(common),
            }  # fmt: skip
            rows += [{**about, **measured} for measured in _measures(one, other, level)]
    if not rows:
        raise InputError(
            "nothing to compare: no gate and model have two conditions with a seed in common. "
            "compare takes the runs of one study with several optimizers, or several studies on "
            "the same seeds"
        )
    adjusted = _holm_by_measure(rows)
    for row, p in zip(rows, adjusted, strict=True):
        yield {**row, "p_holm": p}


def _check_pairs(a: pl.DataFrame, b: pl.DataFrame, name_a: str, name_b: str) -> None:
    """Refuse pairs that differ in more than the optimizer and the budget."""
    import numpy as np

    where = f"{a['gate'][0]}: '{name_a}' and '{name_b}' cannot be compared seed by seed"
    if a["threshold"][0] != b["threshold"][0]:
        raise InputError(
            f"{where}: their thresholds are {a['threshold'][0]:g} and {b['threshold'][0]:g}. "
            "Filter the runs to one threshold"
        )
    starts = [part.select(_starts(part)) for part in (a, b)]
    same = np.ones(len(a), bool)
    for name in starts[0].columns:
        same &= starts[0][name].eq_missing(starts[1][name]).to_numpy()
    if not same.all():
        seed = a["seed"][int(np.argmin(same))]
        inits = " and ".join(dict.fromkeys((a["init"][0], b["init"][0])))
        raise InputError(
            f"{where}: seed {seed} starts at other parameters (init {inits}). "
            "Filter the runs to one way of drawing starts"
        )


def _starts(rows: pl.DataFrame) -> list[str]:
    """The columns of the initial parameters; a quantity's differ by rounding between precisions."""
    ends = [name.removesuffix("_initial") for name in rows.columns if name.endswith("_initial")]
    return [f"{name}_initial" for name in ends if f"{name}_first_hit" not in rows.columns]


def _measures(a: pl.DataFrame, b: pl.DataFrame, level: float) -> list[Row]:
    """The three measures of two conditions, whose rows are the same seeds in the same order."""
    successes = {
        "reached": [part["first_hit"].is_not_null().to_numpy() for part in (a, b)],
        "solved": [(part["status"] == "solved").to_numpy() for part in (a, b)],
    }
    rows: list[Row] = [
        {"measure": measure, **_paired(one, other, level)}
        for measure, (one, other) in successes.items()
    ]
    return [*rows, {"measure": "first_hit", "p": _logrank(a, b)}]


def _paired(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_], level: float) -> Row:
    from scipy.stats import binomtest

    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    low, high = paired_interval(only_a, only_b, len(a), level)
    discordant = only_a + only_b
    return {
        "both": int((a & b).sum()),
        "only_a": only_a,
        "only_b": only_b,
        "neither": int((~a & ~b).sum()),
        "difference": (only_a - only_b) / len(a),
        "low": low,
        "high": high,
        "p": float(binomtest(only_a, discordant).pvalue) if discordant else 1.0,
    }


def paired_interval(only_a: int, only_b: int, pairs: int, level: float) -> tuple[float, float]:
    """Bonett and Price's interval of a difference of rates, from pairs.

    It is Wald's interval once each discordant count has got one more, and the pairs two.

    Args:
      only_a, only_b: pairs in which only a, only b succeeded.
      pairs: all pairs, at least 1.
      level: the confidence level.

    Returns:
      Lower and upper end of the rate of a minus that of b, within -1 … 1.

    Reference: Bonett and Price, JEBS 37, 2012, equation 4.
    """
    from statistics import NormalDist

    n = pairs + 2
    share_a, share_b = (only_a + 1) / n, (only_b + 1) / n
    middle = share_a - share_b
    half = NormalDist().inv_cdf((1 + level) / 2) * ((share_a + share_b - middle**2) / n) ** 0.5
    return max(-1.0, middle - half), min(1.0, middle + half)


def _logrank(a: pl.DataFrame, b: pl.DataFrame) -> float | None:
    """p of the log-rank test; None where no run of either hit."""
    import numpy as np
    from scipy.stats import logrank

    if not a["first_hit"].count() + b["first_hit"].count():
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        p = float(logrank(_censored(a), _censored(b)).pvalue)
    return p if np.isfinite(p) else 1.0  # all hits at one time: no variance, no difference


def _censored(rows: pl.DataFrame) -> Any:
    """The first hits as SciPy's ``CensoredData``, in epochs."""
    from scipy.stats import CensoredData

    hits = rows["first_hit"].drop_nulls().to_numpy()
    never = rows.filter(rows["first_hit"].is_null())["epochs"].to_numpy()
    return CensoredData(uncensored=hits, right=never - 1)


def _holm_by_measure(rows: Sequence[Row]) -> list[float | None]:
    """Holm's adjustment of each row's p, over the rows of the same measure; None where p is."""
    adjusted: list[float | None] = [None] * len(rows)
    for measure in dict.fromkeys(row["measure"] for row in rows):
        same = [k for k, row in enumerate(rows) if row["measure"] == measure]
        there = sorted((k for k in same if rows[k]["p"] is not None), key=lambda k: rows[k]["p"])
        least = 0.0
        for rank, k in enumerate(there):
            least = max(least, (len(there) - rank) * rows[k]["p"])
            adjusted[k] = min(1.0, least)
    return adjusted


def _sheet(frame: pl.DataFrame, options: Mapping[str, Any]) -> Sheet:
    def cells(row: Row) -> list[str]:
        counts = [row[name] for name in ("both", "only_a", "only_b", "neither")]
        difference = numbers.NOTHING
        if row["difference"] is not None:
            middle, low, high = (
                numbers.minus(f"{100 * row[name]:+.1f}") for name in ("difference", "low", "high")
            )
            difference = f"{middle} ({low}…{high})"
        return [
            row["gate"],
            row["a"],
            row["b"],
            row["measure"],
            *map(numbers.count, counts),
            difference,
            numbers.p_value(row["p_holm"]),
        ]

    headings = (
        *(Heading(title, text=True) for title in ("gate", "a", "b", "measure")),
        *(Heading(title) for title in ("both", "only a", "only b", "neither")),
        Heading(
            "a − b, %",
            f"a − b: the rates' difference with its {in_percent(options['level'])} interval.",
        ),
        Heading(
            "p",
            "p: McNemar's exact test; for first_hit the log-rank test; adjusted by Holm's method "
            "over each measure.",
        ),
    )
    differ = frame.filter(frame["epochs_a"] != frame["epochs_b"])
    note = "Seed by seed, from the same starts."
    if len(differ):
        budgets = sorted({*frame["epochs_a"], *frame["epochs_b"]})
        note += f" Budgets differ: {', '.join(f'{b:,}' for b in budgets)} epochs."
    return Sheet(headings, [cells(row) for row in frame.iter_rows(named=True)], note)


statistic = Statistic(
    name="compare",
    question="Which optimizer is better, seed by seed: rates and times?",
    columns=COLUMNS,
    rows=_rows,
    sheet=_sheet,
    reading=(
        "Differences are of the same seeds, so luck of the start cancels. Pairs in colour differ "
        "by more than chance, even with as many pairs as there are; grey ones cannot be told apart."
    ),
    needs_rows=True,
    options=(LEVEL,),
    charts=(Chart("compare", "Differences of the rates of success, seed by seed"),),
)
