"""``python -m attnlogic.examples.findings``: what ten thousand seeds show, as a page.

Runs the default study with 10,000 seeds, a slower SGD, all gates of three bits by several models
and a sweep of the learning rate (some minutes on two cores), takes every figure of the page from
them, and writes ``findings.md`` and the pictures of the README.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import polars as pl
import typer

import attnlogic
from attnlogic.examples import beyond
from attnlogic.results import Runs, ending, known_of
from attnlogic.statistics import STATISTICS, curvature
from attnlogic.view import markdown, run_history, save

HERE = Path(__file__).parent
PICTURES = Path(".github")

ASKED = (
    "summary", "times", "ladder", "stability", "endings", "basins", "starts", "solutions"
)  # fmt: skip
"""The statistics that the page has figures of."""


def sheet(name: str, frame: pl.DataFrame) -> str:
    """A statistic's frame as a Markdown table."""
    statistic = STATISTICS[name]
    return markdown(statistic.shown(frame))


def row(frame: pl.DataFrame, gate: str, optimizer: str, **more: Any) -> dict[str, Any]:
    """The only row of a condition."""
    found = frame.filter(gate=gate, optimizer=optimizer, **more)
    return found.row(0, named=True) if len(found) == 1 else {}


def figures(runs: Runs, slow: Runs) -> dict[str, str]:
    """Every figure of the page by its name.

    Args:
      runs: the default study.
      slow: SGD at a lower rate, on XOR.
    """
    frames = {name: STATISTICS[name](runs) for name in ASKED}
    summary, stability, endings = frames["summary"], frames["stability"], frames["endings"]
    adam, lbfgs = row(summary, "xor", "adam"), row(summary, "xor", "lbfgs")
    rows = runs.table()
    xor_sgd = rows.filter(gate="xor", optimizer="sgd")
    xor = known_of(xor_sgd.row(0, named=True))
    assert xor is not None
    near = xor_sgd.filter(ending(xor) == "near")
    solved = rows.filter(gate="xor", optimizer="adam", status="solved")
    starts = frames["starts"].filter(gate="nand", optimizer="adam", measure="C_initial")
    sides = [starts.filter(pl.col("from") < 0), starts.filter(pl.col("from") >= 0)]
    negative, positive = (
        100 * float(side["reached"].sum()) / max(1, float(side["runs"].sum())) for side in sides
    )
    sharpness = pl.Series(curvature.eigenvalues(solved, xor)[:, -1])
    values = {
        "seeds": adam["runs"],
        "seeds_typed": str(adam["runs"]),
        "adam_reached": f"{100 * adam['reach_rate']:.0f}",
        "adam_solved": f"{100 * adam['solve_rate']:.0f}",
        "adam_hits": adam["reached"],
        "adam_held": row(stability, "xor", "adam")["held"],
        "adam_exits": row(stability, "xor", "adam")["exits_median"],
        "lbfgs_hits": lbfgs["reached"],
        "lbfgs_left": lbfgs["reached"] - row(stability, "xor", "lbfgs")["held"],
        "near_count": len(near),
        "near_loss": f"{_median(near['final_loss']):.3f}",
        "sharp": f"{sharpness.quantile(0.05) or 0:.1f}",
        "slow_seeds": len(slow),
        "slow_solved": int(attnlogic.summary(slow)["solved"][0]),
        "nand_negative": f"{negative:.0f}",
        "nand_positive": f"{positive:.0f}",
        "worn": row(endings, "xor", "adamw")["linear"],
        "worn_adam": row(endings, "xor", "adam")["linear"],
        "lbfgs_last_hit": rows.filter(optimizer="lbfgs")["first_hit"].max(),
        **_costs(frames["times"]),
        **_apart(frames["solutions"]),
        **_crossed(frames["basins"]),
        **_decades(frames["ladder"]),
    }
    tables = {
        f"{name}_table": sheet(name, frames[name]) for name in ("summary", "endings", "basins")
    }
    shown = {k: f"{v:,}" if isinstance(v, int) else str(v) for k, v in values.items()}
    return shown | tables


