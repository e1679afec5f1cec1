"""The part of the findings that goes beyond the notebook: three bits, other models, a sweep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

import attnlogic
from attnlogic.results import Runs, known_of

MODELS = (
    "attention", "attention(scores=softmax)", "linear", "mlp(hidden=1)", "mlp(hidden=2)",
    "mlp(hidden=3)",
)  # fmt: skip
"""The models that are trained on all gates of three bits."""

RATES = "adamw(lr=1e-4..1:log:25)"
GATES = ("xor", "nand", "and", "or", "xnor")
"""What the learning rate is swept on."""


def run(folder: Path, three_seeds: int, rate_seeds: int) -> tuple[Runs, Runs]:
    """The two studies: all gates of three bits by every model, and the sweep.

    Args:
      folder: where the runs are kept.
      three_seeds, rate_seeds: seeds of each condition.
    """
    three = attnlogic.Study("all3", "adam", seeds=three_seeds, models=MODELS)
    rates = attnlogic.Study(GATES, RATES, seeds=rate_seeds)
    return (
        attnlogic.run(three, out=folder / "three"),
        attnlogic.run(rates, out=folder / "rates"),
    )


def figures(three: Runs, rates: Runs) -> dict[str, str]:
    """Every figure of that part by its name; see ``findings.figures``."""
    summary = attnlogic.summary(three)
    solved = {model: _solved(summary, model) for model in MODELS}
    solvable = {model: _solvable(summary, model) for model in MODELS}
    attention = solvable["attention"] or set()
    return {
        "three_seeds": str(summary["runs"][0]),
        "three_table": _table(three, summary, solved, solvable),
        "attention_solved": str(len(solved["attention"])),
        "attention_agrees": "exactly" if solved["attention"] == attention else "but not all of",
        "linear_solved": str(len(solved["linear"])),
        "one_unit_solved": str(len(solved["mlp(hidden=1)"])),
        "rate_seeds": str(attnlogic.summary(rates)["runs"][0]),
        "rate_table": _rates(attnlogic.sweep(rates)),
    }


def _solved(summary: pl.DataFrame, model: str) -> set[str]:
    """The gates that some seed of a model solved."""
    written = str(attnlogic.model(model))
    return {*summary.filter(pl.col("solved") > 0, model=written)["gate"]}


def _solvable(summary: pl.DataFrame, model: str) -> set[str] | None:
    """The gates that theory says a model can solve; None where it knows nothing."""
    rows = summary.filter(model=str(attnlogic.model(model))).to_dicts()
    known = {row["gate"]: known_of(row) for row in rows}
    if None in known.values():
        return None
    return {gate for gate, of in known.items() if of is not None and of.solvable}


def _table(
    three: Runs,
    summary: pl.DataFrame,
    solved: dict[str, set[str]],
    solvable: dict[str, set[str] | None],
) -> str:
    lines = [
        "| model | parameters | can be solved, by theory | solved by some seed | "
        "share of its runs on those |",
        "| --- | --: | --: | --: | --: |",
    ]
    for model in MODELS:
        written = str(attnlogic.model(model))
        of_model = summary.filter(pl.col("solved") > 0, model=written)
        share = 100 * int(of_model["solved"].sum()) / max(1, int(of_model["runs"].sum()))
        exact = solvable[model]
        cells: list[Any] = [
            model, len(attnlogic.problem("and3", model).names),
            "–" if exact is None else len(exact), len(solved[model]), f"{share:.0f} %",
        ]  # fmt: skip
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def _rates(sweep: pl.DataFrame) -> str:
    """The best rate of each gate with those that are no worse, and what lr 1e-3 and 0.05 give."""
    lines = ["| gate | best lr | no worse | solved there |", "| --- | --: | --: | --: |"]
    for (gate,), curve in sweep.group_by(["gate"], maintain_order=True):
        best = curve.filter(pl.col("best") == "best").row(0, named=True)
        among = curve.filter(pl.col("best").is_not_null())["value"]
        # polars types a column's least as any Python value; this column's are floats.
        least, most = float(among.min() or 0), float(among.max() or 0)  # type: ignore[arg-type]
        lines.append(
            f"| {gate} | {best['value']:.3g} | {least:.3g} … {most:.3g} | "
            f"{100 * best['solve_rate']:.0f} % |"
        )
    return "\n".join(lines)
