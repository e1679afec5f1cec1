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
    batch, numbers = undrawn(conditions, piece), _numbers(piece)
    draw = batch.trainings[0].problem.initial
    if len(numbers) == 1:  # then there is no seed twice
        return batch._replace(initial=draw(piece.seeds, conditions[numbers[0]].init))
    seeds, place = np.unique(piece.seeds, return_inverse=True)
    initial = np.empty(batch.initial.shape, np.float32)
    inits = [conditions[k].init for k in numbers]
    for init in set(inits):
        runs = np.array([one == init for one in inits])[batch.which]
        initial[:, runs] = draw(seeds, init)[:, place[runs]]
    return batch._replace(initial=initial)


def undrawn(conditions: Sequence[Condition], piece: Piece) -> Batch:
    """The runs of a piece, but for where they start: at 0, all of them."""
    trainings = tuple(conditions[k].training for k in _numbers(piece))
    shape = len(trainings[0].problem.names), len(piece.seeds)
    which = np.cumsum(_begins(piece), dtype=np.int32) - np.int32(1)
    return Batch(trainings, which, np.broadcast_to(np.float32(0), shape))


def _begins(piece: Piece) -> npt.NDArray[np.bool_]:
    """Which runs are the first of their condition, whose runs stand together; (N,)."""
    return np.append(True, piece.conditions[1:] != piece.conditions[:-1])


def _numbers(piece: Piece) -> list[int]:
    """The conditions of a piece."""
    numbers: list[int] = piece.conditions[_begins(piece)].tolist()
    return numbers
