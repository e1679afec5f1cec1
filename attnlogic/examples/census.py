"""``python -m attnlogic.examples.census``: what only very many seeds can show.

Trains Polyak on XOR from the first 2^28 seeds (a quarter of an hour on two cores), keeping a tally
and the rows of runs that got stuck. Interrupt it and start it again as you like: it goes on. Then
it prints the page that is kept as census.md: how often each ending comes up, the rarest with seeds
to look at, the extremes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import polars as pl
import typer

import attnlogic
from attnlogic.results import Population, Runs, ending, kept_rows, known_of, populations
from attnlogic.view import markdown

STUCK = "status != 'solved' and C > -0.1 and final_loss < 0.32"
"""Runs near V(C) where that is no solution: on the linear plateau, V(0) = 1/4, or in the runaway
valley, C > 0, where V falls to 2/9."""

ASKED = ("summary", "times", "ladder", "endings", "stability")

EXTREMES = (
    ("the latest first hit, epoch", "first_hit", "reached", max),
    ("the fewest exits after it", "exits", "reached", min),
    ("the most exits after it", "exits", "reached", max),
    ("the largest loss after it", "worst_after_hit", "reached", max),
    ("the least C that solves", "C", "solved", min),
    ("the greatest C that solves", "C", "solved", max),
    ("the least C of a run that failed", "C", "failed", min),
    ("the greatest C of a run that failed", "C", "failed", max),
)
"""What the tally says of the extremes: in words, the quantity, the group of runs, and which end."""

SHOWN = 5
"""Seeds that are listed of each ending."""


def train(out: Path, seeds: int | range | str, scheduler: str | None = None) -> Runs:
    """Train the census, or what is missing of it.

    Args:
      out: its folder.
      seeds: as for ``Study``.
      scheduler: the address of a Dask cluster's scheduler; None for this machine.
    """
    study = attnlogic.Study("xor", "polyak", seeds)
    if scheduler is None:
        return attnlogic.run(study, out=out, keep="tally", keep_rows=STUCK)
    from attnlogic.studies import connected

    with connected(scheduler) as client:
        return attnlogic.run(study, out=out, keep="tally", keep_rows=STUCK, executor=client)


def page(runs: Runs) -> str:
    """The page, in Markdown."""
    (population,) = populations(runs)
    tables = []
    for name in ASKED:
        statistic = attnlogic.STATISTICS[name]
        tables += [f"## {name}", statistic.question, markdown(statistic.shown(statistic(runs)))]
    title = f"{_WRITTEN}\n# Polyak on XOR, {population.runs:,} seeds"
    parts = [title, _rarities(runs), *tables, _extremes(population), _rarest(runs)]
    return "\n\n".join(parts) + "\n"


_WRITTEN = "<!-- Written by python -m attnlogic.examples.census: change that. -->"


def _rarities(runs: Runs) -> str:
    """How rare the endings are."""
    (row,) = attnlogic.endings(runs).iter_rows(named=True)
    failed = row["runs"] - row["solved"]
    about = (
        "Of the notebook's five optimizers Polyak's step reaches XOR's solution most often, so "
        "that a thousand seeds hardly show how it fails. These do: "
        f"{100 * failed / row['runs']:.2f} % of the runs end elsewhere, {row['moving']:,} of them "
        f"still hopping and {row['near']:,} close to the solution, on an excursion."
    )
    lines = []
    for name, words in (("linear", "On the linear plateau"), ("runaway", "In the runaway valley")):
        found = row[name]
        often = f"one run in {row['runs'] / found:,.0f}" if found else "no run"
        lines.append(f"- {words}, where a good part of other optimizers' failures end: {often}.")
    return "\n".join([about, "", *lines])


def _extremes(population: Population) -> str:
    about = "To less than 1 %, the width of the tally's bins; whole numbers exactly."
    lines = []
    for words, quantity, group, end in EXTREMES:
        values = population.of(quantity, group).finite().values
        if len(values):
            lines.append(f"- {words}: {float(end(values)):,.6g}")
    return "\n".join(["## Extremes", "", about, "", *lines])


def _rarest(runs: Runs) -> str:
    """The seeds of the rarest endings, each as a command that shows the run."""
    rows, matching = kept_rows(runs)
    text = f"## Stuck\n\n{matching:,} runs where `{STUCK}`, of which {len(rows):,} rows are kept"
    if not len(rows):
        return f"{text}."
    known = known_of(rows.row(0, named=True))
    endings = rows.with_columns(ending=ending(known).cast(pl.String)).sort("ending", "seed")
    lines = []
    for (name,), some in endings.group_by("ending", maintain_order=True):
        seeds = ", ".join(map(str, some["seed"].head(SHOWN)))
        shown = f"attnlogic train xor -o polyak --seed {some['seed'][0]}"
        found = some["C"].to_numpy()
        span = f"{found.min():.4g} … {found.max():.4g}"
        lines.append(f"- {name}: {len(some):,}, C {span}; seeds {seeds}: `{shown}`")
    return "\n".join([f"{text}:", "", *lines])


def main(
    seeds: Annotated[int, typer.Option(help="The first so many; 0 for all 2^32.")] = 2**28,
    out: Annotated[Path, typer.Option(help="The census' folder.")] = Path("runs/polyak-census"),
    scheduler: Annotated[str | None, typer.Option(help="A Dask scheduler's address.")] = None,
) -> None:
    """Train the census and print its page."""
    typer.echo(page(train(out, seeds or "all", scheduler)))


if __name__ == "__main__":
    typer.run(main)
