"""``attnlogic study``: train many seeds under many conditions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from attnlogic.cli import options
from attnlogic.errors import InputError, WorkError
from attnlogic.view import terminal
from attnlogic.words import in_shell


def study(
    gates: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="GATE",
            help="Gates by name or bit string (0110). Without any: xor and nand.",
            autocompletion=options.gate_names,
            show_default=False,
        ),
    ] = None,
    optimizer: Annotated[
        list[str] | None,
        typer.Option(
            "--optimizer",
            "-o",
            help="An optimizer, such as adamw or 'adamw(lr=0.01,weight_decay=0)'; give it as often "
            "as you like. Without any: adam, adamw, sgd, lbfgs and polyak.",
            autocompletion=options.optimizer_names,
            show_default=False,
        ),
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            metavar="N|A:B",
            help="The seeds 0 … N-1, or A … B-1. Without it: 1000 with jax, 2 with torch.",
            show_default=False,
        ),
    ] = None,
    epochs: options.Epochs = None,
    threshold: options.Threshold = 1e-4,
    backend: options.BackendName = "jax",
    precision: options.Precision = "float32",
    init: options.Init = "torch",
    until: options.Until = "budget",
    jobs: Annotated[
        int, typer.Option(help="Processes side by side, with torch; jax uses all cores by itself.")
    ] = 1,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A new folder for the runs. Without it: runs/ and the time of day.",
            show_default=False,
        ),
    ] = None,
    cache: options.Cache = True,
) -> None:
    """Train every seed under every condition (gate × optimizer), and sum up the results.

    [bold]attnlogic study[/bold] trains XOR and NAND with the notebook's five optimizers.

    [bold]attnlogic study or -o adam -o 'sgd(momentum=0.9)' --seeds 10000 --out runs/or[/bold]
    """
    from attnlogic.cli.compile_cache import keep_compiled
    from attnlogic.optimizers import DEFAULT_STUDY
    from attnlogic.statistics import STATISTICS
    from attnlogic.studies import Study, new_directory, run

    chosen = Study(
        gates=gates or ("xor", "nand"),
        optimizers=optimizer or DEFAULT_STUDY,
        seeds=None if seeds is None else options.read_seeds(seeds),
        epochs=epochs,
        threshold=threshold,
        precision=precision,
        init=init,
        until=until,
    )
    directory = new_directory() if out is None else out
    keep_compiled(cache)
    with _keeping(directory):
        runs = run(chosen, backend, directory, jobs=jobs)
    summary = STATISTICS["summary"]
    frame = summary(runs)
    terminal.show_frame(frame, "table", summary.sheet(frame, summary.settings({})))
    terminal.say(f"{len(runs):,} runs in {directory}: attnlogic summary {in_shell(directory)}")


@contextmanager
def _keeping(directory: Path) -> Iterator[None]:
    """If a study ends before its time, say what is kept, and how to read it."""
    try:
        yield
    except (KeyboardInterrupt, OSError, WorkError, FloatingPointError) as error:
        from attnlogic.results import load

        interrupted = isinstance(error, KeyboardInterrupt)
        what = "interrupted" if interrupted else f"error: {error}"
        if isinstance(error, OSError) and error.filename:
            what = f"error: cannot write '{error.filename}': {error.strerror}"
        try:
            done = len(load(directory))
        except InputError:
            done = 0
        kept = f"{done:,} finished runs are kept: attnlogic summary {in_shell(directory)}"
        terminal.say(f"{what}: {kept if done else 'no run was finished'}")
        raise typer.Exit(130 if interrupted else 1) from None
