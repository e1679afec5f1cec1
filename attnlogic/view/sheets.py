"""Frames of statistics as tables for a person: on the screen, and in Markdown.

A ``Sheet`` is a table in words, made from a frame; ``screen`` and ``markdown`` write it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import polars as pl
from rich import box
from rich.table import Table

from attnlogic.outcomes import rung_name
from attnlogic.results import SETTINGS, SIGNS
from attnlogic.theory import ENDINGS


class Sheet(NamedTuple):
    """A table in words.

    Attributes:
      titles: of the columns.
      names: how many columns, from the left, hold names; the others hold numbers.
      rows: the cells. A cell with an interval has its only space before it: there it may fold.
      caption: what a reader must know.
      spare: the titles of columns that a narrow screen can do without.
    """

    titles: tuple[str, ...]
    names: int
    rows: list[list[str]]
    caption: str
    spare: tuple[str, ...] = ()


def screen(sheet: Sheet, width: int | None = None) -> Table:
    """A sheet as a rich table.

    Args:
      sheet: the table.
      width: columns of the screen, None for as many as it takes. On one that is too narrow a cell's
        interval stands below its number; if that is not enough the spare columns are left out.
    """
    lines = [[*sheet.titles], *sheet.rows]
    if not _fits(lines, width):
        lines = [[cell.replace(" ", "\n", 1) for cell in line] for line in lines]
    if not _fits(lines, width):
        kept = [i for i, title in enumerate(sheet.titles) if title not in sheet.spare]
        lines = [[line[i] for i in kept] for line in lines]
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, padding=0, header_style="bold",
        caption=sheet.caption, caption_justify="left",
    )  # fmt: skip
    for i, title in enumerate(lines[0]):
        table.add_column(title, justify="left" if i < sheet.names else "right", overflow="fold")
    for line in lines[1:]:
        table.add_row(*line)
    return table


def _fits(lines: list[list[str]], width: int | None) -> bool:
    widest = [
        max(len(part) for cell in column for part in cell.split("\n"))
        for column in zip(*lines, strict=True)
    ]
    return width is None or sum(widest) + len(widest) - 1 <= width


def markdown(sheet: Sheet) -> str:
    """A sheet in Markdown."""
    rule = ["---" if i < sheet.names else "--:" for i in range(len(sheet.titles))]
    lines = [f"| {' | '.join(row)} |" for row in ([*sheet.titles], rule, *sheet.rows)]
    return "\n".join([*lines, "", sheet.caption])


def _sheet(
    titles: tuple[str, ...], names: int, frame: pl.DataFrame,
    cells: Callable[[dict[str, Any]], list[str]], caption: str,
) -> Sheet:  # fmt: skip
    return Sheet(titles, names, [cells(row) for row in frame.iter_rows(named=True)], caption)


def summary(frame: pl.DataFrame) -> Sheet:
    """What ``statistics.summarize`` gives."""

    def cells(row: dict[str, Any]) -> list[str]:
        C = "–" if row["C_mean"] is None else _decimal(row["C_mean"]) + _spread(row["C_sd"])
        return [
            row["gate"],
            row["optimizer"],
            f"{row['runs']:,}",
            _percent(row, "reach"),
            _percent(row, "solve"),
            "–" if row["hold_rate"] is None else f"{100 * row['hold_rate']:.1f}",
            _hits(row),
            "–" if row["ert"] is None else f"{row['ert']:,.0f}",
            C,
            "any" if row["C_exact"] is None else _minus(f"{row['C_exact']:.4g}"),
            f"{row['diverged']:,}",
        ]

    titles = ("gate", "optimizer", "runs", "reached %", "solved %", "held %", "first hit", "ERT")
    caption = (
        "reached, solved: with 95 % intervals. held: solved, and never above the threshold after "
        "the first hit. first hit: the epoch, median (quartiles) of all runs. ERT: epochs spent "
        "over all runs, per hit. C = wq·wk·wv of the solved: mean ± standard deviation, and the "
        "exact one."
    )
    sheet = _sheet((*titles, "C", "exact", "diverged"), 2, frame, cells, caption)
    return sheet._replace(spare=("held %", "ERT"))


def times(frame: pl.DataFrame) -> Sheet:
    """What ``times.times`` gives."""

    def cells(row: dict[str, Any]) -> list[str]:
        return [
            row["gate"],
            row["optimizer"],
            f"{row['runs']:,}",
            f"{row['hits']:,}",
            *(_estimate(row, name) for name in ("median", "mean", "ert", "ert_evaluations")),
        ]

    titles = ("gate", "optimizer", "runs", "hits", "median", "mean", "ERT", "ERT, evaluations")
    caption = (
        "Epochs to the first hit, with 95 % intervals. median: Kaplan and Meier's. mean: of the "
        "smaller of first hit and budget. ERT: the epochs, or evaluations, of all runs up to their "
        "hit, per hit: what a hit costs if one starts afresh whenever the budget ends without one."
    )
    return _sheet(titles, 2, frame, cells, caption)


def ladder(frame: pl.DataFrame) -> Sheet:
    """What ``ladder.ladder`` gives: a row a condition, a column a rung."""
    losses = frame["loss"].unique(maintain_order=True).to_list()

    def cell(row: dict[str, Any]) -> str:
        share = _share(row["reach_rate"])
        return share if row["median"] is None else f"{share} ({row['median']:,.0f})"

    rows = []
    for part in frame.partition_by("gate", "optimizer", *SETTINGS, maintain_order=True):
        rungs = [*part.iter_rows(named=True)]
        about = [rungs[0]["gate"], rungs[0]["optimizer"], f"{rungs[0]['runs']:,}"]
        rows.append([*about, *map(cell, rungs)])
    titles = (
        "gate",
        "optimizer",
        "runs",
        *(_minus(rung_name(loss)) for loss in losses),
    )
    caption = (
        "The share of runs, %, that got at or below a loss; in parentheses the median epoch of the "
        "first time, where half of the runs or more did."
    )
    return Sheet(titles, 2, rows, caption, spare=titles[3::2])


def stability(frame: pl.DataFrame) -> Sheet:
    """What ``stability.stability`` gives."""

    def counts(row: dict[str, Any], name: str) -> str:
        if row[f"{name}_median"] is None:
            return "–"
        return f"{row[f'{name}_median']:,} ({row[f'{name}_q95']:,})"

    def cells(row: dict[str, Any]) -> list[str]:
        worst = "–"
        if row["worst_after_hit_median"] is not None:
            middle, high = row["worst_after_hit_median"], row["worst_after_hit_q95"]
            worst = _minus(f"{middle:.1g} ({high:.1g})")
        return [
            row["gate"],
            row["optimizer"],
            f"{row['reached']:,}",
            "–" if row["held_rate"] is None else _percent(row, "held"),
            *(counts(row, name) for name in ("settling", "exits", "rises")),
            worst,
        ]

    titles = ("gate", "optimizer", "reached", "held %", "settling", "exits", "rises", "worst loss")
    caption = (
        "Of the runs that reached the threshold. held: that never left again, with 95 % intervals. "
        "settling: epochs from the hit until the run stayed, of the solved. Else the median (95 % "
        "quantile). exits: times it left. rises: epochs whose loss is greater than the one before. "
        "worst loss: after the hit."
    )
    return _sheet(titles, 2, frame, cells, caption)


def endings(frame: pl.DataFrame) -> Sheet:
    """What ``endings.endings`` gives; an ending that no run has is left out."""
    seen = [name for name in ENDINGS if frame[name].sum()]

    def cells(row: dict[str, Any]) -> list[str]:
        counts = [f"{row[name]:,}" for name in ("runs", *seen)]
        return [row["gate"], row["optimizer"], *counts]

    meanings = {
        "near": "around the solution",
        "linear": "on the plateau C = 0",
        "constant": "on the plateau w = 0",
        "cancellation": "beside C = −1",
        "runaway": "in the valley where C grows without bound",
        "moving": "under way, or hopping",
        "other": "at rest elsewhere",
    }
    told = [f"{name}: {meanings[name]}" for name in seen if name in meanings]
    caption = "Where runs ended. " + "; ".join(told)
    return _sheet(("gate", "optimizer", "runs", *seen), 2, frame, cells, caption)


def solutions(frame: pl.DataFrame) -> Sheet:
    """What ``solutions.solutions`` gives; classes of signs that no run has are left out."""
    seen = [signs for signs in SIGNS if frame[f"signs_{signs}"].sum()]

    def small(value: float | None) -> str:
        return "–" if value is None else _minus(f"{value:.2g}")

    def cells(row: dict[str, Any]) -> list[str]:
        off, apart = small(row["distance_median"]), "–"
        if row["distance_median"] is not None:
            off += f" ({small(row['distance_q95'])})"
        if row["apart_median"] is not None:
            middle, low, high = (
                _minus(f"{row[f'apart_{q}']:z.2f}") for q in ("median", "q05", "q95")
            )
            apart = f"{middle} ({low}…{high})"
        return [
            row["gate"],
            row["optimizer"],
            f"{row['solved']:,}",
            off,
            *(f"{row[f'signs_{signs}']:,}" for signs in seen),
            apart,
            small(row["drift_qk"]),
            small(row["drift_kv"]),
        ]

    titles = ("gate", "optimizer", "solved", "off C*", *map(_minus, seen), "w1 − w2")
    caption = (
        "Of the solved runs. off C*: |C − C*|, median (95 % quantile). Signs of wq wk wv. w1 − w2: "
        "median (5 %…95 %). Drift, the median change of wq² − wk² and of wk² − wv², which gradient "
        "flow conserves."
    )
    return _sheet((*titles, "drift qk", "drift kv"), 2, frame, cells, caption)


def starts(frame: pl.DataFrame) -> Sheet:
    """What ``starts.starts`` gives."""

    def cells(row: dict[str, Any]) -> list[str]:
        return [
            row["gate"],
            row["optimizer"],
            row["measure"],
            *(_minus(f"{row[end]:.3g}") for end in ("from", "to")),
            f"{row['runs']:,}",
            _percent(row, "reach"),
        ]

    titles = ("gate", "optimizer", "measure", "from", "to", "runs", "reached %")
    caption = "Runs by where they start, in bins of equal size; rates with 95 % intervals."
    return _sheet(titles, 3, frame, cells, caption)


def curvature(frame: pl.DataFrame) -> Sheet:
    """What ``curvature.curvature`` gives."""

    def cells(row: dict[str, Any]) -> list[str]:
        middle, low, high = (f"{row[f'sharpness_{q}']:.3g}" for q in ("median", "q05", "q95"))
        return [
            row["gate"],
            row["optimizer"],
            row["ended"],
            f"{row['runs']:,}",
            f"{middle} ({low}–{high})",
            _minus(f"{row['least_median']:.2g}"),
            f"{row['saddles']:,}",
            *(f"{row[sign]:.1f}" for sign in ("negative", "flat", "positive")),
        ]

    titles = ("gate", "optimizer", "ended", "runs", "sharpness", "least", "saddles")
    caption = (
        "The Hessian where runs ended. sharpness: its largest eigenvalue, median (5 %–95 %); "
        "least: the smallest, median. saddles: runs with a negative one. Then how many of the six "
        "are negative, zero and positive, on average."
    )
    return _sheet((*titles, "−", "0", "+"), 3, frame, cells, caption)


def compare(frame: pl.DataFrame) -> Sheet:
    """What ``comparison.compare`` gives."""

    def cells(row: dict[str, Any]) -> list[str]:
        counts = [row[name] for name in ("both", "only_a", "only_b", "neither")]
        difference = "–"
        if row["difference"] is not None:
            middle, low, high = (
                _minus(f"{100 * row[name]:+.1f}") for name in ("difference", "low", "high")
            )
            difference = f"{middle} ({low}…{high})"
        return [
            row["gate"],
            row["a"],
            row["b"],
            row["measure"],
            *("–" if count is None else f"{count:,}" for count in counts),
            difference,
            _p(row["p_holm"]),
        ]

    titles = ("gate", "a", "b", "measure", "both", "only a", "only b", "neither", "a − b, %", "p")
    caption = (
        "Seed by seed. a − b: the rates' difference with its 95 % interval. p: McNemar's exact "
        "test; for first_hit the log-rank test; adjusted by Holm's method over each measure."
    )
    return _sheet(titles, 4, frame, cells, caption)


def _minus(number: str) -> str:
    return number.replace("-", "−")


def _decimal(value: float) -> str:
    return _minus(f"{value:.4f}") if abs(value) >= 5e-5 else "0.0000"


def _spread(sd: float | None) -> str:
    if sd is None:
        return ""
    number = f"{sd:.4f}" if sd == 0 or sd >= 5e-5 else f"{sd:.0e}"
    return f" ±{_minus(number)}"


def _share(value: float) -> str:
    """A share in percent."""
    return "100" if value == 1 else f"{100 * value:.1f}"


def _percent(row: dict[str, Any], rate: str) -> str:
    share, low, high = (_share(row[f"{rate}_{end}"]) for end in ("rate", "low", "high"))
    return f"{share} ({low}–{high})"


def _hits(row: dict[str, Any]) -> str:
    median, low, high = (
        "never" if row[f"first_hit_{q}"] is None else f"{row[f'first_hit_{q}']:,}"
        for q in ("median", "q25", "q75")
    )
    return "never" if low == "never" else f"{median} ({low}–{high})"


def _estimate(row: dict[str, Any], name: str) -> str:
    value, low, high = (
        "–" if number is None else f"{number:,.0f}"
        for number in (row[name], row[f"{name}_low"], row[f"{name}_high"])
    )
    if low == high == "–":
        return value
    return f"{value} ({low}–{'∞' if high == '–' else high})"


def _p(value: float | None) -> str:
    if value is None:
        return "–"
    if value < 1e-300:
        return "<1e−300"
    return _minus(f"{value:.0e}") if value < 1e-3 else f"{value:.3f}"
