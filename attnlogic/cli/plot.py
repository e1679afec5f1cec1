"""``attnlogic plot``: the charts of a study as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from attnlogic.cli import options
from attnlogic.cli.results import runs_or_tally
from attnlogic.errors import InputError
from attnlogic.statistics import CHARTS
from attnlogic.view import terminal

FORMATS = Literal["svg", "png", "pdf", "html"]


def plot(
    directory: options.StudyOrTally,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="A chart: see the list below.",
            autocompletion=lambda: [*CHARTS],
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="A name that ends in .png, .svg, .pdf or .html; with --all a folder. Without it: "
            "NAME.svg, or the folder charts.",
            show_default=False,
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every chart that has something to draw.")
    ] = False,
    form: Annotated[FORMATS, typer.Option("--format", help="Of the files of --all.")] = "svg",
    theme: Annotated[
        Literal["auto", "light", "dark"],
        typer.Option(help="auto: a page follows its reader's, other files are light."),
    ] = "auto",
) -> None:
    """Draw a chart of a study, or all of them.

    [bold]attnlogic plot runs/demo C -o C.svg[/bold]

    [bold]attnlogic plot runs/demo --all -o charts/[/bold]
    """
    from attnlogic.view import save, writable_picture

    if every:
        if name is not None:
            raise InputError(f"'{name}' and --all are two choices of charts: leave one")
        _plot_all(directory, Path("charts") if out is None else out, form, theme)
        return
    if name is None:
        raise InputError(f"name a chart, or give --all. There are:\n{listed()}")
    if name not in CHARTS:
        raise InputError(f"unknown chart '{name}'. There are:\n{listed()}")
    path = Path(f"{name}.svg") if out is None else out
    writable_picture(path)
    save(CHARTS[name].chart(runs_or_tally(directory), name), path, theme)
    terminal.say(f"wrote {path}")


def _plot_all(directory: Path, folder: Path, form: str, theme: str) -> None:
    """Write every chart into a folder; say of each other one why it is not there.

    Raises:
      InputError: the folder cannot be made, or no chart has anything to draw.
    """
    from attnlogic.view import save

    if folder.exists() and not folder.is_dir():
        raise InputError(f"'{folder}' is a file: name a folder with --out")
    if not folder.parent.is_dir():
        raise InputError(f"there is no folder '{folder.parent}' for '{folder.name}': make it first")
    runs = runs_or_tally(directory)
    written = 0
    for name in CHARTS:
        try:
            chart = CHARTS[name].chart(runs, name)
        except InputError as error:
            terminal.say(f"{name}: {error}")
            continue
        folder.mkdir(exist_ok=True)
        path = folder / f"{name}.{form}"
        save(chart, path, theme)
        terminal.say(f"wrote {path}")
        written += 1
    if not written:
        raise InputError(f"'{directory}' has nothing to draw")


def listed() -> str:
    """Every chart's name with what it shows, a line each."""
    about = {chart.name: chart.about for s in CHARTS.values() for chart in s.charts}
    width = max(map(len, about))
    return "\n".join(f"  {name:{width}}  {text}" for name, text in about.items())
