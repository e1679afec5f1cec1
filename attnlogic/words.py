"""Pieces of messages: counts, and paths as a shell reads them."""

from __future__ import annotations

import os
import shlex


def counted(n: int, noun: str) -> str:
    """A number of things.

    Example:
      >>> counted(1, "run"), counted(10_000, "run")
      ('1 run', '10,000 runs')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def in_shell(path: str | os.PathLike[str]) -> str:
    """A path as a word of a command line that can be pasted into a shell.

    Example:
      >>> in_shell("runs/demo"), in_shell("runs/a b"), in_shell("-x")
      ('runs/demo', "'runs/a b'", './-x')
    """
    text = os.fspath(path)
    return shlex.quote(f"./{text}" if text.startswith("-") else text)  # else it is an option
