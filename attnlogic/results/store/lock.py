"""One writer at a time: a lock on a study's folder, and who holds it.

The operating system frees the lock when its holder ends, however that happens, so the file
``.lock`` that stays behind means nothing by itself.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from attnlogic.errors import InputError
from attnlogic.results.store.files import new_file
from attnlogic.results.store.shapes import misfit

LOCK, WRITER = ".lock", ".writer.json"
"""The file that is locked, and the one that says who did it: a lock's file is not for reading."""

LOOK_SECONDS = 0.2
"""How long the lock of another process is waited for: it may be looking who writes."""


class InUseError(InputError):
    """Another process writes to the folder."""


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold a folder for writing.

    Raises:
      InUseError: another process holds it; it is named.
      OSError: the lock cannot be made.
    """
    try:
        lock = FileLock(directory / LOCK, timeout=LOOK_SECONDS)
        lock.acquire()
    except Timeout:
        raise InUseError(
            f"{_who(directory)} is writing to '{directory}': wait for it, or name another folder "
            "with --out (reading it is fine)"
        ) from None
    writer = directory / WRITER
    try:
        with new_file(writer) as file:
            file.write(json.dumps(_myself()).encode())
        yield
    finally:
        writer.unlink(missing_ok=True)
        lock.release()


def is_locked(directory: Path) -> bool:
    """Whether a folder cannot be held for writing now.

    To see it the lock is taken for a moment: see ``LOOK_SECONDS``.
    """
    if not (directory / LOCK).exists():
        return False
    try:
        with FileLock(directory / LOCK, timeout=0):
            return False
    except (Timeout, OSError):
        return True


def writer_of(directory: Path) -> str | None:
    """Which process writes to a folder now, in words; None where none does that can be seen."""
    writes = is_locked(directory) and (directory / WRITER).exists()
    return _who(directory) if writes else None


def _myself() -> dict[str, Any]:
    now = datetime.datetime.now(datetime.UTC)
    return {
        "pid": os.getpid(),
        "host": platform.node(),
        "since": now.isoformat(timespec="seconds"),
    }


def _who(directory: Path) -> str:
    """Who holds the lock, in words."""
    try:
        said = json.loads((directory / WRITER).read_bytes())
    except (OSError, ValueError, RecursionError):
        return "another process"
    if misfit(said, {"pid": int, "host": str, "since": str}):
        return "another process"
    return f"process {said['pid']} on {said['host']} (since {said['since']})"
