"""What a command says of the results it reads: what is missing, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from attnlogic.view import terminal
from attnlogic.words import counted

if TYPE_CHECKING:
    from attnlogic.results import Runs, Tally, Unread

INCOMPLETE = 3
"""The exit code if a study is unfinished, or has files that were not read."""

EXIT_CODES = (
    f"Exit code {INCOMPLETE}: the study is unfinished, or has files that were not read; "
    "the result is that of the runs that are there."
)

_LISTED = 5
"""Files that are named, at most."""


@contextmanager
def reported(results: Iterable[Runs | Tally], form: str = "table") -> Iterator[None]:
    """Say of studies what is missing and what is not read; then show what is told of the rest.

    If that is anything, the command ends with the exit code ``INCOMPLETE`` after the ``with``
    block.

    Args:
      results: what the command reads.
      form: how the result is printed. How much is there stands above a table; else on stderr.
    """
    from attnlogic.report import share

    say = terminal.write if form in ("table", "markdown") else terminal.say
    whole = True
    for runs in results:
        unread = getattr(runs, "unread", ())  # a tally has neither
        say_unread(unread)
        if line := share(runs):
            say(line)
        whole = whole and not unread and not line
    yield
    if not whole:
        raise typer.Exit(INCOMPLETE)


def say_unread(unread: Iterable[Unread]) -> None:
    """Name files that are not read, on stderr: a line each, and a number for many."""
    lines = [f"not read: {one}" for one in unread]
    more = len(lines) - _LISTED
    for line in lines[:_LISTED] + ([f"not read: {counted(more, 'file')} more"] if more > 0 else []):
        terminal.say(line)
