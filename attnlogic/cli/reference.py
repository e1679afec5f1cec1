"""Commands that need no training: ``gates``, ``theory``, ``optimizers`` and ``backends``."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import typer

from attnlogic.cli import options
from attnlogic.errors import InputError
from attnlogic.view import Heading, Sheet, numbers, terminal


def _words(*titles: str) -> tuple[Heading, ...]:
    return tuple(Heading(title, text=True) for title in titles)


def gates() -> None:
    """The sixteen two-bit gates: names, bits, and the C that solves each."""
    from attnlogic.problems import GATES
    from attnlogic.theory import solution

    exact = {gate: solution(gate).C for gate in GATES}
    rows = [
        [
            gate.name,
            gate.bits,
            "any" if C is None else numbers.minus(str(C)),
            ", ".join(gate.aliases),
        ]
        for gate, C in exact.items()
    ]
    terminal.show_sheet(Sheet(_words("gate", "00 01 10 11", "exact C", "other names"), rows))


def theory(
    gate: options.GateName,
    optimizer: Annotated[
        list[str] | None,
        typer.Option(
            "--optimizer",
            "-o",
            help="Whose weight decay to look at; give it as often as you like. Without any: "
            "'adam(weight_decay=0.01)' and adamw.",
            autocompletion=options.optimizer_names,
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
    from attnlogic.theory import DECAYING, theory_of

    found = theory_of(gate, optimizer or DECAYING)
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
