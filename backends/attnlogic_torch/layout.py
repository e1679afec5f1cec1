"""A batch in parts: single runs, or chunks that are trained together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from attnlogic.backend import Batch

MAX_LANES = {"cpu": 2**14}
"""Runs of a chunk at most, by the device's type; with more, a CPU gains nothing."""

MAX_LANES_ELSEWHERE = 2**18

MAX_NUMBERS_PER_LANE = 32
"""Parameters × rows of data up to which a chunk has that many runs: 24 for the notebook's neuron.
A chunk of a model with more has fewer runs, so that memory is bounded."""

MIN_LANES = 2**10
"""Runs for which a further process is worth while: fewer take nearly as long as these."""


def one_by_one(batch: Batch) -> Iterator[Batch]:
    """Each run by itself."""
    first = np.zeros(1, np.int32)
    for run, k in enumerate(batch.which):
        yield Batch((batch.trainings[k],), first, batch.initial[:, run : run + 1])


def cut(batch: Batch, jobs: int, device: str) -> Iterator[Batch]:
    """Chunks of consecutive runs that keep so many processes busy; elsewhere than on a CPU one."""
    problem, count, kind = batch.trainings[0].problem, len(batch.which), torch.device(device).type
    numbers = len(problem.names) * max(1, len(problem.data.inputs))
    most = MAX_LANES.get(kind, MAX_LANES_ELSEWHERE)
    size = max(1, min(most, most * MAX_NUMBERS_PER_LANE // numbers))
    if kind == "cpu":
        size = min(size, max(MIN_LANES, -(-count // jobs)))
    return (_part(batch, k, min(k + size, count)) for k in range(0, count, size))


def _part(batch: Batch, start: int, end: int) -> Batch:
    """Some consecutive runs of a batch, with their own conditions alone."""
    used, which = np.unique(batch.which[start:end], return_inverse=True)
    return Batch(
        tuple(batch.trainings[k] for k in used),
        which.astype(np.int32),
        batch.initial[:, start:end],
    )
