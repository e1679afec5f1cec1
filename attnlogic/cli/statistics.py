"""A command for each statistic of ``attnlogic.statistics``, made from what it says of itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from attnlogic.cli import options
from attnlogic.cli.results import every_run, runs_or_tally
from attnlogic.statistics import Option, Statistic, described
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
    paragraphs.append(f"[bold]attnlogic {statistic.name} runs/demo{plot}[/bold]")
    return "\n\n".join(paragraphs)


def _epilog(statistic: Statistic) -> str:
    """The columns of the frame, a paragraph each, for typer keeps no single line breaks."""
    columns = "\n\n".join(described(column).replace("[", r"\[") for column in statistic.columns)
    return f"Columns of --format json and csv:\n\n{columns}"


def _command(statistic: Statistic) -> Callable[..., None]:
    """A function with the statistic's options as its parameters, for typer to read."""

    def print_statistic(directory: Path, form: str, plot: Path | None = None, **given: Any) -> None:
        from attnlogic.view import save, writable_picture

        if plot is not None:
            writable_picture(plot)
        statistic.settings(given)
        runs = every_run(directory) if statistic.needs_rows else runs_or_tally(directory)
        frame = statistic(runs, **given)
        terminal.show_frame(frame, form, statistic.shown(frame, given))
        if plot is not None:
            save(statistic.chart(runs, **given), plot)
            terminal.say(f"wrote {plot}")

    folder = options.StudyFolder if statistic.needs_rows else options.StudyOrTally
    parameters = [_parameter("directory", folder), _parameter("form", options.Form, "table")]
    parameters += [_option(option) for option in statistic.options]
    if statistic.charts:
        parameters.append(_parameter("plot", options.Plot, None))
    print_statistic.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    print_statistic.__annotations__ = {p.name: p.annotation for p in parameters}
    return print_statistic


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
