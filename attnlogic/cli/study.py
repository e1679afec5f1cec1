"""``attnlogic study``: train many seeds under many conditions."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from attnlogic.cli import options
from attnlogic.cli.estimating import say_estimate
from attnlogic.cli.reporting import reported
from attnlogic.errors import InputError, WorkError
from attnlogic.view import terminal
from attnlogic.words import counted, in_shell

if TYPE_CHECKING:
    from attnlogic.results import Runs


def study(
    gates: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="GATE",
            help="Gates of two to five bits, by name (parity3) or bit string (0110), or all: "
            "all2, all3, all4. Without any, and without --data: xor and nand.",
            autocompletion=options.gate_names,
            show_default=False,
        ),
    ] = None,
    optimizer: Annotated[
        list[str] | None,
        typer.Option(
            "--optimizer",
            "-o",
            help="An optimizer, such as adamw or 'adamw(lr=0.01,weight_decay=0)', or a sweep: "
            "'adamw(lr=1e-4..1:log:25)', 'sgd(lr=[0.1,1])'; give it as often as you like. "
            "Another package's own: 'optax:lion(learning_rate=0.01)'. "
            "Without any: adam, adamw, sgd, lbfgs and polyak.",
            autocompletion=options.optimizer_names,
            show_default=False,
        ),
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            metavar="N|A:B|all",
            help="The seeds 0 … N-1, A … B-1, or all 2^32. Without it: 1000 with jax; 500 with "
            "torch, and 16 of what it trains one at a time, such as lbfgs.",
            show_default=False,
        ),
    ] = None,
    epochs: options.Epochs = None,
    threshold: options.Threshold = 1e-4,
    backend: options.BackendName = "jax",
    precision: options.Precision = "float32",
    init: Annotated[
        list[str] | None,
        typer.Option(
            help="Where runs start: torch (as the module after torch.manual_seed(seed)), "
            "uniform(scale=1), normal(scale=1) or a sweep: 'normal(scale=0.1..3:log:10)'; give it "
            "as often as you like. Without any: torch.",
            autocompletion=lambda: ["torch", "uniform", "normal"],
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            help="What learns: attention, 'attention(residual=False)', 'mlp(hidden=[2,4])', or "
            "your own as package.module:factory; as often as you like. Without any: attention. "
            "See [bold]attnlogic models[/bold].",
            autocompletion=options.model_names,
            show_default=False,
        ),
    ] = None,
    encoding: options.Encoding = "01",
    data: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Rows to fit instead of a gate's, or besides: a CSV file with the columns "
            "x1 … xn, y.",
            show_default=False,
        ),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A parameter that is kept as a column, or a pattern such as 'w*'. Without any: "
            "all of a model that has 64 or fewer.",
            show_default=False,
        ),
    ] = None,
    until: options.Until = "budget",
    jobs: Annotated[
        int | None,
        typer.Option(
            help="Processes side by side, with torch: without it one a core. jax uses all cores by "
            "itself.",
            show_default=False,
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            help="Where torch trains: cpu, cuda, mps or another of its devices. Without it: cpu. "
            "jax chooses by itself, or as JAX_PLATFORMS says.",
            autocompletion=lambda: ["cpu", "cuda", "mps"],
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A folder for the runs: a new one, or that of the same study, which then goes "
            "on. Without it: the folder under runs/ that has this study, or a new one there.",
            show_default=False,
        ),
    ] = None,
    extend: Annotated[
        bool,
        typer.Option("--extend", help="Add conditions and seeds to the study in --out."),
    ] = False,
    again: Annotated[
        bool,
        typer.Option("--again", help="Without --out: train anew what is under runs/ already."),
    ] = False,
    keep: Annotated[
        Literal["rows", "tally"],
        typer.Option(
            help="What is kept on disk: a row for each run, or a tally for each condition, whose "
            "size does not grow with the runs and from which statistics are made."
        ),
    ] = "rows",
    keep_rows: Annotated[
        str | None,
        typer.Option(
            metavar="EXPRESSION",
            help="With --keep tally: runs whose rows are kept besides, such as "
            "\"status == 'lost' and C < -0.6\"; of each condition the 10,000 of the lowest seeds.",
            show_default=False,
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="tcp://HOST:PORT",
            help="Train on the workers of a Dask cluster, whose scheduler is there; only this "
            "process writes to disk.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Train a little of each condition, say how much time, disk and memory the whole "
            "would need, here and on more workers, and write nothing.",
        ),
    ] = False,
    cache: options.Cache = True,
) -> None:
    """Train every seed under every condition (gate × model × optimizer), and sum up the results.

    [bold]attnlogic study[/bold] trains XOR and NAND with the notebook's five optimizers.

    [bold]attnlogic study or -o adam -o 'sgd(momentum=0.9)' --seeds 10000 --out runs/or[/bold]

    [bold]attnlogic study xor -o 'adamw(lr=1e-4..1:log:25)' --seeds 2000[/bold]

    The same command again trains what is missing or damaged, and nothing that is there. Exit code
    3: the folder's study is still unfinished.
    """
    from attnlogic.backend import backend as find
    from attnlogic.backend import on_device
    from attnlogic.cli.compile_cache import keep_compiled
    from attnlogic.optimizers import DEFAULT_STUDY
    from attnlogic.problems import read_data
    from attnlogic.studies import Study, connected, folder_of, give_back_memory, new_directory, run

    if extend and out is None:
        raise InputError("--extend: name the folder of the study that is added to with --out")

    chosen = Study(
        gates=[*(gates or () if data else gates or ("xor", "nand")), *map(read_data, data or ())],
        optimizers=optimizer or DEFAULT_STUDY,
        seeds=None if seeds is None else options.read_seeds(seeds),
        epochs=epochs,
        threshold=threshold,
        precision=precision,
        init=init or "torch",
        until=until,
        models=model or "attention",
        encoding=encoding,
        parameters=parameter or (),
    )
    keep_compiled(cache and not dry_run)
    if keep == "tally":
        give_back_memory()  # before the backend starts threads
    trainer = find(backend) if device is None else on_device(find(backend), device)
    processes = getattr(trainer, "default_jobs", 1) if jobs is None else jobs
    if dry_run:
        say_estimate(chosen, trainer, processes, keep, keep_rows)
        return
    with nullcontext() if scheduler is None else connected(scheduler) as executor:
        if out is None and again:
            out = new_directory()
        elif out is None:
            out = folder_of(
                chosen, trainer, processes, keep=keep, keep_rows=keep_rows, executor=executor
            )
            if out.exists():
                terminal.say(f"the same study lies in {out}: --again trains it anew")
        with _keeping(out):
            runs = run(
                chosen,
                trainer,
                out,
                jobs=processes,
                extend=extend,
                keep=keep,
                keep_rows=keep_rows,
                executor=executor,
            )
    with reported([runs]):
        command = _sum_up(runs)
        terminal.say(f"{len(runs):,} runs in {out}: attnlogic {command} {in_shell(out)}")


MAX_SUMMARY = 40
"""Conditions that are summed up one by one; of a sweep with more, the best values are named."""


def _sum_up(runs: Runs) -> str:
    """Print a study's summary, or what its sweep found. Returns the command that says more."""
    from attnlogic.statistics import STATISTICS

    if len(runs.description["conditions"]) > MAX_SUMMARY:
        sweep = STATISTICS["sweep"]
        try:
            found = sweep.shown(sweep(runs)).findings
        except InputError:  # no two conditions differ in one number alone
            found = ()
        if found:
            terminal.write("\n".join(found))
            return "sweep"
    summary = STATISTICS["summary"]
    frame = summary(runs)
    terminal.show_frame(frame, "table", summary.shown(frame))
    return "summary"


