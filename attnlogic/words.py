"""Pieces of messages: counts, paths as a shell reads them, and text that is safe to print."""

from __future__ import annotations

import os
import re
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


_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)
"""Control characters but line feed and tab, and those that hide or turn round what follows."""


def printable(text: str) -> str:
    r"""The text without what could command a terminal: written in a file, it may come from anyone.

    Example:
      >>> printable("a gate" + chr(27) + "[2J")
      'a gate\\x1b[2J'
    """
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text)
