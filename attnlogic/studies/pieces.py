"""The runs of a study that are to be trained, cut into pieces that fit in memory."""

from __future__ import annotations

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
    some: list[tuple[int, int, int]] = []
    room = RUNS_AT_ONCE
    for condition, ranges in todo:
        for start, stop in ranges:
            while start < stop:
                end = min(stop, start + room)
                some.append((condition, start, end))
                room -= end - start
                start = end
                if not room:
                    yield _piece(some)
                    some, room = [], RUNS_AT_ONCE
    if some:
        yield _piece(some)


def _piece(some: Sequence[tuple[int, int, int]]) -> Piece:
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
