"""Results in words and tables, for a person at a terminal."""

from __future__ import annotations

from typing import Any

import polars as pl
from rich import box
from rich.table import Table

from attnlogic import model
from attnlogic.model import NAMES
from attnlogic.outcomes import NONE
from attnlogic.single import Run

_COLUMNS = {
    "gate": "gate",
    "optimizer": "optimizer",
    "runs": "runs",
    "reached": "reached %",
    "solved": "solved %",
    "first_hit": "first hit",
    "C": "C",
    "C_exact": "exact",
    "diverged": "diverged",
}
WIDE = 105
"""Columns of a screen that hold a usual summary's rows on one line each."""

_CAPTION = (
    "reached, solved: with 95 % Wilson intervals. first hit: the epoch, median (quartiles) of all "
    "runs. C = wq·wk·wv of the solved: mean ± standard deviation, and the exact one."
)
_TEXT = ("gate", "optimizer")


def run_text(run: Run, every: int = 50) -> str:
    """One run as the notebook prints it: trace, threshold analysis, parameters, formula.

    Args:
      run: the run.
      every: the trace has the epochs 0, every, 2·every, …
    """
    training, outcome, losses = run.training, run.outcome, run.history.losses
    lines = [
        f"{training.gate} · {training.optimizer} · seed {run.seed} · {run.backend} "
        f"{training.precision} · {training.epochs} epochs",
        "",
        *(f"Epoch {e}, loss = {losses[e]:.4f}" for e in range(0, len(losses), every)),
        "",
        *_threshold_lines(run),
        "",
    ]
    if outcome.diverged_at != NONE:
        return "\n".join([*lines, "There are no learned parameters: they are not finite."])
    values = zip(NAMES, model.pack(outcome.final), strict=True)
    return "\n".join(
        [
            *lines,
            "Learned parameters: " + ", ".join(f"{n} = {_number(v)}" for n, v in values),
            f"C = wq·wk·wv = {_number(outcome.C)}",
            *formulas(run),
        ]
    )


def _threshold_lines(run: Run) -> list[str]:
    outcome, threshold = run.outcome, f"{run.training.threshold:g}"
    if outcome.first_hit == NONE:
        lines = [f"Threshold {threshold}: never reached."]
    else:
        rises = run.rises
        more = ", …" if len(rises) > 10 else ""
        listed = f": {', '.join(map(str, rises[:10]))}{more}" if rises else ""
        lines = [
            f"Threshold {threshold}: first reached at epoch {outcome.first_hit}.",
            f"Epochs after it whose loss rose: {len(rises)}{listed}",
        ]
    if outcome.stopped_at != NONE:
        lines.append(f"Stopped by its own rule at epoch {outcome.stopped_at}.")
    if outcome.diverged_at != NONE:
        lines.append(f"Diverged: the loss of epoch {outcome.diverged_at} is not finite.")
    return [*lines, f"Last loss: {outcome.final_loss:.12f} ({run.status})"]


def formulas(run: Run) -> list[str]:
    """The collapsed form and the expanded one, with the run's numbers put in."""
    final = run.outcome.final
    w1, w2 = final.w
    x1, x2, x1x2, bias = model.coefficients(final)
    return [
        f"out = ({_number(w1)}·x1 {_signed(w2)}·x2)({_number(run.outcome.C)}·(x1² + x2²) + 1) "
        f"{_signed(final.b)}",
        f"    = {_number(x1)}·x1 {_signed(x2)}·x2 {_signed(x1x2)}·x1·x2 {_signed(bias)}   "
        "on inputs 0 and 1",
    ]


def _number(value: Any) -> str:
    """Four decimals; four significant digits where that is more: a tiny weight times a huge C."""
    number = float(value) + 0.0  # no −0
    form = ".4g" if 0 < abs(number) < 0.1 else ".4f"
    return format(number, form).replace("-", "−")


def _signed(value: Any) -> str:
    sign = "−" if float(value) < 0 else "+"
    return f"{sign} {_number(abs(float(value)))}"


def summary_table(summary: pl.DataFrame, width: int = WIDE) -> Table:
    """A summary as a rich table, with what a person reads first.

    Args:
      summary: what ``statistics.summarize`` gives.
      width: columns of the screen; where one line a condition would not fit, it has two.
    """
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, padding=0, header_style="bold",
        caption=_CAPTION, caption_justify="left",
    )  # fmt: skip
    for name, title in _COLUMNS.items():
        table.add_column(title, justify="left" if name in _TEXT else "right", overflow="fold")
    for cells in _cells(summary):
        table.add_row(*(cells if width >= WIDE else (c.replace(" ", "\n", 1) for c in cells)))
    return table


def summary_markdown(summary: pl.DataFrame) -> str:
    """The same table in Markdown."""
    rule = ["---" if name in _TEXT else "--:" for name in _COLUMNS]
    rows = [list(_COLUMNS.values()), rule, *_cells(summary)]
    return "\n".join([*(f"| {' | '.join(row)} |" for row in rows), "", _CAPTION])


def _cells(summary: pl.DataFrame) -> list[list[str]]:
    return [
        [
            row["gate"],
            row["optimizer"],
            f"{row['runs']:,}",
            _percent(row, "reach"),
            _percent(row, "solve"),
            _hits(row),
            "–" if row["C_mean"] is None else _number(row["C_mean"]) + _spread(row["C_sd"]),
            "any" if row["C_exact"] is None else _exact(row["C_exact"]),
            f"{row['diverged']:,}",
        ]
        for row in summary.iter_rows(named=True)
    ]


def _exact(C: float) -> str:
    return f"{C:.4g}".replace("-", "−")


def _percent(row: dict[str, Any], rate: str) -> str:
    share, low, high = (
        "100" if value == 1 else f"{100 * value:.1f}"
        for value in (row[f"{rate}_{end}"] for end in ("rate", "low", "high"))
    )
    return f"{share} ({low}–{high})"


def _hits(row: dict[str, Any]) -> str:
    median, low, high = (
        "never" if row[f"first_hit_{q}"] is None else f"{row[f'first_hit_{q}']:,}"
        for q in ("median", "q25", "q75")
    )
    return "never" if low == "never" else f"{median} ({low}–{high})"


def _spread(sd: float | None) -> str:
    if sd is None:
        return ""
    number = f"{sd:.4f}" if sd == 0 or sd >= 5e-5 else f"{sd:.0e}"
    return f" ±{number}"  # no space within: a cell folds at its only one
