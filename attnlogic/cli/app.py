"""The command line. Each command imports what it needs when it runs, so that help is instant."""

from __future__ import annotations

import gc
import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from attnlogic.errors import InputError
from attnlogic.view import terminal as console

if TYPE_CHECKING:
    from attnlogic.results import Runs, Tally

NEED_ROWS = ("compare", "curvature")
"""Modules of statistics that need every run, and so no tally will do."""

ON_A_STUDY = "Of a study on disk"
KNOWN = "Without training"
"""The panels of commands in the help, after those that train."""

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="What do optimizers really find? Trains a six-parameter attention neuron on logic gates, "
    "thousands of seeds at once, and says how often, when, and with what C = wq·wk·wv each "
    "optimizer succeeds.\n\nStart with: [bold]attnlogic study[/bold]",
)


def main() -> None:
    """The command ``attnlogic``: bad input is one message and exit code 2, never a traceback."""
    # Python's search for cyclic garbage, among all that JAX brings, takes half a second a command.
    gc.set_threshold(1_000_000)
    try:
        app()
    except InputError as error:
        console.say(f"error: {error}")
        sys.exit(2)
    finally:
        gc.freeze()  # or it is searched once more at the end


# What is completed by the Tab key; none of these modules imports a framework.


def _gates() -> list[str]:
    from attnlogic.problems import GATES

    return [gate.name for gate in GATES]


def _optimizers() -> list[str]:
    from attnlogic.optimizers import FAMILIES

    return list(FAMILIES)


def _backends() -> list[str]:
    from attnlogic.backend import names

    return names()


Epochs = Annotated[
    int | None,
    typer.Option(
        help="Budget of each run. Without it each optimizer has its own: see "
        "[bold]attnlogic optimizers[/bold].",
        show_default=False,
    ),
]
Threshold = Annotated[float, typer.Option(help="A run has hit once its loss ≤ this.")]
BackendName = Annotated[
    str, typer.Option("--backend", autocompletion=_backends, help="Who trains: jax or torch.")
]
Precision = Annotated[
    str, typer.Option(help="float32 or float64.", autocompletion=lambda: ["float32", "float64"])
]
Init = Annotated[
    str,
    typer.Option(
        help="Where runs start: torch (as the module after torch.manual_seed(seed)), "
        "uniform(scale=1) or normal(scale=1).",
        autocompletion=lambda: ["torch", "uniform", "normal"],
    ),
]
Until = Annotated[
    str,
    typer.Option(
        help="When a run ends: with its budget, or at its first hit.",
        autocompletion=lambda: ["budget", "hit"],
    ),
]
Cache = Annotated[
    bool,
    typer.Option(
        "--cache/--no-cache",
        help="Keep what JAX compiles in your cache folder, for the next command.",
    ),
]
Form = Annotated[
    Literal["table", "json", "csv", "markdown"],
    typer.Option("--format", help="How to print it; json and csv have every column."),
]
Directory = Annotated[
    Path,
    typer.Argument(
        metavar="DIR", help="A study's folder, or the file of a tally.", show_default=False
    ),
]


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from attnlogic.version import __version__

        print(__version__)
        raise typer.Exit


