"""Commands on results as they lie on disk: ``runs``, ``tally`` and ``merge``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from attnlogic.cli import options
from attnlogic.cli.reporting import reported
from attnlogic.errors import InputError
from attnlogic.view import terminal
from attnlogic.words import in_shell

if TYPE_CHECKING:
    import polars as pl

    from attnlogic.results import Runs, Tally


def read(paths: Iterable[Path], *, every_run: bool = False) -> list[Runs | Tally]:
    """Studies in folders, and tallies in files.

    Raises:
      InputError: one cannot be read, or is a file where every run is needed.
    """
    from attnlogic.results import Tally, read_study

    found: list[Runs | Tally] = []
    for path in paths:
        if every_run and path.is_file():
            raise InputError(f"'{path}' is a file: this needs every run, and so a study's folder")
        found.append(Tally.read(path) if path.is_file() else read_study(path))
    return found


def tally(
    paths: options.Results,
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="The tally's file.", show_default=False)
    ],
    gate: options.OnlyGates = None,
    optimizer: options.OnlyOptimizers = None,
    model: options.OnlyModels = None,
) -> None:
    """Count the runs of studies: a small file from which statistics are computed as from the runs.

    Its size does not grow with the runs. It knows which seeds of which conditions it has counted:
    tallies add up if they share no run, and studies that share runs are counted together. Wherever
    a command of this panel takes a study's folder it takes a tally's file, unless it needs every
    run.

    [bold]attnlogic tally runs/a runs/b --out all.parquet[/bold]

    [bold]attnlogic tally all.parquet runs/c --out more.parquet[/bold]

    [bold]attnlogic summary more.parquet[/bold]
    """
    from attnlogic.results import select
    from attnlogic.view import writable_file

    writable_file(out)
    if out.exists():
        raise InputError(f"'{out}' exists: name another file with --out")
    found = read(paths)
    chosen = select(found, gate=gate, optimizer=optimizer, model=model)
    with reported(found, "csv"):
        chosen.tally().write(out)
        terminal.say(f"wrote {out}: attnlogic summary {in_shell(out)}")


def runs(
    paths: options.Studies,
    form: Annotated[
        Literal["csv", "parquet", "arrow", "json"],
        typer.Option("--format", help="How to print them; arrow is Arrow's IPC file."),
    ] = "csv",
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,…", help="Only these columns, in this order.", show_default=False
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", help="The first N rows.", show_default=False)
    ] = None,
    gate: options.OnlyGates = None,
    optimizer: options.OnlyOptimizers = None,
    model: options.OnlyModels = None,
    where: options.Where = None,
    threshold: options.OtherThreshold = None,
) -> None:
    """Print every run of studies, a row each.

    [bold]attnlogic runs runs/demo --format parquet > demo.parquet[/bold]

    [bold]attnlogic runs runs/demo --where "status == 'lost' and C < -0.6" --columns seed,C[/bold]

    [bold]attnlogic runs runs/a runs/b --gate xor --optimizer adamw --limit 10[/bold]
    """
    from attnlogic.results import select, to_file
    from attnlogic.settings import whole

    if form in ("parquet", "arrow") and sys.stdout.isatty():
        raise InputError(f"{form} is not for a terminal: add > FILE.{form}")
    rows = None if limit is None else whole("--limit", limit, 1)
    names = None if columns is None else [name.strip() for name in columns.split(",")]
    found = read(paths, every_run=True)
    chosen = select(
        [_with_rows(one) for one in found],
        gate=gate,
        optimizer=optimizer,
        model=model,
        where=where,
        threshold=threshold,
    )
    with reported(found, form):
        if form == "csv":
            write_csv(chosen.tables(names, rows), names or [*chosen.columns])
        elif form == "json":
            terminal.write(chosen.table(names, rows).write_json())
        else:
            terminal.write_bytes(to_file(chosen.table(names, rows), form))


def _with_rows(study: Runs | Tally) -> Runs | Tally | pl.DataFrame:
    """A study, or of a census the rows that it keeps."""
    from attnlogic.results import Runs, kept_in_words, kept_rows

    if not isinstance(study, Runs) or study.keeps_rows:
        return study
    rows, _ = kept_rows(study)
    terminal.say(f"{study.directory} keeps a tally, and {kept_in_words(study)}")
    return rows


def merge(
    directories: Annotated[
        list[Path],
        typer.Argument(metavar="DIR…", help="Studies' folders, two or more.", show_default=False),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            help="A new folder, or the one in which the same command was interrupted.",
            show_default=False,
        ),
    ],
) -> None:
    """Make one study of several: other seeds, other conditions, or both.

    A run that several have is written once; if they disagree about one, its first seed is named,
    and nothing is written. Of studies that keep tallies no two may share a run. The new study can
    be gone on with like any other.

    [bold]attnlogic merge runs/a runs/b --out runs/both[/bold]
    """
    from attnlogic.results import Runs
    from attnlogic.results import merge as merge_studies

    found = [runs for runs in read(directories, every_run=True) if isinstance(runs, Runs)]
    with reported(found, "csv"):
        merged = merge_studies(found, out)
        terminal.say(f"{len(merged):,} runs in {out}: attnlogic summary {in_shell(out)}")


def write_csv(tables: Iterable[pl.DataFrame], columns: Sequence[str]) -> None:
    """Print tables of the same columns as one, each as it comes."""
    import polars as pl

    header = pl.DataFrame(schema=dict.fromkeys(columns, pl.String)).write_csv()
    terminal.write(header.rstrip())
    for table in tables:
        if len(table):
            terminal.write(table.write_csv(include_header=False).removesuffix("\n"))
