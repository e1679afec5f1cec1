"""Commands that need no training: ``gates``, ``theory``, ``optimizers`` and ``backends``."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import typer

from attnlogic.cli import options
from attnlogic.errors import InputError
from attnlogic.view import Heading, Sheet, terminal


def _words(*titles: str) -> tuple[Heading, ...]:
    return tuple(Heading(title, text=True) for title in titles)


Encoding = Annotated[
    str,
    typer.Option(
        help="The inputs that stand for 0 and 1: 01 (as they are) or pm1 (-1 and 1).",
        autocompletion=lambda: ["01", "pm1"],
    ),
]
Bias = Annotated[bool, typer.Option("--bias/--no-bias", help="Whether the readout has a bias.")]
Residual = Annotated[
    bool, typer.Option("--residual/--no-residual", help="Whether the model has its residual.")
]
Format = Annotated[
    Literal["table", "json"],
    typer.Option("--format", help="How to print it; json has exact fractions as strings."),
]


def gates(
    bits: Annotated[int, typer.Option(help="Inputs of a gate: 2, 3 or 4.")] = 2,
    encoding: Encoding = "01",
    bias: Bias = True,
    residual: Residual = True,
    form: Format = "table",
) -> None:
    """All gates: names, bits, the C that solves each, and the least loss of the others.

    [bold]attnlogic gates --bits 3 --encoding pm1[/bold]

    [bold]attnlogic gates --bits 4 --format json[/bold]
    """
    from attnlogic.problems import all_gates
    from attnlogic.theory import Form, gates_theory

    listed = all_gates(bits)
    model = Form(residual=residual, bias=bias, encoding=encoding)
    found = list(gates_theory(listed, model))
    if form == "json":
        terminal.write(json.dumps([gate._asdict() for gate in found], indent=2, allow_nan=False))
        return
    from attnlogic.view import gates_sheet

    terminal.show_sheet(gates_sheet(found))


def theory(
    gate: options.GateName,
    optimizer: Annotated[
        list[str] | None,
        typer.Option(
            "--optimizer",
            "-o",
            help="Whose weight decay to look at; give it as often as you like. "
            "Without any: 'adam(weight_decay=0.01)' and adamw.",
            autocompletion=options.optimizer_names,
            show_default=False,
        ),
    ] = None,
    encoding: Encoding = "01",
    bias: Bias = True,
    residual: Residual = True,
    form: Format = "table",
) -> None:
    """What can be said before anything is trained: solutions, the least loss at each C, traps.

    [bold]attnlogic theory xor[/bold]

    [bold]attnlogic theory majority3 --no-bias[/bold]

    [bold]attnlogic theory nand -o 'adamw(weight_decay=0.1)' --format json[/bold]
    """
    from attnlogic.theory import Form, theory_of

    model = Form(residual=residual, bias=bias, encoding=encoding)
    found = theory_of(gate, optimizer or None, model)
    if form == "json":
        terminal.write(json.dumps(found, indent=2, allow_nan=False))
        return
    from attnlogic.view import theory_view

    terminal.show(theory_view(found))


def optimizers(
    differences: Annotated[
        bool,
        typer.Option(
            "--differences", help="Where optax's own optimizers differ from torch's, instead."
        ),
    ] = False,
) -> None:
    """The optimizers, their hyperparameters with the defaults, and their usual budgets.

    Both backends train by torch's formulas, with torch's defaults.
    """
    from attnlogic.optimizers import OPTIMIZERS

    if differences:
        from attnlogic.backend import backend

        jax: Any = backend("jax")  # the one that brings optax
        found = jax.differences()
        rows = [list(line) for line in found if line.what != "formula"]
        terminal.show_sheet(Sheet(_words("optimizer", "default of", "torch", "optax"), rows))
        terminal.write("\nFormulas that differ:")
        for line in found:
            if line.what == "formula":
                terminal.write(f"{line.optimizer}: torch {line.torch}; optax {line.optax}")
        return
    rows = [
        [
            name,
            f"{record.epochs:,}",
            ", ".join(f"{key}={setting.default}" for key, setting in record.settings.items()),
            record.summary,
        ]
        for name, record in OPTIMIZERS.items()
    ]
    headings = _words("optimizer", "epochs", "hyperparameters", "what it is")
    terminal.show_sheet(Sheet(headings, rows))
    terminal.write(
        "\nAny other by its own name: 'optax:lion(learning_rate=1e-3)', "
        "'optax.contrib:prodigy' (jax backend), 'torch:Adafactor(lr=0.01)' (torch backend), "
        "'package.module:factory(key=value)'; with gamma, warmup and schedule=cosine(epochs=100)."
    )


def backends() -> None:
    """The backends: whether each is installed, its versions, and the devices it would use."""
    from attnlogic.backend import backend, names

    rows, mends = [], []
    for name in names():
        try:
            found = backend(name)
            versions = ", ".join(f"{key} {value}" for key, value in found.versions().items())
            rows.append([name, "yes", versions, ", ".join(found.devices())])
        except InputError as error:
            rows.append([name, "no", "", ""])
            mends.append(str(error))
    terminal.show_sheet(Sheet(_words("backend", "works", "versions", "devices"), rows))
    for mend in mends:
        terminal.write(mend)
