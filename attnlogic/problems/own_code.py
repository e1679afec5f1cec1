"""Code of a user's own: what it can be called with, and its errors in one sentence."""

from __future__ import annotations

import inspect
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attnlogic.errors import InputError, described

if TYPE_CHECKING:
    from attnlogic.problems.datasets import Data
    from attnlogic.problems.own_loss import OwnLoss
    from attnlogic.problems.own_module import OwnModule

MAX_MESSAGE = 200
"""Characters of a user's error that a message shows at most."""

KEYS = ("key", "rng", "prng")
"""What an argument is called that is to be a key of JAX's generator."""

_OTHERS = (str(Path(__file__).parent.parent), *map(sysconfig.get_path, ("stdlib", "purelib")))
"""Folders whose code is not the user's."""


def takes(function: Callable[..., Any], count: int) -> bool:
    """Whether a function can be called with so many positional arguments.

    Example:
      >>> takes(lambda params, x=None: params, 1), takes(lambda params: params, 3)
      (True, False)
    """
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # written in C, without a signature
        return True
    return True


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


@contextmanager
def users_code(what: str) -> Iterator[None]:
    """Turn whatever a user's code raises into an ``InputError`` of one sentence.

    Args:
      what: what is being called: ``"model 'mine:net': loss"``.
    """
    try:
        yield
    except InputError as error:
        raise InputError(f"{what}: {error}") from error
    except (Exception, SystemExit) as error:  # a script's sys.exit would end the command
        message = (str(error).strip().splitlines() or [""])[0]
        if len(message) > MAX_MESSAGE:
            message = message[: MAX_MESSAGE - 1] + "…"
        told = f"{type(error).__name__}: {message}" if message else type(error).__name__
        raise InputError(f"{what} raises {told}{_line(error)}") from error


def _line(error: BaseException) -> str:
    """Where in the user's files it happened: the last line there."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((*_OTHERS, "<frozen"))
    ]
    if not frames:
        return ""
    last = frames[-1]
    return f" ({Path(last.filename).name}, line {last.lineno}: {last.line})"
