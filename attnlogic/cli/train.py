"""``attnlogic train``: one run, epoch by epoch."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from attnlogic.cli import options
from attnlogic.errors import InputError
from attnlogic.view import terminal

if TYPE_CHECKING:
    from attnlogic.studies import Run


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
    seeds: Annotated[
        str | None,
        typer.Option(
            metavar="N|A:B",
            help="Several seeds instead, 0 … N-1 or A … B-1, one by one: a line for each, and one "
            "picture of all.",
            show_default=False,
        ),
    ] = None,
    epochs: options.Epochs = None,
    threshold: options.Threshold = 1e-4,
    backend: options.BackendName = "jax",
    precision: options.Precision = "float32",
    init: options.Init = "torch",
    until: options.Until = "budget",
    model: options.ModelName = "attention",
    encoding: options.Encoding = "01",
    data: options.DataFile = None,
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
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print no trace of the losses.")
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

    [bold]attnlogic train xor --seeds 0:8 --plot losses.svg[/bold]
    """
    from attnlogic.cli.compile_cache import keep_compiled
    from attnlogic.problems import read_data
    from attnlogic.studies import train as train_one
    from attnlogic.view import run_text, runs_text, save, writable_picture

    chosen = range(seed, seed + 1) if seeds is None else options.read_seeds(seeds)
    if seeds is not None and seed:
        raise InputError(f"--seed {seed} and --seeds {seeds} are two choices of seeds: leave one")
    if seeds is not None and every is not None:
        raise InputError("--every prints the trace of one seed, and --seeds has none: leave one")
    if every is not None and every < 1:
        raise InputError(f"--every: expected a number of epochs from 1, got {every}")
    if plot is not None:
        writable_picture(plot)
    elif start:
        raise InputError(f"--from {start} says where --plot begins: add --plot FILE")
    keep_compiled(cache)
    if gate is not None and data is not None:
        raise InputError(f"'{gate}' and --data {data} are two things to fit: leave one")
    runs: list[Run] = []
    whole: Any
    for number in chosen:
        runs.append(
            train_one(
                gate if data is None else read_data(data),
                optimizer,
                number,
                epochs=epochs,
                threshold=threshold,
                backend=backend,
                precision=precision,
                init=init,
                until=until,
                model=model,
                encoding=encoding,
            )
        )
        if runs[-1].interrupted:
            break
    if seeds is None:
        whole, text = runs[0].as_dict(), run_text(runs[0], every, trace=not quiet)
    else:
        whole, text = [run.as_dict() for run in runs], runs_text(runs)
    terminal.write(json.dumps(whole, allow_nan=False) if as_json else text)
    if plot is not None:
        from attnlogic.view import runs_history

        save(runs_history(runs, start=start), plot)
        terminal.say(f"wrote {plot}")
    if runs[-1].interrupted:
        _say_interrupted(runs[-1])
        raise typer.Exit(130)


def _say_interrupted(run: Run) -> None:
    done = len(run.history.losses)
    terminal.say(f"interrupted after {done:,} of {run.training.epochs:,} epochs")
