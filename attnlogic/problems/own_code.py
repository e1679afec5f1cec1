"""Functions of a user's own: what they can be called with, and how they are called."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attnlogic.errors import InputError, described

if TYPE_CHECKING:
    from attnlogic.problems.datasets import Data
    from attnlogic.problems.own_loss import OwnLoss
    from attnlogic.problems.own_module import OwnModule

KEYS = ("key", "rng", "prng")
"""What an argument is called that is to be a key of JAX's generator."""


def first_argument(function: Callable[..., Any]) -> str:
    """The name of the first argument that a function still needs; empty where it needs none."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # written in C, without a signature
        return ""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return next((p.name for p in parameters if p.kind in kinds), "")


def check_callable(name: str, value: object) -> None:
    """Raise an ``InputError`` unless the value can be called."""
    if not callable(value):
        raise InputError(f"{name}: expected a function, got {described(value)}")


def check_data(own: OwnLoss | OwnModule, data: Data | None) -> None:
    """Raise an ``InputError`` where a loss needs data and has none, or has and cannot use it."""
    if data is None and own.needs_data:
        raise InputError(f"model '{own}' needs a gate or data to be fitted to")
    if data is not None and not own.takes_data:
        raise InputError(
            f"model '{own}' has a loss of its parameters alone, and no use for '{data}': "
            "leave that out"
        )


def name_of(function: Callable[..., Any]) -> str:
    """What a function or class is called where it is defined."""
    return str(getattr(function, "__qualname__", type(function).__qualname__))