@app.command()
def study(
    gates: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="GATE",
            help="Gates by name or bit string (0110). Without any: xor and nand.",
            autocompletion=_gates,
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
            autocompletion=_optimizers,
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
    epochs: Epochs = None,
    threshold: Threshold = 1e-4,
    backend: BackendName = "jax",
    precision: Precision = "float32",
    init: Init = "torch",
    until: Until = "budget",
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
    cache: Cache = True,
) -> None:
    """Train every seed under every condition (gate × optimizer), and sum up what became of them.

    [bold]attnlogic study[/bold] trains XOR and NAND with the notebook's five optimizers.

    [bold]attnlogic study or -o adam -o 'sgd(momentum=0.9)' --seeds 10000 --out runs/or[/bold]
    """
    from attnlogic.cli.compile_cache import keep_compiled
    from attnlogic.optimizers import FAMILIES
    from attnlogic.statistics import summary as statistics
    from attnlogic.studies import Study, new_directory, run
    from attnlogic.view import sheets as tables

    chosen = Study(
        gates=gates or ("xor", "nand"),
        optimizers=optimizer or tuple(FAMILIES),
        seeds=None if seeds is None else parse_seeds(seeds),
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
    console.show_frame(statistics.summarize(runs), "table", tables.summary)
    console.say(f"{len(runs):,} runs in {directory}: attnlogic summary {directory}")


@app.command()
def train(
    gate: Annotated[
        str, typer.Argument(help="A gate, such as xor or 0110.", autocompletion=_gates)
    ],
    optimizer: Annotated[
        str,
        typer.Option(
            "--optimizer",
            "-o",
            help="An optimizer, such as adamw or 'adamw(lr=0.01)'.",
            autocompletion=_optimizers,
        ),
    ] = "adamw",
    seed: Annotated[int, typer.Option(help="torch's seed, 0 … 2^32-1.")] = 0,
    epochs: Epochs = None,
    threshold: Threshold = 1e-4,
    backend: BackendName = "jax",
    precision: Precision = "float32",
    init: Init = "torch",
    until: Until = "budget",
    every: Annotated[int, typer.Option(help="Print the loss of every so many epochs.")] = 50,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object with every epoch's loss.")
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw the losses, too: a name that ends in .png, .svg or .html.",
            show_default=False,
        ),
    ] = None,
    start: Annotated[
        int, typer.Option("--from", help="The first epoch that --plot draws, to see the tail.")
    ] = 0,
    cache: Cache = True,
) -> None:
    """Train one seed, and show the run as the notebook does: trace, threshold, parameters, C.

    [bold]attnlogic train xor -o adamw --seed 0[/bold]

    [bold]attnlogic train nand -o adam --seed 7 --plot loss.png --from 400[/bold]
    """
    from attnlogic.cli.compile_cache import keep_compiled
    from attnlogic.studies import single_run as single
    from attnlogic.view import charts as plots
    from attnlogic.view import texts as report

    if every < 1:
        raise InputError(f"--every: expected a number of epochs from 1, got {every}")
    if plot is not None:
        plots.file_format(plot)
    elif start:
        raise InputError(f"--from {start} says where --plot begins: add --plot FILE")
    keep_compiled(cache)
    run = single.train(
        gate,
        optimizer,
        seed,
        epochs=epochs,
        threshold=threshold,
        backend=backend,
        precision=precision,
        init=init,
        until=until,
    )
    print(json.dumps(run.as_dict(), allow_nan=False) if as_json else report.run_text(run, every))
    if plot is not None:
        plots.save(plots.run_history(run, start=start), plot)
        console.say(f"wrote {plot}")


@app.command(rich_help_panel=ON_A_STUDY)
def summary(
    directory: Directory,
    form: Form = "table",
    interval: Annotated[
        str,
        typer.Option(
            help="Of the rates, at 95 %: wilson, clopper-pearson or jeffreys.",
            autocompletion=lambda: ["wilson", "clopper-pearson", "jeffreys"],
        ),
    ] = "wilson",
) -> None:
    """Sum a study up, a row a condition: how often, when, and what C.

    A run that never hit counts as later than every other. The study may still be running.
    """
    from attnlogic.errors import unknown
    from attnlogic.statistics import intervals
    from attnlogic.statistics import summary as statistics
    from attnlogic.view import sheets as tables

    if interval not in intervals.INTERVALS:
        raise unknown("interval", interval, intervals.INTERVALS)
    rows = statistics.summarize(_counted(directory), intervals.INTERVALS[interval])
    console.show_frame(rows, form, tables.summary)


