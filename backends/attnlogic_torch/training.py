"""One run, epoch by epoch, as the notebook's loop has it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from attnlogic.backend import OnProgress, Training, checked
from attnlogic.outcomes import NONE, History
from attnlogic.problems import ROWS, Gate, Params
from attnlogic_torch.model import RawAttentionWithTopNeuron, load, read
from attnlogic_torch.optimizers import Polyak, construct

_DTYPES = {"float32": torch.float32, "float64": torch.float64}
_TELL = 100
"""Epochs between two words of progress: about a twentieth of a second."""


class _EndedError(Exception):
    """The run ends with this epoch's loss: it is not finite or, if so asked, it is a hit."""


class _Evaluation:
    """The closure that an optimizer steps with: the loss and its gradient, and a record of both.

    The first evaluation of an epoch gives the loss of that epoch. If that ends the run the closure
    raises ``_EndedError``, before the optimizer has moved anything; a later one (L-BFGS makes many
    an epoch) is torch's to deal with.

    Args:
      goal: the loss at or below which the run ends.

    Attributes:
      losses: one an epoch.
      counts: evaluations in each epoch.
    """

    def __init__(
        self, module: RawAttentionWithTopNeuron, gate: Gate, dtype: torch.dtype, goal: float
    ) -> None:
        self.losses: list[float] = []
        self.counts: list[int] = []
        self._module, self._criterion, self._goal = module, nn.MSELoss(), goal
        self._x = torch.tensor(ROWS, dtype=dtype, device="cpu")
        self._targets = torch.tensor(gate.targets, dtype=dtype, device="cpu").unsqueeze(-1)

    def begin_epoch(self) -> None:
        """The next evaluation is an epoch's first."""
        self.counts.append(0)

    def __call__(self) -> float:
        self._module.zero_grad()
        loss = self._loss()
        value: float = loss.item()
        self.counts[-1] += 1
        if self.counts[-1] == 1:
            self.losses.append(value)
            if not math.isfinite(value) or value <= self._goal:
                raise _EndedError
        loss.backward()  # type: ignore[no-untyped-call]  # torch annotates no backward
        return value

    def gradient_norm(self) -> float:
        """‖∇loss‖ over all parameters, where they are now; not counted."""
        gradients = torch.autograd.grad(self._loss(), list(self._module.parameters()))
        return float(torch.cat([g.flatten() for g in gradients]).norm())

    def _loss(self) -> torch.Tensor:
        loss: torch.Tensor = self._criterion(self._module(self._x), self._targets)
        return loss


def history(training: Training, initial: Params, on_progress: OnProgress | None = None) -> History:
    """Train one seed, keeping every epoch's loss.

    Args:
      training: what to do.
      initial: where to start; float32 scalars.
      on_progress: told of the progress; the sum of what it is told is 1.

    Returns:
      Its arrays and scalars have the training's dtype.

    Raises:
      InputError: the training's numbers make no sense, or its optimizer does not exist.
    """
    checked(training)
    budget, told, stopped_at = training.epochs, 0, NONE
    weights: list[tuple[float, float, float]] = []
    with _one_thread():
        module = _module(initial, _DTYPES[training.precision])
        start = read(module)
        attention = module.raw_attention
        optimizer, schedule = construct(training.optimizer, module.parameters())
        # In the losses' precision, as the threshold is compared everywhere.
        threshold = float(np.dtype(training.precision).type(training.threshold))
        goal = threshold if training.until == "hit" else -math.inf
        evaluation = _Evaluation(module, training.gate, _DTYPES[training.precision], goal)
        for epoch in range(budget):
            weights.append(
                (attention.Wq.weight.item(), attention.Wk.weight.item(), attention.Wv.weight.item())
            )
            evaluation.begin_epoch()
            try:
                optimizer.step(evaluation)
            except _EndedError:
                break
            if isinstance(optimizer, Polyak) and optimizer.stopped:
                stopped_at = epoch
                break
            if schedule is not None:
                schedule.step()
            if on_progress is not None and (epoch + 1) % _TELL == 0:
                on_progress(_TELL / budget)
                told += _TELL
        final, norm = read(module), evaluation.gradient_norm()
    if on_progress is not None and told < budget:
        on_progress((budget - told) / budget)
    wq, wk, wv = np.asarray(weights, training.precision).T
    with np.errstate(over="ignore", invalid="ignore"):  # a run that diverges may overflow here too
        C = wq * wk * wv
    losses = np.asarray(evaluation.losses, training.precision)
    counts = np.asarray(evaluation.counts)
    return History(losses, C, start, final, stopped_at, counts, losses.dtype.type(norm))


def _module(initial: Params, dtype: torch.dtype) -> RawAttentionWithTopNeuron:
    """The module, starting there. Its own draws are made and discarded in a forked generator."""
    with torch.random.fork_rng(devices=[]):
        module = RawAttentionWithTopNeuron().to("cpu", dtype)
    load(module, initial)
    return module


@contextmanager
def _one_thread() -> Iterator[None]:
    """One thread for torch's operations: with six parameters a second one only gets in the way."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
