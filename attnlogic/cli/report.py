"""``attnlogic report``: a study as one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attnlogic.cli import options
from attnlogic.cli.reporting import reported
from attnlogic.cli.results import read
from attnlogic.view import terminal


def report(
    directory: options.StudyOrTally,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FILE", help="A name that ends in .html."),
    ] = Path("report.html"),
) -> None:
    """Write a page of a study: every statistic with its charts, in one file.

    The page needs no network. Choose runs on it, and see them in every picture and in a table with
    the commands that train them again. Of more than some thousands of runs it shows the first of
    each condition, and says so.

    [bold]attnlogic report runs/demo -o report.html[/bold]
    """
    from attnlogic.report import writable_page, write_page

    writable_page(out)
    found = read([directory])
    with reported(found, "csv"):
        write_page(found[0], out, str(directory))
        terminal.say(f"wrote {out}")
