"""A batch in parts: single runs, or chunks that are trained together."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from attnlogic.backend import Batch

MAX_LANES = {"cpu": 2**14}
"""Runs of a chunk at most, by the device's type; with more, a CPU gains nothing."""

MAX_LANES_ELSEWHERE = 2**18

MAX_NUMBERS_PER_LANE = 32
"""Parameters × rows of data up to which a chunk has that many runs: 24 for the notebook's neuron.
A chunk of a model with more has fewer runs, so that memory is bounded."""

MIN_LANES = 2**10
"""Runs for which a further chunk is worth while: fewer take nearly as long as these."""

MAX_RUN_EPOCHS = 2**24
"""Runs × epochs of a chunk on a CPU, unless it has ``MIN_LANES`` runs or fewer: they take about ten
seconds, which is what a kill can cost. Their epochs take a millisecond each, however few there are,
so that a chunk with a budget above 10,000 epochs takes longer."""


def one_by_one(batch: Batch) -> Iterator[tuple[int, Batch]]:
    """Each run by itself, with its place."""
    return _parts(batch, 1)


def cut(batch: Batch, jobs: int, device: str) -> Iterator[tuple[int, Batch]]:
    """Chunks of consecutive runs, with the place of the first of each.

    On a CPU they keep so many processes busy, and take about ten seconds at most where that is
    possible; see ``MAX_RUN_EPOCHS``. Elsewhere many runs take as long as few, and a chunk has all
    that fit.
    """
    training, count, kind = batch.trainings[0], len(batch.which), torch.device(device).type
    numbers = len(training.problem.names) * max(1, len(training.problem.data.inputs))
    share = min(1, MAX_NUMBERS_PER_LANE / numbers)  # of the runs that a small model has
    size = max(1, int(share * MAX_LANES.get(kind, MAX_LANES_ELSEWHERE)))
    if kind == "cpu":
        soon_done = int(share * MAX_RUN_EPOCHS) // training.epochs
        size = min(size, max(MIN_LANES, min(soon_done, -(-count // jobs))))
    return _parts(batch, size)


def _parts(batch: Batch, size: int) -> Iterator[tuple[int, Batch]]:
    count = len(batch.which)
    return ((k, batch.part(k, min(k + size, count))) for k in range(0, count, size))
