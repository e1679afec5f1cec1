"""How outcomes are written as they come: in parts, so that little can be lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from attnlogic.outcomes import Outcome, concatenate

PART_SECONDS = 10.0
"""Seconds after which finished runs are written: the most that a kill can cost."""

PART_ROWS = 2**16
"""Rows after which a part is written in any case, to keep memory small."""


def write_in_parts(outcomes: Iterator[Outcome], write: Callable[[int, Outcome], None]) -> None:
    """Write the outcomes of runs, in order, each part once it has enough rows or is old enough.

    On an error or an interrupt the outcomes that wait are written before it is raised again.

    Args:
      outcomes: of the next n runs each.
      write: writes a part, from the place of its first run among all and the outcomes. After an
        interrupt it may be called again for the part that it was writing, and must then replace it.
    """
    waiting: list[Outcome] = []
    first, rows, since = 0, 0, time.monotonic()
    try:
        for outcome in outcomes:
            waiting.append(outcome)
            rows += len(outcome.first_hit)
            if rows >= PART_ROWS or time.monotonic() - since >= PART_SECONDS:
                write(first, concatenate(waiting))
                # Only now: an interrupt while it was written must not lose it.
                waiting, first, rows, since = [], first + rows, 0, time.monotonic()
    finally:
        if waiting:
            write(first, concatenate(waiting))
