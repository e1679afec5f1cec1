"""What is kept of finished runs, on its way to the disk: together, until it is worth a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Generic, NamedTuple, TypeVar

import polars as pl

from attnlogic.results import Counted, Runs, put_together, together, write_counted, write_part
from attnlogic.studies.parts import PART_ROWS, PART_SECONDS

T = TypeVar("T")

MOST_COUNTS = 2**21
"""Counts of tallies in memory at which they are written in any case."""

SEVERAL = 8
"""Additions of a kind that become one in memory, where that takes less of it."""


class _Block(NamedTuple, Generic[T]):
    """What is kept of runs of one kind: ``content`` makes one file in ``folder``."""

    folder: str
    content: tuple[T, ...]


class Collector(Generic[T]):
    """Collects what is kept of runs, and writes it now and then.

    An interrupt may come anywhere. What is done again after it changes nothing: the same addition
    is not made twice, and the same file replaces itself.

    Args:
      write: writes what is kept of some runs of a kind, to the folder of that name.
      size: how large something is.
      most: the size at which all is written in any case.
      merge: makes one of several additions, where that takes less memory.
      afterwards: called with the folder once something has been written.
    """

    def __init__(
        self,
        write: Callable[[str, Sequence[T]], None],
        size: Callable[[T], int],
        most: int,
        merge: Callable[[Sequence[T]], T] | None = None,
        afterwards: Callable[[str], None] = lambda folder: None,
    ) -> None:
        self._write, self._size, self._most = write, size, most
        self._merge, self._afterwards = merge, afterwards
        self._state: tuple[tuple[_Block[T], ...], Hashable] = ((), None)
        self._sealed: _Block[T] | None = None  # it is or was being written
        self._since = self._last = time.monotonic()

    def add(self, folder: str, content: T, key: Hashable) -> None:
        """Add what is kept of runs of one kind.

        All is written once there is enough, or once it would be too late if the next addition took
        as long to come as this one.

        Args:
          folder: the name of their kind's folder.
          content: what is kept.
          key: of these runs; if it is the last one's, they are there already.
        """
        blocks, last = self._state
        if key != last:
            open_ones = [b for b in blocks if b.folder == folder and b is not self._sealed]
            several = (*(open_ones[0].content if open_ones else ()), content)
            if self._merge and len(several) == SEVERAL:
                several = (self._merge(several),)
            grown = _Block(folder, several)
            others = tuple(b for b in blocks if not open_ones or b is not open_ones[0])
            self._state = ((*others, grown), key)
        size = sum(self._size(one) for block in self._state[0] for one in block.content)
        now = time.monotonic()
        late = now - self._since + now - self._last >= PART_SECONDS
        self._last = now
        if size >= self._most or late:
            self.flush()

    def flush_if_late(self) -> None:
        """Write what has waited for long."""
        if time.monotonic() - self._since >= PART_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write all that there is."""
        while self._state[0]:
            self._sealed = block = self._state[0][0]
            self._write(*block)
            self._state = (self._state[0][1:], self._state[1])
            self._afterwards(block.folder)  # only now: it may move what was written
        self._since = self._last = time.monotonic()


def rows_of(runs: Runs) -> Collector[pl.DataFrame]:
    """Collects rows, with the columns of ``run_schema``."""

    def write(folder: str, several: Sequence[pl.DataFrame]) -> None:
        write_part(runs, folder, pl.concat(several).sort("condition", "seed"))

    return Collector(write, len, PART_ROWS)


def tallies_of(runs: Runs) -> Collector[Counted]:
    """Collects what a census keeps."""

    def write(folder: str, several: Sequence[Counted]) -> None:
        write_counted(runs, folder, together(several))

    def size(counted: Counted) -> int:
        return len(counted.counts) + len(counted.rows)

    return Collector(write, size, MOST_COUNTS, together, partial(put_together, runs))
