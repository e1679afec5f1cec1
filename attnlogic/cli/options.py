"""Arguments and options that several commands share, and what the Tab key completes.

Nothing that is completed imports a framework, NumPy or polars.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from attnlogic.errors import InputError


def gate_names() -> list[str]:
    """The gates' names."""
    from attnlogic.problems import GATES

    return [gate.name for gate in GATES]


def model_names() -> list[str]:
    """The names of the families of models."""
    from attnlogic.problems import MODELS

    return list(MODELS)


def optimizer_names() -> list[str]:
    """The optimizers' names."""
    from attnlogic.optimizers import OPTIMIZERS

    return list(OPTIMIZERS)


def backend_names() -> list[str]:
    """The installed backends' names."""
    from attnlogic.backend import names

    return names()


GateName = Annotated[
    str,
    typer.Argument(help="A gate, such as xor, parity3 or 0110.", autocompletion=gate_names),
]
ModelName = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="What learns: attention, 'attention(residual=False)', 'mlp(hidden=4)', or your own as "
        "package.module:factory. See [bold]attnlogic models[/bold].",
        autocompletion=model_names,
    ),
]
Encoding = Annotated[
    str,
    typer.Option(
        help="What stands for false and true in a gate's inputs: 01, or pm1 for −1 and +1.",
        autocompletion=lambda: ["01", "pm1"],
    ),
]
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
    str,
    typer.Option(
        "--backend",
        autocompletion=backend_names,
        help="What trains: jax, torch, or torch-plain, which is the notebook's loop.",
    ),
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
DataFile = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Rows to fit instead of a gate's: a CSV file with the columns x1 … xn, y.",
        show_default=False,
    ),
]
Results = Annotated[
    list[Path],
    typer.Argument(
        metavar="DIR…",
        help="Studies' folders or tallies' files. A run that several have counts once.",
        show_default=False,
    ),
]
Studies = Annotated[
    list[Path],
    typer.Argument(
        metavar="DIR…",
        help="Studies' folders. A run that several have counts once.",
        show_default=False,
    ),
]
StudyOrTally = Annotated[
    Path,
    typer.Argument(metavar="DIR", help="A study's folder or a tally's file.", show_default=False),
]
StudyFolder = Annotated[
    Path, typer.Argument(metavar="DIR", help="A study's folder.", show_default=False)
]
OnlyGates = Annotated[
    list[str] | None,
    typer.Option(
        "--gate",
        metavar="NAME",
        help="Only this gate, as often as you like: xor, 0110, …",
        autocompletion=gate_names,
        show_default=False,
    ),
]
_ONLY_OPTIMIZER: dict[str, Any] = {
    "metavar": "NAME",
    "help": "Only this optimizer, as often as you like: adamw with any settings, 'adamw()', "
    "'adamw(lr=0.01)'.",
    "autocompletion": optimizer_names,
    "show_default": False,
}
OnlyOptimizers = Annotated[list[str] | None, typer.Option("--optimizer", "-o", **_ONLY_OPTIMIZER)]
OnlyOptimizersLong = Annotated[list[str] | None, typer.Option("--optimizer", **_ONLY_OPTIMIZER)]
"""Where ``-o`` is ``--out``."""
OnlyModels = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME",
        help="Only this model, as often as you like: mlp with any settings, 'mlp(hidden=4)'.",
        autocompletion=model_names,
        show_default=False,
    ),
]
Where = Annotated[
    str | None,
    typer.Option(
        metavar="EXPRESSION",
        help="Only runs for which this is true: SQL over the columns of "
        "[bold]attnlogic runs[/bold], such as \"status == 'lost' and C < -0.6\".",
        show_default=False,
    ),
]
OtherThreshold = Annotated[
    float | None,
    typer.Option(
        help="Ask of another threshold than that of the training: 1e-1, 1e-2, … 1e-10. What "
        "happened after the first hit is not known of it.",
        show_default=False,
    ),
]
Plot = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Draw it, too: a name that ends in .png, .svg, .pdf or .html.",
        show_default=False,
    ),
]

TRAINING = "Training"
ON_RESULTS = "Of a study on disk"
REFERENCE = "Without training"
"""The panels of commands in the help."""


def read_seeds(text: str) -> range:
    """Read ``1000`` (the seeds 0 … 999), ``500:1000`` (500 … 999) or ``all`` (0 … 2^32-1).

    Raises:
      InputError: the text is of neither form, or means no seed at all.
    """
    if text == "all":
        return range(2**32)
    first, colon, end = text.partition(":")
    try:
        numbers = [int(part) for part in ([first, end] if colon else [first])]
    except ValueError:
        raise InputError(
            f"--seeds: expected a number such as 1000, A:B such as 500:1000, or all, got '{text}'"
        ) from None
    if numbers[0] < 0:
        raise InputError(f"--seeds: seeds are numbers from 0, got '{text}'")
    if colon and numbers[1] <= numbers[0]:
        raise InputError(
            f"--seeds {text} has no seed: A:B means A … B-1, so that B must be above A, "
            f"such as {numbers[0]}:{numbers[0] + 1000}"
        )
    if not colon and numbers[0] == 0:
        raise InputError("--seeds 0 has no seed: expected a number from 1")
    return range(*numbers)
