"""The errors whose messages are for a person: bad input, and work that could not be finished."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Bad input. The message says what was got, what was expected and what to do.

    The command line prints the message alone and exits with code 2; nothing has been computed yet
    when it is raised.
    """


class WorkError(RuntimeError):
    """Work that was begun could not be finished; what is done is kept.

    The message says what happened and what to do. The command line prints it alone and exits with
    code 1.
    """


def unknown(kind: str, got: object, known: Iterable[str], also: str = "") -> InputError:
    """An error for a name that is not among the known ones, with the nearest one suggested.

    Args:
      kind: what the name should be of: ``"gate"``.
      got: the name, or whatever stands in its place.
      known: the names that exist.
      also: what else would be accepted, appended to the list of names.
    """
    names = sorted(known)
    listed = f"known: {', '.join(names)}{also}"
    if not isinstance(got, str):
        return InputError(f"{kind}: expected a name, got {described(got)}: {listed}")
    folded = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(got.casefold(), folded, n=1)
    hint = f" did you mean '{folded[near[0]]}'?" if near else ""
    return InputError(f"unknown {kind} '{got}':{hint} {listed}")


MAX_DESCRIPTION = 80
"""Characters of a value that a message shows at most."""


def described(value: object) -> str:
    """A value and its type, for a message.

    Example:
      >>> described("fast")
      "'fast' (str)"
    """
    try:
        text = repr(value)
    except ValueError:  # Python refuses to write an int of more than 4300 digits
        text = "a value too long to print"
    if len(text) > MAX_DESCRIPTION:
        text = text[: MAX_DESCRIPTION - 1] + "…"
    return f"{text} ({type(value).__name__})"
