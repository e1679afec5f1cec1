"""``attnlogic train``: one run, epoch by epoch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from attnlogic.cli import options
from attnlogic.errors import InputError
from attnlogic.view import terminal


def train(
    gate: Annotated[
        str | None,
        typer.Argument(
            help="A gate, such as xor, parity3 or 0110; none with --data, or for a loss of the "
            "parameters alone.",
            autocompletion=options.gate_names,
            show_default=False,
        ),
    ] = None,
    optimizer: Annotated[
        str,
        typer.Option(
            "--optimizer",
            "-o",
            help="An optimizer, such as adamw or 'adamw(lr=0.01)'.",
            autocompletion=options.optimizer_names,
        ),
    ] = "adamw",
    seed: Annotated[int, typer.Option(help="torch's seed, 0 … 2^32-1.")] = 0,
    epochs: options.Epochs = None,
    threshold: options.Threshold = 1e-4,
    backend: options.BackendName = "jax",
    precision: options.Precision = "float32",
    init: options.Init = "torch",
    until: options.Until = "budget",
    model: options.ModelName = "attention",
    encoding: options.Encoding = "01",
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Rows to fit instead of a gate's: a CSV file with the columns x1 … xn, y.",
            show_default=False,
        ),
    ] = None,
    every: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Print the loss of every Nth epoch; the notebook has 50. Without it: a step with "
            "which a screen holds the trace.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object with every epoch's loss.")
    ] = False,
    plot: options.Plot = None,
    start: Annotated[
        int, typer.Option("--from", help="The first epoch that --plot draws, to see the tail.")
    ] = 0,
    cache: options.Cache = True,
) -> None:
    """Train one seed, and show the run as the notebook does: trace, threshold, parameters, C.

    Ctrl-C ends a long run early and shows what there is.

    [bold]attnlogic train xor -o adamw --seed 0[/bold]

    [bold]attnlogic train nand -o adam --seed 7 --plot loss.png --from 400[/bold]
    """
    from attnlogic.cli.compile_cache import keep_compiled
    from attnlogic.problems import read_data
    from attnlogic.studies import train as train_one
    from attnlogic.view import run_text, save, writable_picture

    if every is not None and every < 1:
        raise InputError(f"--every: expected a number of epochs from 1, got {every}")
    if plot is not None:
        writable_picture(plot)
    elif start:
        raise InputError(f"--from {start} says where --plot begins: add --plot FILE")
    keep_compiled(cache)
    if gate is not None and data is not None:
        raise InputError(f"'{gate}' and --data {data} are two things to fit: leave one")
    run = train_one(
        gate if data is None else read_data(data),
        optimizer,
        seed,
        epochs=epochs,
        threshold=threshold,
        backend=backend,
        precision=precision,
        init=init,
        until=until,
        model=model,
        encoding=encoding,
    )
    terminal.write(json.dumps(run.as_dict(), allow_nan=False) if as_json else run_text(run, every))
    if plot is not None:
        from attnlogic.view import run_history

        save(run_history(run, start=start), plot)
        terminal.say(f"wrote {plot}")
    if run.interrupted:
        done = len(run.history.losses)
        terminal.say(f"interrupted after {done:,} of {run.training.epochs:,} epochs")
        raise typer.Exit(130)
