"""The text of a choice with settings, ``name`` or ``name(key=value, …)``: read and written.

A value is a number, True or False, a word, a choice with settings of its own, or several values: a
list ``[0.01, 0.05]`` or a range ``1e-4..1:log:25``. A name with a source, ``optax:lion``, stands
for something that another package defines; its values are Python's literals, but for its
``schedule``, which is attnlogic's. Reading such a text imports nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from attnlogic.errors import InputError, described
from attnlogic.ranges import read_range

Value = float | int | bool | str
"""A setting's value: Python's own number, a word, or the text of a choice with settings."""

SCHEDULE = "schedule"
"""The setting that attnlogic adds to another package's optimizers."""

_CHOICE = re.compile(r"(?:(?P<source>[\w.]+):)?(?P<name>[\w.]+)\s*(?:\((?P<body>.*)\))?", re.DOTALL)
_SETTING = re.compile(r"(?P<key>\w+)\s*=(?!=)(?P<value>.+)", re.DOTALL)
_TOKEN = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|.""", re.DOTALL)
_CLOSING = {"(": ")", "[": "]", "{": "}"}


def parse(kind: str, text: object, example: str) -> tuple[str, dict[str, Any]]:
    """Split ``"adamw(lr=0.01, weight_decay=0)"`` into its name and its settings.

    Args:
      kind: what is being parsed, for the messages: ``"optimizer"``.
      text: the text.
      example: a text of the right form, for the messages.

    Returns:
      The name, in lower case unless it has a source, and the settings as they are written: Python's
      literals; a list or a ``Range`` of several values; a str of what is none of these.

    Raises:
      InputError: the text does not have that form.

    Example:
      >>> parse("optimizer", "SGD(lr=1e-2, nesterov=true)", "adam(lr=0.01)")
      ('sgd', {'lr': 0.01, 'nesterov': 'true'})
      >>> parse("optimizer", "torch:Adam(betas=(0.9, 0.99))", "adam(lr=0.01)")
      ('torch:Adam', {'betas': (0.9, 0.99)})
    """
    if not isinstance(text, str):
        raise InputError(f"{kind}: expected a text such as '{example}', got {described(text)}")
    form = f"{kind} '{text}' is not of the form name or name(key=value, …)"
    found = _CHOICE.fullmatch(text.strip())
    if found is None or not _names(found):
        is_path = found is not None and found["source"] is None and dotted(found["name"])
        hint = ": what a package defines is written package.module:name" if is_path else ""
        raise InputError(form + hint)
    source, body = found["source"], found["body"] or ""
    name = f"{source}:{found['name']}" if source else found["name"].lower()
    pieces = _split(body)
    if pieces is None:
        raise InputError(form)
    settings: dict[str, Any] = {}
    for piece in pieces:
        setting = _SETTING.fullmatch(piece)
        if setting is None or not setting["key"].isidentifier():
            raise InputError(f"{form}: give each setting its name and a value")
        key = setting["key"]
        if key in settings:
            raise InputError(f"{kind} '{text}' gives '{key}' twice: leave one")
        literal = bool(source) and key != SCHEDULE
        try:
            settings[key] = _value(f"{key} of {name}", setting["value"].strip(), literal)
        except (RecursionError, MemoryError):  # deep nesting
            raise InputError(form) from None
    return name, settings


def replaced(text: str, path: str, value: str) -> str:
    """The text with another value of a setting that it gives, all else as it is written.

    Args:
      text: of the form that ``parse`` reads.
      path: the setting's name; ``"setting.key"`` for one of a choice's own settings.
      value: what to write.

    Example:
      >>> replaced("sgd(lr=1,schedule=step(every=9,factor=0.5))", "schedule.every", "…")
      'sgd(lr=1,schedule=step(every=…,factor=0.5))'
      >>> replaced("sgd", "lr", "…")
      'sgd'
    """
    name, _, body = text.strip().partition("(")
    first, _, inside = path.partition(".")
    pieces = []
    for piece in _split(body.removesuffix(")")) or []:
        key, _, old = (part.strip() for part in piece.partition("="))
        new = replaced(old, inside, value) if inside else value
        pieces.append(f"{key}={new}" if key == first else piece)
    return f"{name}({','.join(pieces)})" if any(pieces) else name


def foreign(name: str) -> tuple[str, str] | None:
    """The source and the name in it, of a name with a source; None for a name of attnlogic's own.

    Example:
      >>> foreign("optax.contrib:prodigy"), foreign("adam")
      (('optax.contrib', 'prodigy'), None)
    """
    source, colon, inside = name.partition(":")
    return (source, inside) if colon else None


def dotted(name: str) -> bool:
    """Whether a name is one or more identifiers, joined by dots."""
    return all(part.isidentifier() for part in name.split("."))


def _names(found: re.Match[str]) -> bool:
    if found["source"] is None:
        return found["name"].isidentifier()
    return dotted(found["source"]) and dotted(found["name"])


def _split(text: str) -> list[str] | None:
    """The pieces between the commas that no bracket or quote encloses; None for wrong brackets."""
    pieces, open_brackets = [""], ""
    for token in _TOKEN.findall(text):
        if token in ("'", '"'):  # a quote without its partner
            return None
        if token in _CLOSING:
            open_brackets += token
        elif token in _CLOSING.values():
            if not open_brackets or _CLOSING[open_brackets[-1]] != token:
                return None
            open_brackets = open_brackets[:-1]
        if token == "," and not open_brackets:
            pieces.append("")
        else:
            pieces[-1] += token
    if open_brackets:
        return None
    pieces = [piece.strip() for piece in pieces]
    return pieces if pieces[-1] else pieces[:-1]  # a comma may follow the last


def _value(label: str, text: str, literal: bool) -> Any:
    if text.startswith("[") and text.endswith("]"):
        pieces = _split(text[1:-1])
        if pieces is None or "" in pieces:
            raise InputError(f"{label}: expected a list such as [0.01, 0.05], got '{text}'")
        return [_value(label, piece, literal) for piece in pieces]
    try:
        return ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError):
        pass
    if not re.search(r"[()\[\]{}'\"]", text) and (".." in text or ":" in text):
        return read_range(label, text)
    if literal:
        raise InputError(
            f"{label}: expected a Python literal such as 0.1, True, None or 'text' in quotes, "
            f"got {text}"
        )
    return text


def write(name: str, settings: Mapping[str, Value], defaults: Mapping[str, Value]) -> str:
    """The shortest text that is read back as these settings of one of attnlogic's own choices."""
    changed = [
        f"{k}={v:g}" if _short(v) else f"{k}={v}" for k, v in settings.items() if v != defaults[k]
    ]
    return f"{name}({','.join(changed)})" if changed else name


def write_foreign(name: str, settings: Mapping[str, object]) -> str:
    """The text that is read back as these settings of a choice that another package defines.

    Example:
      >>> write_foreign("torch:Adam", {"lr": 1.0, "betas": (0.9, 0.99)})
      'torch:Adam(lr=1.0,betas=(0.9, 0.99))'
    """
    given = [f"{key}={value!r}" for key, value in settings.items()]
    return f"{name}({','.join(given)})" if given else name


def _short(value: Value) -> bool:
    return isinstance(value, float) and float(f"{value:g}") == value
