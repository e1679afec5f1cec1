"""``attnlogic plot``: the charts of studies as files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from attnlogic.cli import options
from attnlogic.cli.reporting import reported
from attnlogic.cli.results import read
from attnlogic.errors import InputError
from attnlogic.statistics import CHARTS, STATISTICS, ReadOnce
from attnlogic.view import terminal
from attnlogic.words import in_shell

if TYPE_CHECKING:
    from attnlogic.results import Selection

FORMATS = Literal["svg", "png", "pdf", "html"]


def _completed(ctx: typer.Context) -> list[str]:
    """The charts' names, once a folder is there; where none matches, a shell completes files."""
    asked = ctx.params.get("words") and not ctx.params.get("every")
    return [*CHARTS] if asked else []


def plot(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="DIR… NAME",
            help="Studies' folders or tallies' files, then a chart: see the list below.",
            autocompletion=_completed,
            show_default=False,
        ),
    ],
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
    gate: options.OnlyGates = None,
    optimizer: options.OnlyOptimizersLong = None,
    model: options.OnlyModels = None,
    where: options.Where = None,
    threshold: options.OtherThreshold = None,
) -> None:
    """Draw a chart of studies, or all of them.

    [bold]attnlogic plot runs/demo C -o C.svg[/bold]

    [bold]attnlogic plot runs/demo --all -o charts/[/bold]

    [bold]attnlogic plot runs/a runs/b C --gate xor --where "status == 'lost'"[/bold]
    """
    from attnlogic.results import select
    from attnlogic.view import save, writable_picture

    paths, name = _asked(words, every)
    target = out or Path("charts" if name is None else f"{name}.svg")
    if name is None:
        _check_folder(target)
    else:
        writable_picture(target)
    found = read(paths)
    runs = select(
        found, gate=gate, optimizer=optimizer, model=model, where=where, threshold=threshold
    )
    with reported(found, "csv"):
        if name is None:
            _save_all(runs, target, form, theme)
        else:
            save(CHARTS[name].chart(runs, name), target, theme)
            terminal.say(f"wrote {target}")


def _asked(words: Sequence[str], every: bool) -> tuple[list[Path], str | None]:
    """The paths of the runs, and the chart's name; None for all charts.

    The last word is the chart, also where a file has its name; the others are paths.

    Raises:
      InputError: there is no chart or no path, or another word can only be a chart.
    """
    *before, last = words
    if not every and last in CHARTS:
        if not before:
            raise InputError(f"of what? Name a study before the chart: attnlogic plot DIR {last}")
        words = before
    charts = [word for word in words if word in CHARTS and not Path(word).exists()]
    if charts and every:
        raise InputError(f"'{charts[0]}' and --all are two choices of charts: leave one")
    if charts and last in CHARTS:
        raise InputError(f"'{charts[0]}' and '{last}' are two charts: leave one, or give --all")
    if charts:
        paths = " ".join(in_shell(word) for word in words if word not in charts)
        raise InputError(f"the chart comes last: attnlogic plot {paths} {charts[0]}")
    if not every and last not in CHARTS:
        known = not before or Path(last).exists()
        says = "name a chart, or give --all" if known else f"unknown chart '{last}'"
        raise InputError(f"{says}. There are:\n{listed()}")
    return [*map(Path, words)], None if every else last


def _check_folder(folder: Path) -> None:
    from attnlogic.view import writable_file

    if folder.exists() and not folder.is_dir():
        raise InputError(f"'{folder}' is a file: name a folder with --out")
    writable_file(folder / "chart.svg" if folder.exists() else folder)


def _save_all(runs: Selection, folder: Path, form: str, theme: str) -> None:
    """Write every chart into a folder; say of each other one why it is not there.

    Raises:
      InputError: no chart has anything to draw.
    """
    from attnlogic.view import save

    written = 0
    for name, chart in _all_charts(runs):
        if isinstance(chart, InputError):
            terminal.say(f"{name}: {chart}")
            continue
        folder.mkdir(exist_ok=True)
        path = folder / f"{name}.{form}"
        save(chart, path, theme)
        terminal.say(f"wrote {path}")
        written += 1
    if not written:
        raise InputError("these runs have nothing to draw")


def _all_charts(runs: Selection) -> Iterator[tuple[str, Any]]:
    """Each chart by its name, or the ``InputError`` that says why there is none.

    The runs are read once, and each statistic is computed once.
    """
    given = ReadOnce(runs, every_run=True)
    _ = given.populations  # what cannot be read is an error of its own, and not one of each chart
    for statistic in STATISTICS.values():
        try:
            frame = statistic.computed(given)
        except InputError as error:
            yield from ((chart.name, error) for chart in statistic.charts)
            continue
        for chart in statistic.charts:
            drawn: Any
            try:
                drawn = statistic.drawn(chart, frame, given)
            except InputError as error:
                drawn = error
            yield chart.name, drawn


def listed() -> str:
    """Every chart's name with what it shows, a line each."""
    about = {chart.name: chart.about for s in CHARTS.values() for chart in s.charts}
    width = max(map(len, about))
    return "\n".join(f"  {name:{width}}  {text}" for name, text in about.items())
