"""A command for each statistic of ``attnlogic.statistics``, made from what it says of itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from attnlogic.cli import options
from attnlogic.cli.reporting import EXIT_CODES, reported
from attnlogic.cli.results import read
from attnlogic.statistics import Option, ReadOnce, Statistic, described
from attnlogic.view import terminal


def add_statistic_command(app: typer.Typer, statistic: Statistic) -> None:
    """Register the command that prints one statistic of a study."""
    app.command(
        statistic.name,
        help=_help(statistic),
        short_help=statistic.question,
        epilog=_epilog(statistic),
        rich_help_panel=options.ON_RESULTS,
    )(_command(statistic))


def _help(statistic: Statistic) -> str:
    paragraphs = [statistic.question]
    if statistic.needs_rows:
        paragraphs.append("It needs every run, so the file of a tally will not do.")
    plot = f" --plot {statistic.charts[0].name}.svg" if statistic.charts else ""
    command = f"attnlogic {statistic.name}"
    paragraphs.append(f"[bold]{command} runs/demo{plot}[/bold]")
    where = "\"status == 'lost' and C < -0.6\""
    paragraphs.append(f"[bold]{command} runs/a runs/b --gate xor --where {where}[/bold]")
    return "\n\n".join(paragraphs)


def _epilog(statistic: Statistic) -> str:
    """The columns of the frame, a paragraph each, for typer keeps no single line breaks."""
    columns = "\n\n".join(described(column).replace("[", r"\[") for column in statistic.columns)
    return f"{EXIT_CODES}\n\nColumns of --format json and csv:\n\n{columns}"


def _command(statistic: Statistic) -> Callable[..., None]:
    """A function with the statistic's options as its parameters, for typer to read."""

    def print_statistic(
        paths: list[Path],
        form: str,
        gate: list[str] | None,
        optimizer: list[str] | None,
        model: list[str] | None,
        where: str | None,
        threshold: float | None,
        plot: Path | None = None,
        **given: Any,
    ) -> None:
        from attnlogic.results import select
        from attnlogic.view import save, writable_picture

        if plot is not None:
            writable_picture(plot)
        statistic.settings(given)
        found = read(paths, every_run=statistic.needs_rows)
        runs = select(
            found, gate=gate, optimizer=optimizer, model=model, where=where, threshold=threshold
        )
        statistic.check(runs)
        with reported(found, form):
            once = ReadOnce(runs)
            # Without a picture the conditions come one by one: memory holds one of them.
            frame = statistic(runs, **given) if plot is None else statistic.computed(once, **given)
            terminal.show_frame(frame, form, statistic.shown(frame, given, runs.note))
            if plot is not None:
                save(statistic.drawn(statistic.charts[0], frame, once, **given), plot)
                terminal.say(f"wrote {plot}")

    results = options.Studies if statistic.needs_rows else options.Results
    parameters = [_parameter("paths", results), _parameter("form", options.Form, "table")]
    parameters += [_option(option) for option in statistic.options]
    parameters += [_parameter(name, kind, None) for name, kind in _SELECTING.items()]
    if statistic.charts:
        parameters.append(_parameter("plot", options.Plot, None))
    # typer reads it; mypy knows no such attribute of a function.
    print_statistic.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    print_statistic.__annotations__ = {p.name: p.annotation for p in parameters}
    return print_statistic


_SELECTING = {
    "gate": options.OnlyGates,
    "optimizer": options.OnlyOptimizers,
    "model": options.OnlyModels,
    "where": options.Where,
    "threshold": options.OtherThreshold,
}
"""The options that choose runs: the arguments of ``results.select``."""


def _option(option: Option) -> inspect.Parameter:
    choices = list(option.choices)
    completion = (lambda: choices) if choices else None
    kind: Any = type(option.default)
    annotation = Annotated[kind, typer.Option(help=option.help, autocompletion=completion)]
    return _parameter(option.name, annotation, option.default)


def _parameter(
    name: str, annotation: Any, default: Any = inspect.Parameter.empty
) -> inspect.Parameter:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Parameter(name, kind, default=default, annotation=annotation)
