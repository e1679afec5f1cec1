"""Code from outside: what another module defines, by name, and its errors in one sentence."""

from __future__ import annotations

import difflib
import importlib
import inspect
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attnlogic.errors import InputError

MAX_MESSAGE = 200
"""Characters of a user's error that a message shows at most."""

_ROOM = Path(__file__).parent
_OTHERS = (
    str(_ROOM),
    str(_ROOM.parent / "backends"),
    *map(sysconfig.get_path, ("stdlib", "purelib")),
)
"""Folders whose code is not the user's."""


def attribute(what: str, module: str, name: str) -> Any:
    """What stands under a name, dotted or not, in a module, which is imported now.

    Args:
      what: whose name it is, for the messages: ``"model 'nets:small'"``.
      module: the module.
      name: the name in it.

    Raises:
      InputError: there is no such module or name, or the import raises.

    Example:
      >>> attribute("the function", "json", "decoder.scanstring").__name__
      'scanstring'
    """
    try:
        with users_code(f"{what}: importing {module}"):
            found: Any = importlib.import_module(module)
    except InputError as error:
        missing = getattr(error.__cause__, "name", None)
        absent = isinstance(error.__cause__, ModuleNotFoundError)
        if absent and f"{module}.".startswith(f"{missing}."):
            raise InputError(
                f"{what}: there is no module '{missing}' on Python's path: install it, or start "
                "where it lies"
            ) from error
        raise
    place = f"module '{module}'"
    for part in name.split("."):
        if not hasattr(found, part):
            names = [known for known in dir(found) if not known.startswith("_")]
            near = difflib.get_close_matches(part, names, n=1)
            hint = f": did you mean '{near[0]}'?" if near else ""
            raise InputError(f"{what}: {place} has no '{part}'{hint}")
        found, place = getattr(found, part), f"'{part}'"
    return found


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
