"""Commands on a study's folder as a whole: ``info`` and ``verify``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from attnlogic.cli import options
from attnlogic.cli.reporting import INCOMPLETE, reported, say_unread, share
from attnlogic.view import terminal
from attnlogic.words import counted

if TYPE_CHECKING:
    from attnlogic.results import Runs

_LISTED = 8
"""Values that a line names, at most."""


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
    from attnlogic.results import read_study

    runs = read_study(directory)
    with reported([runs], form):
        about = _about(runs)
        if form == "json":
            terminal.write(json.dumps(about, indent=2))
            return
        width = max(map(len, about))
        for name, value in about.items():
            terminal.write(f"{name:{width}}  {_in_words(value)}")


def verify(directory: options.StudyFolder) -> None:
    """Read every part of a study and check it against its checksum and its list of runs.

    [bold]attnlogic verify runs/demo[/bold]

    Exit code 0: every run is there, and every file is sound. Exit code 3: not so.
    """
    from attnlogic.results import read_study
    from attnlogic.results import verify as check
    from attnlogic.studies import Progress

    runs = read_study(directory)
    size = sum(file.lstat().st_size for file in directory.glob("parts/*/*.parquet"))
    with Progress(max(1, round(size / 1e6)), "megabyte") as bar:
        bar.describe(f"checking {directory}")
        found, unread = check(runs, lambda read: bar.advance(read / 1e6))
    say_unread(unread)
    missing = share(runs)
    if missing:
        terminal.write(missing)
    if unread or missing:
        raise typer.Exit(INCOMPLETE)
    sums = "" if runs.is_earlier else f" in {counted(len(found.parts), 'part')}"
    terminal.write(f"{counted(len(runs), 'run')}{sums}: every one is there and sound")


def _about(runs: Runs) -> dict[str, Any]:
    from attnlogic.results import seeds_in_words

    said, parts = runs.description, runs.part_files()
    conditions = said["conditions"]
    about = {
        "study": str(runs.directory),
        "runs": len(runs),
        "asked": runs.asked,
        "conditions": len(conditions),
        "seeds": seeds_in_words(runs.seeds),
    }
    for name in ("gate", "optimizer", "model", "encoding", "init", "epochs"):
        about[name] = [*dict.fromkeys(one[name] for one in conditions if name in one)]
    for name in ("threshold", "until", "precision", "backend", "devices"):
        about[name] = said.get(name)
    about |= {name: said[name] for name in ("keep", "keep_rows") if name in said}
    about |= {
        "attnlogic": said.get("attnlogic"),
        "versions": said.get("versions", {}),
        "platform": said.get("platform"),
        "created": said.get("created"),
        "resumed": said.get("resumed", []),
        "format": said.get("format", 1),
        "parts": len(parts),
        "bytes": sum(file.lstat().st_size for file in parts),
        "unread": [{"path": str(one.path), "reason": one.reason} for one in runs.unread],
    }
    return about


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        value = [f"{name} {one}" for name, one in value.items()]
    if isinstance(value, list):
        more = f", … ({len(value):,} in all)" if len(value) > _LISTED else ""
        shown = [one if isinstance(one, str) else _in_words(one) for one in value[:_LISTED]]
        return (", ".join(shown) or "none") + more
    return f"{value:,}" if isinstance(value, int) else str(value)
