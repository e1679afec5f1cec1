"""Sets of seeds as ranges: (start, stop) pairs, ascending, with a gap between any two."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt

SeedRanges = tuple[tuple[int, int], ...]
"""Seeds from each start to before its stop: ``((0, 10), (20, 21))``."""


def of_seeds(seeds: npt.ArrayLike) -> SeedRanges:
    """The ranges of some seeds, in any order.

    Example:
      >>> of_seeds([7, 0, 1, 2])
      ((0, 3), (7, 8))
    """
    numbers = np.unique(np.asarray(seeds, np.int64))
    if not numbers.size:
        return ()
    ends = np.flatnonzero(np.diff(numbers) != 1)
    first = numbers[np.r_[0, ends + 1]]
    last = numbers[np.r_[ends, numbers.size - 1]]
    return tuple(zip(first.tolist(), (last + 1).tolist(), strict=True))


def union(*several: Iterable[Sequence[int]]) -> SeedRanges:
    """The seeds that are in any of these; the ranges of each may lie in any order.

    Example:
      >>> union([(5, 8), (0, 3)], [(3, 4), (7, 9)])
      ((0, 4), (5, 9))
    """
    found: list[tuple[int, int]] = []
    for start, stop in sorted(map(tuple, chain.from_iterable(several))):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], stop))
        elif start < stop:
            found.append((start, stop))
    return tuple(found)


def seeds_without(those: Iterable[Sequence[int]], without: SeedRanges) -> SeedRanges:
    """The seeds of ``those`` that are not in ``without``.

    Example:
      >>> seeds_without(((0, 10),), ((2, 3), (8, 20)))
      ((0, 2), (3, 8))
    """
    found = []
    for start, stop in those:
        for low, high in without[_place(without, start) :]:
            if low >= stop:
                break
            if start < low:
                found.append((start, low))
            start = max(start, high)
        if start < stop:
            found.append((start, stop))
    return tuple(found)


def intersect(one: SeedRanges, other: SeedRanges) -> bool:
    """Whether some seed is in both.

    Example:
      >>> intersect(((0, 3),), ((3, 5),)), intersect(((0, 3),), ((2, 5),))
      (False, True)
    """
    for start, stop in one:
        at = _place(other, start)
        if at < len(other) and other[at][0] < stop:
            return True
    return False


def contain(ranges: SeedRanges, seeds: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether each of some seeds is in these ranges.

    Example:
      >>> contain(((0, 2), (5, 6)), [1, 2, 5])
      array([ True, False,  True])
    """
    ends = np.array(ranges, np.int64).ravel()
    # Of a seed that is in one an odd number of ends lies at or below.
    below: npt.NDArray[np.int64] = np.searchsorted(ends, np.asarray(seeds), "right")
    return np.equal(below % 2, 1)


def count(seeds: SeedRanges) -> int:
    """How many seeds there are."""
    return sum(stop - start for start, stop in seeds)


def seeds_in_words(seeds: SeedRanges, most: int = 4) -> str:
    """The ranges as ``--seeds`` writes them, at most so many.

    Example:
      >>> seeds_in_words(((0, 10), (20, 21)))
      '0:10, 20:21'
    """
    shown = [f"{start}:{stop}" for start, stop in seeds[:most]]
    return ", ".join(shown + ["…"] * (len(seeds) > most)) or "none"


def _place(ranges: SeedRanges, seed: int) -> int:
    """The place of the first range that ends above a seed."""
    at = bisect_right(ranges, (seed, seed))
    return at - 1 if at and ranges[at - 1][1] > seed else at
