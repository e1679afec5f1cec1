"""How a choice with settings is written: ``name`` or ``name(key=value, …)``.

Optimizers and initialisations share this form on the command line, in files and in the API.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping

from attnlogic.errors import InputError, unknown

Setting = float | int | bool
"""A hyperparameter's value."""


def parse(kind: str, text: str) -> tuple[str, dict[str, Setting]]:
    """Split ``"adamw(lr=0.01, weight_decay=0)"`` into its name and settings.

    Args:
      kind: what is being parsed, for the messages: ``"optimizer"``.
      text: the text.

    Raises:
      InputError: the text does not have that form.
    """
    if not isinstance(text, str):
        raise InputError(f"an {kind} is a text such as 'name(key=value)', got {text!r}")
    form = f"{kind} '{text}' is not of the form name or name(key=value, …)"
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last two: deep nesting
        raise InputError(form) from None
    if isinstance(tree, ast.Name):
        return tree.id.lower(), {}
    if not (isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name)):
        raise InputError(form)
    if tree.args:
        raise InputError(f"{form}: give each setting its name")
    settings: dict[str, Setting] = {}
    for keyword in tree.keywords:
        if keyword.arg is None:
            raise InputError(form)
        if keyword.arg in settings:
            raise InputError(f"{kind} '{text}' gives '{keyword.arg}' twice: leave one")
        try:
            value = ast.literal_eval(keyword.value)
        except (ValueError, TypeError):
            value = ast.unparse(keyword.value)
        settings[keyword.arg] = value
    return tree.func.id.lower(), settings


def complete(
    kind: str, name: str, given: Mapping[str, Setting], defaults: Mapping[str, Setting]
) -> dict[str, Setting]:
    """The defaults with the given settings put in, each checked and of its default's type.

    Raises:
      InputError: a setting is unknown, or its value is not a finite number (or a truth value where
        the default is one).
    """
    settings = dict(defaults)
    for key, value in given.items():
        if key not in defaults:
            if not defaults:
                raise InputError(f"{kind} '{name}' has no parameters, got '{key}'")
            raise unknown(f"parameter of {name}", key, defaults)
        settings[key] = _as_type_of(defaults[key], value, f"{name}({key}={value})")
    return settings


def _as_type_of(default: Setting, value: object, where: str) -> Setting:
    if isinstance(default, bool):
        if isinstance(value, bool) or value in (0, 1):
            return bool(value)
        raise InputError(f"{where}: expected True or False, got {value!r}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{where}: expected a number, got {value!r}")
    if not abs(value) <= sys.float_info.max:  # false for NaN, and for a whole number past floats
        raise InputError(f"{where}: expected a finite number, got {value!r}")
    if isinstance(default, int):
        if value != int(value):
            raise InputError(f"{where}: expected a whole number, got {value!r}")
        return int(value)
    return float(value)


def write(name: str, settings: Mapping[str, Setting], defaults: Mapping[str, Setting]) -> str:
    """The shortest text that ``parse`` and ``complete`` turn into these settings."""
    changed = [
        f"{k}={v:g}" if _short(v) else f"{k}={v}" for k, v in settings.items() if v != defaults[k]
    ]
    return f"{name}({','.join(changed)})" if changed else name


def _short(value: Setting) -> bool:
    return isinstance(value, float) and float(f"{value:g}") == value
