"""``attnlogic study --dry-run``: what a study would need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnlogic.view import terminal
from attnlogic.words import counted

if TYPE_CHECKING:
    from attnlogic.backend import Backend
    from attnlogic.studies import Study

WORKERS = (2, 10, 100)
"""Numbers of workers for which the time is said."""

_LISTED = 20
"""Kinds of conditions that have a line of their own, at most."""


def say_estimate(
    study: Study, backend: Backend, jobs: int, keep: str, keep_rows: str | None
) -> None:
    """Print what a study would need."""
    from attnlogic.studies import duration, estimate

    found = estimate(study, backend, jobs=jobs, keep=keep, keep_rows=keep_rows)
    for part in found.parts[:_LISTED]:
        time = duration(part.training + part.keeping)
        terminal.write(f"{part.words}: {counted(part.runs, 'run')}, {time}")
    if (more := len(found.parts) - _LISTED) > 0:
        terminal.write(f"… and {more} kinds of conditions more")
    spread = ", ".join(f"{duration(found.seconds(n))} on {n}" for n in WORKERS)
    conditions = sum(part.conditions for part in found.parts)
    devices = ", ".join(found.devices)
    terminal.write(
        f"runs    {found.runs:,} of {counted(conditions, 'condition')}\n"
        f"time    {duration(found.seconds())} here ({devices}); {spread} such workers\n"
        f"disk    {'at most ' if found.tally else ''}{_bytes(found.disk)}\n"
        f"memory  {_bytes(found.memory)}\n"
        "An estimate from a few seeds of each condition; nothing was written."
    )


def _bytes(number: float) -> str:
    """Bytes in their largest fitting unit.

    Example:
      >>> _bytes(999), _bytes(2_500_000), _bytes(1.2e12)
      ('999 B', '2.5 MB', '1.2 TB')
    """
    unit = 0
    while number >= 1000 and unit < len(_UNITS) - 1:
        number, unit = number / 1000, unit + 1
    return f"{number:.3g} {_UNITS[unit]}"


_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
