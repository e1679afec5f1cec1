"""The types of what JSON holds, checked against a pattern; the key of what is wrong is named."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from attnlogic.errors import described

Shape = Any
"""``str``, ``int`` or ``float``; ``[shape]`` for a list; ``{key: shape}`` for an object that has at
least these keys; ``Each(shape)`` for an object with any keys; ``Optional(shape)`` for the value of
a key that may be missing."""


class Optional(NamedTuple):
    """The shape of a key that may be missing."""

    shape: Shape


class Each(NamedTuple):
    """An object whose values all have one shape."""

    shape: Shape


_TOO_LARGE = 2**63
"""Whole numbers have 64 bits."""

_NAMES = {str: "a text", int: "a whole number", float: "a number"}


def misfit(value: Any, shape: Shape, key: str = "") -> str | None:
    """What is wrong with a value, in words that start with its key; None if it fits.

    Example:
      >>> misfit({"runs": [{"seed": "7"}]}, {"runs": [{"seed": int}]})
      "'runs[0].seed' is '7' (str), expected a whole number"
      >>> misfit({}, {"runs": int})
      "'runs' is missing"
    """
    inside: Iterable[tuple[str, Any, Shape]]
    if isinstance(shape, list):
        if not isinstance(value, list):
            return _wrong(key, value, "a list")
        inside = ((f"{key}[{i}]", one, shape[0]) for i, one in enumerate(value))
    elif isinstance(shape, Each):
        if not isinstance(value, dict):
            return _wrong(key, value, "an object")
        inside = ((_below(key, name), one, shape.shape) for name, one in value.items())
    elif isinstance(shape, dict):
        if not isinstance(value, dict):
            return _wrong(key, value, "an object")
        missing = next((k for k in shape if k not in value and not _optional(shape[k])), None)
        if missing is not None:
            return f"'{_below(key, missing)}' is missing"
        inside = (
            (_below(key, name), value[name], of.shape if _optional(of) else of)
            for name, of in shape.items()
            if name in value
        )
    else:
        kinds = (int, float) if shape is float else shape
        fits = isinstance(value, kinds) and not isinstance(value, bool)
        if isinstance(value, int) and abs(value) >= _TOO_LARGE:
            fits = False
        return None if fits else _wrong(key, value, _NAMES[shape])
    return next((wrong for k, one, of in inside if (wrong := misfit(one, of, k))), None)


def _optional(shape: Shape) -> bool:
    return isinstance(shape, Optional)


def _below(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _wrong(key: str, value: Any, expected: str) -> str:
    return f"'{key}' is {described(value)}, expected {expected}"
