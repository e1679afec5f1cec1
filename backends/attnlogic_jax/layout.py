"""How the runs of a batch are laid out: in chunks, of groups of one size, each of one condition."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from attnlogic_jax.method import LANES

Runs = npt.NDArray[np.int64]

MIN_GROUP = 64
"""Seeds of a group, at least: with fewer a core spends its time on the loops around the seeds. Of
32 seeds each takes it as long as two of 64."""


class Chunk(NamedTuple):
    """Some consecutive runs of a batch.

    Attributes:
      runs: the run that each seed of each group is, by its place in the batch; (G, n). A group that
        is not full is filled up with copies of its last run, a chunk with copies of its last group.
      lanes: where each of the chunk's runs is among the G·n, in the batch's order.
    """

    runs: Runs
    lanes: Runs

    @property
    def conditions(self) -> Runs:
        """A run of each group: (G,)."""
        return self.runs[:, 0]


def chunks(
    which: npt.NDArray[np.int32], *, most: int, most_in_group: int, workers: int, devices: int
) -> list[Chunk]:
    """A batch cut into chunks of one size, none much emptier than another, in order.

    Args:
      which: the condition of each run; those of a condition stand together.
      most: seeds of a chunk for each device, at most; one group in any case.
      most_in_group: seeds of a group, at most; ``MIN_GROUP`` in any case, rounded up to ``LANES``.
      workers: how many chunks are trained side by side.
      devices: among how many a chunk's groups are shared.
    """
    if not len(which):
        return []
    edges = [0, *(np.flatnonzero(np.diff(which)) + 1).tolist(), len(which)]
    conditions = [*pairwise(edges)]
    longest = max(end - first for first, end in conditions)
    parts, at_once = math.ceil(longest / most_in_group), workers * devices
    if parts * len(conditions) < at_once:  # else some would have nothing to do
        parts = min(math.ceil(at_once / len(conditions)), math.ceil(longest / MIN_GROUP))
    size = max(MIN_GROUP, LANES * math.ceil(longest / parts / LANES))
    groups = [(start, end) for first, end in conditions for start in range(first, end, size)]
    rounds = math.ceil(len(groups) / at_once / max(1, most // size))
    count = devices * math.ceil(len(groups) / rounds / at_once)
    return [_chunk(groups[i : i + count], size, count) for i in range(0, len(groups), count)]


def _chunk(groups: list[tuple[int, int]], size: int, count: int) -> Chunk:
    """A chunk of some groups, given by their first run and the end of their condition's."""
    filled = groups + groups[-1:] * (count - len(groups))
    starts, ends = np.array(filled, np.int64).T[:, :, None]
    runs = np.minimum(starts + np.arange(size), ends - 1)
    lanes = [
        np.arange(k * size, k * size + min(size, end - start))
        for k, (start, end) in enumerate(groups)
    ]
    return Chunk(runs, np.concatenate(lanes))


def as_slice(places: Runs) -> Runs | slice:
    """Ascending places, as a slice where none is left out: it copies nothing."""
    if len(places) and places[-1] - places[0] == len(places) - 1:
        return slice(int(places[0]), int(places[-1]) + 1)
    return places


def fewer(
    groups: npt.NDArray[np.int64], going: npt.NDArray[np.int64], size: int, devices: int
) -> Runs | None:
    """The seeds that still train, laid out in a quarter of the room; None while they need more.

    Args:
      groups: the condition of each group now; (G,), equal ones side by side.
      going: the seeds that still train, as places among the G·size; ascending.
      size: seeds of a group.
      devices: among how many the groups are shared.

    Returns:
      Places among the G·size, (fewer groups, seeds of a group), filled up with copies.
    """
    of = groups[going // size]
    count = devices * max(1, len(groups) // 4 // devices)
    if count == len(groups) and len({*of.tolist()}) == 1:  # one group a device: it becomes smaller
        size = LANES * math.ceil(size / 4 / LANES)
    elif count == len(groups):
        return None
    rows = _rows(of, going, size)
    if len(rows) > count:
        return None
    return np.stack(rows + rows[-1:] * (count - len(rows)))


def portions(
    groups: npt.NDArray[np.int64],
    going: npt.NDArray[np.int64],
    size: int,
    devices: int,
    count: int,
) -> list[Runs]:
    """The seeds that still train, laid out in portions of whole groups, to be trained in turn.

    Args:
      groups, size, devices: as for ``fewer``.
      going: the seeds that still train, as places among the G·size, in the order of the batch.
      count: how many portions, at most.

    Returns:
      Places of each portion, (groups, seeds of a group); all of one shape, filled up with copies.
    """
    rows = _rows(groups[going // size], going, size)
    each = devices * math.ceil(len(rows) / count / devices)
    cut = [rows[i : i + each] for i in range(0, len(rows), each)]
    return [np.stack(some + some[-1:] * (each - len(some))) for some in cut]


def _rows(of: npt.NDArray[np.int64], going: npt.NDArray[np.int64], size: int) -> list[Runs]:
    """Seeds in groups of one condition each, filled up with copies.

    Args:
      of: the condition of each seed.
      going: the seeds.
      size: seeds of a group.
    """
    several = [going[of == condition] for condition in dict.fromkeys(of.tolist())]
    return [
        np.resize(part, size) if len(part) < size else part
        for seeds in several
        for part in np.split(seeds, range(size, len(seeds), size))
    ]
