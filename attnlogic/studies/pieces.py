"""The runs of a study that are to be trained, cut into pieces that fit in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from attnlogic.backend import Batch
from attnlogic.results import SeedRanges
from attnlogic.studies.study import Condition

RUNS_AT_ONCE = 2**20
"""Runs whose initial parameters are in memory at once: 24 MB of the notebook's neuron."""


class Piece(NamedTuple):
    """Runs of conditions of one kind.

    Attributes:
      conditions: the number of each run's condition; (N,).
      seeds: (N,).
    """

    conditions: npt.NDArray[np.uint32]
    seeds: npt.NDArray[np.uint32]


def pieces(todo: Iterable[tuple[int, SeedRanges]]) -> Iterator[Piece]:
    """All runs of some conditions, condition by condition, at most ``RUNS_AT_ONCE`` at a time.

    Args:
      todo: the number of each condition, and its seeds.
    """
    left = Left(todo)
    while some := left.take(RUNS_AT_ONCE):
        yield piece_of(some)


Stretch = tuple[int, int, int]
"""Runs of one condition: its number, and their seeds from the first to before the last."""


class Left:
    """What is left to be cut off of some runs.

    Args:
      todo: the number of each condition, and its seeds.
    """

    def __init__(self, todo: Iterable[tuple[int, SeedRanges]]) -> None:
        self._stretches = deque((k, start, stop) for k, ranges in todo for start, stop in ranges)
        self.runs = sum(stop - start for _, start, stop in self._stretches)

    def take(self, most: int) -> tuple[Stretch, ...]:
        """Cut off the first runs: so many, or all that are left."""
        some: list[Stretch] = []
        room = most
        while room and self._stretches:
            condition, start, stop = self._stretches.popleft()
            end = min(stop, start + room)
            some.append((condition, start, end))
            room -= end - start
            if end < stop:
                self._stretches.appendleft((condition, end, stop))
        self.runs -= most - room
        return tuple(some)


def piece_of(some: Sequence[Stretch]) -> Piece:
    """The runs of some stretches, one after the other."""
    numbers, starts, stops = np.array(some, np.int64).T
    seeds = np.concatenate([np.arange(a, b, dtype=np.uint32) for _, a, b in some])
    return Piece(np.repeat(numbers.astype(np.uint32), stops - starts), seeds)


def batch_of(conditions: Sequence[Condition], piece: Piece) -> Batch:
    """The runs of a piece, each with its condition and its start."""
    numbers, which = np.unique(piece.conditions, return_inverse=True)
    seeds, place = np.unique(piece.seeds, return_inverse=True)
    there = [conditions[k] for k in numbers]
    problem = there[0].training.problem
    initial = np.empty((len(problem.names), len(piece.seeds)), np.float32)
    for init in {condition.init for condition in there}:
        runs = np.array([condition.init == init for condition in there])[which]
        initial[:, runs] = problem.initial(seeds, init)[:, place[runs]]
    return Batch(tuple(condition.training for condition in there), which.astype(np.int32), initial)