def _median(values: pl.Series) -> float:
    return float(values.cast(pl.Float64).quantile(0.5) or 0)


def _costs(times: pl.DataFrame) -> dict[str, str]:
    cost = {(row["gate"], row["optimizer"]): row["ert"] for row in times.iter_rows(named=True)}
    asked = {"ert_polyak_xor": ("xor", "polyak"), "ert_polyak_nand": ("nand", "polyak"),
             "ert_sgd_nand": ("nand", "sgd")}  # fmt: skip
    return {k: "–" if cost[key] is None else f"{cost[key]:,.0f}" for k, key in asked.items()}


def _apart(solutions: pl.DataFrame) -> dict[str, str]:
    found: dict[str, str] = {}
    for by in ("adam", "adamw", "sgd"):
        low, high, drift = (
            row(solutions, "nand", by)[name] or 0 for name in ("apart_q05", "apart_q95", "drift_qk")
        )
        found |= {f"apart_{by}": f"{low:.2f} … {high:.2f}".replace("-", "−")}
        found |= {f"drift_{by}": f"{drift:.2g}"}
    return found


def _crossed(basins: pl.DataFrame) -> dict[str, str]:
    return {
        f"crossed_{by}_{gate}": f"{100 * row(basins, gate, by, start='valley')['cross_rate']:.0f}"
        for gate, by in (("xor", "adam"), ("xor", "polyak"), ("nand", "adam"), ("nand", "sgd"))
    }


def _decades(ladder: pl.DataFrame) -> dict[str, str]:
    """Epochs of the median run from one rung to the next, below 1e-5, on XOR."""
    found = {}
    for by in ("adam", "adamw"):
        medians = ladder.filter(pl.col("loss") <= 1e-5, gate="xor", optimizer=by)["median"]
        steps = [later - sooner for sooner, later in pairwise(medians.drop_nulls().to_list())]
        found[f"decade_{by}"] = " to ".join(f"{f(steps or [0]):,.0f}" for f in (min, max))
    return found


def main(
    seeds: Annotated[int, typer.Option(help="Seeds of the default study.")] = 10_000,
    slow_seeds: Annotated[int, typer.Option(help="Seeds of the slower SGD.")] = 1000,
    three_seeds: Annotated[int, typer.Option(help="Seeds of each gate of three bits.")] = 100,
    rate_seeds: Annotated[int, typer.Option(help="Seeds of each learning rate.")] = 1000,
    page: Annotated[Path, typer.Option(help="The page to write.")] = HERE / "findings.md",
    pictures: Annotated[Path, typer.Option(help="The pictures' folder.")] = PICTURES,
) -> None:
    """Run the studies and write the page and the pictures."""
    with TemporaryDirectory() as scratch:
        runs = attnlogic.run(attnlogic.Study(seeds=seeds), out=Path(scratch) / "default")
        slower = attnlogic.Study(["xor"], ["sgd(lr=0.03)"], seeds=slow_seeds, epochs=40_000)
        slow = attnlogic.run(slower, out=Path(scratch) / "slow")
        three, rates = beyond.run(Path(scratch), three_seeds, rate_seeds)
        template = (HERE / "findings.template.md").read_text(encoding="utf-8")
        found = figures(runs, slow) | beyond.figures(three, rates)
        page.write_text(template.format_map(found), encoding="utf-8")
        save(attnlogic.solutions.chart(runs, "C"), pictures / "C.svg")
        save(attnlogic.ladder.chart(runs), pictures / "ladder.svg")
        save(attnlogic.sweep.chart(rates), pictures / "sweep.svg")
    save(run_history(attnlogic.train("xor", "adamw", 0, epochs=3000)), pictures / "xor-adamw.svg")


if __name__ == "__main__":
    typer.run(main)
