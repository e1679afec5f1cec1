"""The command ``models``: the models, with all that is known of them before training."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from attnlogic.view import terminal

if TYPE_CHECKING:
    from rich.console import RenderableType

    from attnlogic.grammar import Value
    from attnlogic.problems import ModelRecord
    from attnlogic.settings import Setting


def models(
    form: Annotated[
        Literal["table", "json"], typer.Option("--format", help="How to print them.")
    ] = "table",
) -> None:
    """The models: settings, parameters, formulas, what theory knows, and how to bring your own."""
    from attnlogic.problems import MODELS

    found = [_known(record) for record in MODELS.values()]
    if form == "json":
        terminal.write(json.dumps(found, indent=2, allow_nan=False))
        return
    from rich.console import Group

    terminal.show(Group(*map(_in_words, found), _YOUR_OWN))


_YOUR_OWN = (
    "Your own: --model package.module:factory, or 'package.module:factory(width=3)' with settings. "
    "The factory returns a Model (arithmetic, both backends), an OwnLoss over any JAX pytree "
    "(jax backend) or a torch.nn.Module (torch backend)."
)


def _known(record: ModelRecord) -> dict[str, Any]:
    """All that is known of a family, as JSON has it: the parameters are those for two inputs."""
    from attnlogic.problems import Model, model

    default = model(record.name)
    assert isinstance(default, Model)  # a user's own have a colon in their names
    return {
        "name": record.name,
        "summary": record.summary,
        "settings": {key: _limits(setting) for key, setting in record.settings.items()},
        "formula": default.formula,
        "variations": _variations(record),
        "parameters": [name for tensor in default.tensors(2) for name in tensor.entries],
        "quantities": {quantity.name: quantity.meaning for quantity in default.quantities},
        "theory": record.theory,
    }


def _limits(setting: Setting) -> dict[str, Any]:
    limits = {"low": setting.low, "high": setting.high}
    return {
        "default": setting.default,
        **{key: limit for key, limit in limits.items() if math.isfinite(limit)},
        **({"choices": [*_words(setting)]} if _words(setting) else {}),
        "meaning": setting.meaning,
    }


def _words(setting: Setting) -> tuple[Value, ...]:
    """The values of a setting that is no number."""
    return (True, False) if isinstance(setting.default, bool) else tuple(setting.choices)


def _variations(record: ModelRecord) -> dict[str, str]:
    """What the formula becomes with each other word of each setting."""
    from attnlogic.problems import Model, model

    found = {}
    for key, setting in record.settings.items():
        for word in _words(setting):
            changed = model(f"{record.name}({key}={word})")
            if word != setting.default and isinstance(changed, Model):
                found[changed.name] = changed.formula
    return found


def _in_words(known: dict[str, Any]) -> RenderableType:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(Text(known["name"], style="bold"), known["summary"])
    parameters = known["parameters"]
    rows = {
        "output": known["formula"],
        "parameters": f"{', '.join(parameters)} (for 2 inputs: {len(parameters)})",
        "quantity": ", ".join(f"{k} = {v}" for k, v in known["quantities"].items()) or "none",
        "theory": known["theory"],
    }
    for key, text in rows.items():
        table.add_row(f"  {key}", text)
    for key, limits in known["settings"].items():
        words = limits.get("choices") or [f"{limits['low']} … {limits['high']}"]
        told = f"{limits['meaning']}: {', '.join(map(str, words))}"
        table.add_row(f"  {key}={limits['default']}", told)
    for name, formula in known["variations"].items():
        changed = name.removeprefix(known["name"]).strip("()")
        table.add_row("", f"{changed}: {formula}")
    return Padding(table, (0, 0, 1, 0))