@app.command(rich_help_panel=ON_A_STUDY)
def ladder(
    directory: Directory,
    form: Form = "table",
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw the distribution functions, too: a name that ends in .png, .svg or .html.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """How deep the runs of a study got, and when: the first hits of ten losses, 1e-1 … 1e-10.

    [bold]attnlogic ladder runs/demo --plot ladder.svg[/bold]
    """
    from attnlogic.statistics import ladder as rungs
    from attnlogic.view import charts as plots
    from attnlogic.view import sheets as tables

    if plot is not None:
        plots.file_format(plot)
    counted = _counted(directory)
    console.show_frame(rungs.ladder(counted), form, tables.ladder)
    if plot is not None:
        plots.save(plots.ladder(rungs.curves(counted, points=100)), plot)
        console.say(f"wrote {plot}")


@app.command(rich_help_panel=ON_A_STUDY)
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
    """Count the runs of studies: a small file, from which statistics are told as from the runs.

    Its size does not grow with the runs, and tallies add up. Wherever a command of this panel takes
    a study's folder it takes a tally's file, but for compare, curvature and runs, which need every
    run.

    [bold]attnlogic tally runs/a runs/b --out all.parquet[/bold]

    [bold]attnlogic summary all.parquet[/bold]
    """
    from attnlogic.results import Tally

    if out.exists():
        raise InputError(f"'{out}' exists: name another file with --out")
    if len({path.resolve() for path in directories}) < len(directories):
        raise InputError("a study is named twice: its runs would count twice")
    together = Tally.none()
    for directory in directories:
        runs = _counted(directory)
        together = together + (runs if isinstance(runs, Tally) else Tally.of(runs))
    together.write(out)
    console.say(f"wrote {out}: attnlogic summary {out}")


def _counted(path: Path) -> Runs | Tally:
    """A study in a folder, or a tally in a file."""
    from attnlogic.results import Tally, store

    return Tally.read(path) if path.is_file() else store.load(path)


def _every_run(path: Path) -> Runs:
    """A study in a folder."""
    from attnlogic.results import store

    if path.is_file():
        raise InputError(f"'{path}' is a file: this needs every run, and so a study's folder")
    return store.load(path)


def _told_of_a_study(command: str, module: str, function: str, text: str) -> None:
    """A command that prints what a function of a module says of a study, by its sheet's name."""

    def tell(directory: Directory, form: Form = "table") -> None:
        from importlib import import_module

        from attnlogic.view import sheets as tables

        of = getattr(import_module(f"attnlogic.statistics.{module}"), function)
        runs = _every_run(directory) if module in NEED_ROWS else _counted(directory)
        console.show_frame(of(runs), form, getattr(tables, module))

    app.command(command, help=text, rich_help_panel=ON_A_STUDY)(tell)


for _names, _text in {
    ("times", "times", "times"): "When runs of a study first hit, and what a hit costs, with "
    "intervals: median, mean, and ERT, the epochs or evaluations of all runs per hit.",
    ("stability", "stability", "stability"): "Whether runs of a study stay where they hit: how "
    "often and how far they leave, and when they settle.",
    ("endings", "endings", "endings"): "Where the runs of a study ended: solved, on a plateau, in "
    "a valley, under way, …",
    ("starts", "starts", "starts"): "Which starts of a study succeed: the rate by the initial C, "
    "and by the initial loss.",
    ("solutions", "solutions", "solutions"): "Which solutions a study found: how far from the "
    "exact C, with what signs and readouts, and how far from gradient flow.",
    ("curvature", "curvature", "curvature"): "How the loss is curved where the runs of a study "
    "ended: minimum or saddle, how sharp, how many flat directions.",
    ("compare", "compare", "compare"): "Hold the optimizers of a study against each other, seed "
    "by seed: rates and times.",
}.items():
    _told_of_a_study(*_names, _text)


@app.command(rich_help_panel=ON_A_STUDY)
def runs(
    directory: Directory,
    form: Annotated[
        Literal["csv", "parquet", "json"], typer.Option("--format", help="How to print them.")
    ] = "csv",
) -> None:
    """Print every run of a study, a row each.

    [bold]attnlogic runs runs/demo --format parquet > demo.parquet[/bold]
    """
    if form == "parquet" and sys.stdout.isatty():
        raise InputError("Parquet is not for a terminal: add > FILE.parquet")
    rows = _every_run(directory).table()
    if form == "parquet":
        # Whole first: polars' own error for a pipe that closes early is not Python's.
        file = io.BytesIO()
        rows.write_parquet(file)
        sys.stdout.buffer.write(file.getvalue())
    else:
        sys.stdout.write(rows.write_csv() if form == "csv" else rows.write_json() + "\n")


@app.command(rich_help_panel=KNOWN)
def gates() -> None:
    """The sixteen two-bit gates: names, bits, and the C that solves each."""
    from attnlogic.problems import GATES
    from attnlogic.theory import solution

    exact = {gate: solution(gate).C for gate in GATES}
    rows = [
        (gate.name, gate.bits, "any" if C is None else str(C), ", ".join(gate.aliases))
        for gate, C in exact.items()
    ]
    console.show(console.table(("gate", "00 01 10 11", "exact C", "other names"), rows))


@app.command(rich_help_panel=KNOWN)
def theory(
    gate: Annotated[
        str, typer.Argument(help="A gate, such as xor or 0110.", autocompletion=_gates)
    ],
    optimizer: Annotated[
        list[str] | None,
        typer.Option(
            "--optimizer",
            "-o",
            help="Whose weight decay to look at; give it as often as you like. Without any: "
            "'adam(weight_decay=0.01)' and adamw.",
            autocompletion=_optimizers,
            show_default=False,
        ),
    ] = None,
    form: Annotated[
        Literal["table", "json"],
        typer.Option("--format", help="How to print it; json has exact fractions as strings."),
    ] = "table",
) -> None:
    """What can be said before anything is trained: solutions, the least loss at each C, traps.

    [bold]attnlogic theory xor[/bold]

    [bold]attnlogic theory nand -o 'adamw(weight_decay=0.1)' --format json[/bold]
    """
    from attnlogic.theory import OPTIMIZERS, exposition

    told = exposition(gate, optimizer or OPTIMIZERS)
    if form == "json":
        print(json.dumps(told, indent=2, allow_nan=False))
        return
    from attnlogic.view import texts as report

    console.show(report.theory_view(told))


@app.command(rich_help_panel=KNOWN)
def optimizers() -> None:
    """The optimizers, their hyperparameters with the defaults, and their usual budgets."""
    from attnlogic.optimizers import FAMILIES

    rows = [
        (
            name,
            f"{family.epochs:,}",
            ", ".join(f"{key}={value}" for key, value in family.defaults.items()),
            family.summary,
        )
        for name, family in FAMILIES.items()
    ]
    console.show(console.table(("optimizer", "epochs", "hyperparameters", "what it is"), rows))


@app.command(rich_help_panel=KNOWN)
def backends() -> None:
    """The backends: whether each is installed, its versions, and the devices it would use."""
    import attnlogic.backend

    rows, mends = [], []
    for name in attnlogic.backend.names():
        try:
            found = attnlogic.backend.backend(name)
        except InputError as error:
            rows.append((name, "no", "", ""))
            mends.append(str(error))
            continue
        versions = ", ".join(f"{key} {value}" for key, value in found.versions().items())
        rows.append((name, "yes", versions, ", ".join(found.devices())))
    console.show(console.table(("backend", "installed", "versions", "devices"), rows))
    for mend in mends:
        print(mend)


def parse_seeds(text: str) -> range:
    """Read ``1000`` (the seeds 0 … 999) or ``500:1000`` (500 … 999).

    Raises:
      InputError: the text is of neither form, or means no seed at all.
    """
    first, colon, end = text.partition(":")
    try:
        chosen = range(int(first) if colon else 0, int(end) if colon else int(first))
    except ValueError:
        chosen = range(0)
    if not chosen:
        raise InputError(
            f"--seeds: expected a number such as 1000, or A:B such as 500:1000, got '{text}'"
        )
    return chosen


@contextmanager
def _keeping(directory: Path) -> Iterator[None]:
    """Say what is kept, and how to read it, if a study ends before its time."""
    try:
        yield
    except (KeyboardInterrupt, OSError) as error:
        from attnlogic.results import store

        interrupted = isinstance(error, KeyboardInterrupt)
        what = "interrupted" if interrupted else f"error: {error}"
        try:
            done = len(store.load(directory))
        except InputError:
            done = 0
        kept = f"{done:,} finished runs are kept: attnlogic summary {directory}"
        console.say(f"{what}: {kept if done else 'no run was finished'}")
        raise typer.Exit(130 if interrupted else 1) from None
