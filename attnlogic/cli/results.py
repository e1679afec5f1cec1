"""Commands on results as they lie on disk: ``tally`` and ``runs``; and how results are found."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from attnlogic.cli import options
from attnlogic.errors import InputError
from attnlogic.view import terminal
from attnlogic.words import in_shell

if TYPE_CHECKING:
    from attnlogic.results import Runs, Tally


def runs_or_tally(path: Path) -> Runs | Tally:
    """A study in a folder, or a tally in a file."""
    from attnlogic.results import Tally, load

    return Tally.read(path) if path.is_file() else load(path)


def every_run(path: Path) -> Runs:
    """A study in a folder."""
    from attnlogic.results import load

    if path.is_file():
        raise InputError(f"'{path}' is a file: this needs every run, and so a study's folder")
    return load(path)


def tally(
    directories: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR…",
            help="Studies, or tallies of some; no two with a run in common.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="The tally's file.", show_default=False)
    ],
) -> None:
    """Count the runs of studies: a small file from which statistics are computed as from the runs.

    Its size does not grow with the runs, and tallies add up. Wherever a command of this panel takes
    a study's folder it takes a tally's file, unless it needs every run.

    [bold]attnlogic tally runs/a runs/b --out all.parquet[/bold]

    [bold]attnlogic summary all.parquet[/bold]
    """
    from attnlogic.results import Tally

    if out.exists():
        raise InputError(f"'{out}' exists: name another file with --out")
    if not out.parent.is_dir():
        raise InputError(f"there is no folder '{out.parent}' for '{out.name}': make it first")
    together = Tally.none()
    for directory in directories:
        runs = runs_or_tally(directory)
        together = together + (runs if isinstance(runs, Tally) else Tally.of(runs))
    together.write(out)
    terminal.say(f"wrote {out}: attnlogic summary {in_shell(out)}")


def runs(
    directory: options.StudyFolder,
    form: Annotated[
        Literal["csv", "parquet", "json"], typer.Option("--format", help="How to print them.")
    ] = "csv",
) -> None:
    """Print every run of a study, a row each.

    [bold]attnlogic runs runs/demo --format parquet > demo.parquet[/bold]
    """
    if form == "parquet" and sys.stdout.isatty():
        raise InputError("Parquet is not for a terminal: add > FILE.parquet")
    rows = every_run(directory).table()
    if form == "parquet":
        # Whole first: polars' own error for a pipe that closes early is not Python's.
        file = io.BytesIO()
        rows.write_parquet(file)
        terminal.write_bytes(file.getvalue())
    else:
        terminal.write(rows.write_csv().rstrip() if form == "csv" else rows.write_json())
