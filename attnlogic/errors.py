"""The one error that means: the request cannot be carried out as it was put."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Bad input. The message says what was got, what was expected and what to do.

    The command line prints the message alone and exits with code 2; nothing has been computed yet
    when it is raised.
    """


def unknown(kind: str, got: str, known: Iterable[str], also: str = "") -> InputError:
    """An error for a name that is not among those known, with the nearest one suggested."""
    names = sorted(known)
    near = difflib.get_close_matches(got.casefold(), names, n=1)
    hint = f" did you mean '{near[0]}'?" if near else ""
    return InputError(f"unknown {kind} '{got}':{hint} known: {', '.join(names)}{also}")
