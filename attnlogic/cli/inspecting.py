"""Commands on a study's folder as a whole: ``info`` and ``verify``."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import typer

from attnlogic.cli import options
from attnlogic.cli.reporting import INCOMPLETE, reported, say_unread
from attnlogic.view import terminal
from attnlogic.words import counted


def info(
    directory: options.StudyFolder,
    form: Annotated[
        Literal["table", "json"], typer.Option("--format", help="How to print it.")
    ] = "table",
) -> None:
    """Say what a study is: its conditions and seeds, how much is there, and what made it.

    [bold]attnlogic info runs/demo[/bold]

    Exit code 3: the study is unfinished, or has files that were not read.
    """
    from attnlogic.report import facts, in_words
    from attnlogic.results import read_study

    runs = read_study(directory)
    with reported([runs], form):
        about = facts(runs)
        if form == "json":
            terminal.write(json.dumps(about, indent=2))
            return
        width = max(map(len, about))
        for name, value in about.items():
            terminal.write(f"{name:{width}}  {in_words(value)}")


def verify(directory: options.StudyFolder) -> None:
    """Read every part of a study and check it against its checksum and its list of runs.

    [bold]attnlogic verify runs/demo[/bold]

    Exit code 0: every run is there, and every file is sound. Exit code 3: not so.
    """
    from attnlogic.report import share
    from attnlogic.results import read_study
    from attnlogic.results import verify as check
    from attnlogic.studies import Progress

    runs = read_study(directory)
    size = sum(file.lstat().st_size for file in directory.glob("parts/*/*.parquet"))
    with Progress(max(1, round(size / 1e6)), "megabyte") as bar:
        bar.describe(f"checking {directory}")
        found, unread = check(runs, lambda read: bar.advance(read / 1e6))
    say_unread(unread)
    # Of an earlier version's study nothing is known to be there, if a part of it is not sound.
    missing = "" if runs.is_earlier and unread else share(runs)
    if missing:
        terminal.write(missing)
    if unread or missing:
        raise typer.Exit(INCOMPLETE)
    sums = "" if runs.is_earlier else f" in {counted(len(found.parts), 'part')}"
    terminal.write(f"{counted(len(runs), 'run')}{sums}: every one is there and sound")
