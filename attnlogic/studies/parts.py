"""How finished runs are written as they come: in parts, so that little can be lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from attnlogic.backend import Finished, in_order
from attnlogic.outcomes import Outcome

PART_SECONDS = 10.0
"""Seconds between two writings, if runs come often enough; else each is written as it comes."""

PART_ROWS = 2**16
"""Finished runs in memory at which those that stand together are written in any case."""

Write = Callable[[int, Outcome], None]
"""Writes a part, from the place of its first run among all and the outcomes. After an interrupt it
may be called again for the part that it was writing, and must then replace it."""


def write_in_parts(work: Iterator[Finished], write: Write) -> None:
    """Write runs as they are finished, in any order; a part has consecutive runs.

    Parts are written once there are enough runs, or once it would be too late if the next ones took
    as long to come as the last ones did. On an error or an interrupt all runs that are finished are
    written before it is raised again.

    Args:
      work: as a backend gives it; the runs have their places among all.
      write: see ``Write``.
    """
    waiting = Stretches()
    since = last = time.monotonic()
    try:
        for finished in work:
            waiting.add(finished)
            now = time.monotonic()
            if now - since + now - last >= PART_SECONDS:
                _write_all(waiting, write)
            while waiting.rows >= PART_ROWS:
                # The others may stand beside runs that come soon.
                _write(waiting, waiting.longest, write)
            since, last = (since if waiting.rows else now), now
    except KeyboardInterrupt as interrupt:
        for finished in _finished_meanwhile(work, interrupt):
            waiting.add(finished)
        raise
    finally:
        _write_all(waiting, write)


def _write_all(waiting: Stretches, write: Write) -> None:
    while waiting.lists:
        _write(waiting, 0, write)


def _write(waiting: Stretches, which: int, write: Write) -> None:
    waiting.sealed = stretch = waiting.lists[which]
    write(stretch[0].first, in_order(stretch))
    del waiting.lists[which]  # only now: an interrupt while it was written must not lose it


def _finished_meanwhile(
    work: Iterator[Finished], interrupt: KeyboardInterrupt
) -> Iterator[Finished]:
    """What a generator gives once it hears of an interrupt that came outside of it."""
    throw = getattr(work, "throw", None)
    if throw is None:  # an iterator of another sort
        return
    try:
        yield throw(interrupt)
        yield from work
    except (KeyboardInterrupt, StopIteration):
        return


class Stretches:
    """Finished runs in memory, those together that stand together.

    Attributes:
      lists: of consecutive runs each, in no order.
      sealed: the one that is or was being written: if an interrupt has it written again, it must be
        the same part, which replaces the first.
    """

    def __init__(self) -> None:
        self.lists: list[list[Finished]] = []
        self.sealed: list[Finished] | None = None

    @property
    def rows(self) -> int:
        """How many runs there are."""
        return sum(stretch[-1].end - stretch[0].first for stretch in self.lists)

    @property
    def longest(self) -> int:
        """The place of the longest stretch in ``lists``."""
        lengths = [stretch[-1].end - stretch[0].first for stretch in self.lists]
        return lengths.index(max(lengths))

    def add(self, finished: Finished) -> None:
        """Add runs, and join what they fill the gap between."""
        if finished.end == finished.first:
            return
        open_ones = [stretch for stretch in self.lists if stretch is not self.sealed]
        before = [stretch for stretch in open_ones if stretch[-1].end == finished.first]
        after = [stretch for stretch in open_ones if stretch[0].first == finished.end]
        if not before and not after:
            self.lists.append([finished])
        elif before:
            before[0].append(finished)
        else:
            after[0].insert(0, finished)
        if before and after:
            before[0].extend(after[0])
            self.lists = [stretch for stretch in self.lists if stretch is not after[0]]