@contextmanager
def _keeping(directory: Path) -> Iterator[None]:
    """If a study ends before its time, say what is kept, and how to read it."""
    from attnlogic.studies import SIGNALS, raised

    try:
        with raised(*SIGNALS):
            yield
    except (KeyboardInterrupt, OSError, WorkError, FloatingPointError) as error:
        number = getattr(error, "number", signal.SIGINT)
        interrupted = isinstance(error, KeyboardInterrupt)
        what = f"interrupted by {number.name}" if interrupted else f"error: {error}"
        if isinstance(error, OSError) and error.filename:
            what = f"error: cannot write '{error.filename}': {error.strerror}"
        with suppress(OSError):  # the terminal itself may be gone
            terminal.say(f"{what}: {_kept(directory)}")
        raise typer.Exit(128 + number if interrupted else 1) from None


def _kept(directory: Path) -> str:
    """How many runs of a study that ended early are kept, and how to go on."""
    from attnlogic.results import read_study

    try:
        done = len(read_study(directory))
    except InputError:
        done = 0
    if not done:
        return "no run is kept"
    runs = counted(done, "finished run")
    return (
        f"{runs} {'is' if done == 1 else 'are'} kept: the same command again trains the rest; "
        f"attnlogic summary {in_shell(directory)}"
    )
