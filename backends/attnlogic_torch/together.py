"""Many seeds at once: their parameters are the rows of one tensor, which torch's optimizer steps.

Each run has a lane of its own. torch computes whole vectors of lanes otherwise than what is left
over, so lanes are filled up to a multiple of ``LANES``: a run then has the same bits whichever runs
share its chunk.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import make_fx

from attnlogic.backend import Batch, OnProgress
from attnlogic.optimizers import Optimizer
from attnlogic.outcomes import NONE, Outcome, mapped
from attnlogic.problems import Model
from attnlogic_torch import streaming
from attnlogic_torch.evaluation import evaluation
from attnlogic_torch.optimizers import construct_stacked, record
from attnlogic_torch.training import DTYPES, one_thread

LANES = 64
"""An optimizer's lanes are a multiple of this: whole vectors, four at a time, of any processor."""

TARGET_PART_SECONDS = 0.2
"""How often progress is reported, and looked whether all runs have ended."""


MIN_TRACED_EPOCHS = 3000
"""The budget from which the evaluation is traced once, into a list of torch's operations, which are
then called without ``vmap`` in between. It computes the same bits and takes half the time where
seeds are few; the first trace takes one to two seconds. A user's module is not traced: it may look
at numbers."""


class Lanes(NamedTuple):
    """Where the runs of a batch are trained.

    Attributes:
      runs: the run in each lane, (L,); the last one of an optimizer is in several.
      lane: the lane of each run, (N,).
      optimizers: each optimizer and its lanes, a slice.
    """

    runs: npt.NDArray[np.intp]
    lane: npt.NDArray[np.intp]
    optimizers: list[tuple[Optimizer, slice]]


def lanes_of(batch: Batch) -> Lanes:
    """Lanes for the runs of a batch: those of one optimizer side by side.

    Example:
      >>> from attnlogic.backend import Training
      >>> from attnlogic.optimizers import optimizer
      >>> from attnlogic.problems import problem
      >>> one, two = (
      ...     Training(problem("xor"), optimizer(by), 10) for by in ("sgd(lr=0.1)", "sgd(lr=0.2)")
      ... )
      >>> found = lanes_of(Batch((one, two), np.array([0, 1, 0]), np.zeros((6, 3))))
      >>> len(found.runs), found.lane.tolist()
      (128, [0, 64, 1])
    """
    chosen = [training.optimizer for training in batch.trainings]
    kinds = {by: k for k, by in enumerate(dict.fromkeys(chosen))}
    of_run = np.array([kinds[by] for by in chosen])[batch.which]
    runs, optimizers, lane, start = [], [], np.empty(len(of_run), np.intp), 0
    for by, k in kinds.items():
        own = np.flatnonzero(of_run == k)
        if own.size:
            size = -(-own.size // LANES) * LANES
            runs.append(np.pad(own, (0, size - own.size), mode="edge"))
            lane[own] = start + np.arange(own.size)
            optimizers.append((by, slice(start, start + size)))
            start += size
    return Lanes(np.concatenate(runs), lane, optimizers)


def train_together(
    batch: Batch, on_progress: OnProgress | None = None, device: str = "cpu"
) -> Outcome:
    """Train all runs of a batch, at least one, in one thread.

    Args:
      batch: the runs; checked already.
      on_progress: see ``Backend.train``.
      device: where; a torch device.

    Returns:
      NumPy leaves (N,).
    """
    with one_thread(), torch.no_grad():
        return _train(batch, on_progress, device)


def _train(batch: Batch, on_progress: OnProgress | None, device: str) -> Outcome:
    training, count = batch.trainings[0], len(batch.which)
    problem, until_hit = training.problem, training.until == "hit"
    dtype, threshold = DTYPES[training.precision], _rounded(training.threshold, training.precision)
    lanes = lanes_of(batch)
    initial = batch.initial[:, lanes.runs].astype(training.precision)
    packed = torch.tensor(initial.T.copy(), device=device)
    targets = torch.tensor(
        [one.problem.data.targets for one in batch.trainings], dtype=dtype, device=device
    )[torch.tensor(batch.which[lanes.runs], device=device)]
    evaluate = evaluation(problem, dtype, device)
    if training.epochs >= MIN_TRACED_EPOCHS and isinstance(problem.model, Model):
        evaluate = make_fx(evaluate)(packed, targets)
    steps = [Stepping(by, packed[some], some) for by, some in lanes.optimizers]
    seen, ladder = streaming.start(packed, problem), streaming.rungs(packed)
    epoch, reported, ended = 0, 0.0, False
    while not ended:
        part_ends = time.perf_counter() + TARGET_PART_SECONDS
        while True:
            gradients, losses = evaluate(packed, targets)
            seen = streaming.fold(seen, epoch, losses, packed, threshold, ladder)
            before = packed.clone() if until_hit else packed
            stopped = [step(gradients, losses) for step in steps]
            if until_hit:
                packed.copy_(before.where((seen.first_hit != NONE)[:, None], packed))
            if isinstance(stopped[0], Tensor):
                seen = streaming.stop(seen, epoch, torch.cat(stopped))
            epoch += 1
            ended = epoch == training.epochs
            if ended or time.perf_counter() >= part_ends:
                break
        ended = ended or not bool(streaming.going(seen, until_hit=until_hit).any())
        share = 1.0 if ended else epoch / training.epochs
        if on_progress is not None:
            on_progress(count * (share - reported))
        reported = share
    norm = torch.linalg.vector_norm(evaluate(packed, targets)[0], dim=1)
    outcome = streaming.finish(
        seen, initial, packed.T.cpu().numpy(), norm.cpu().numpy(), problem, threshold,
        training.epochs, until_hit=until_hit,
    )  # fmt: skip
    return mapped(lambda leaf: leaf[..., lanes.lane], outcome)


def _rounded(number: float, precision: str) -> float:
    return float(np.dtype(precision).type(number))


class Stepping:
    """An optimizer on some lanes, with its schedule.

    Args:
      by: the optimizer.
      packed: the lanes' parameters, (n, P), which are changed in place.
      lanes: which of all lanes they are.
    """

    def __init__(self, by: Optimizer, packed: Tensor, lanes: slice) -> None:
        self._lanes, self._parameter = lanes, nn.Parameter(packed)
        self._stopped = record(by).stopped
        self._optimizer, self._schedule = construct_stacked(by, self._parameter)

    def __call__(self, gradients: Tensor, losses: Tensor) -> Any:
        """Step once; which runs the optimizer's own rule has ended, (n,); False: none."""
        self._parameter.grad = gradients[self._lanes]
        self._optimizer.step(lambda: losses[self._lanes])  # type: ignore[arg-type,return-value]
        if self._schedule is not None:
            self._schedule.step()
        return self._stopped(self._optimizer)
