"""One run, epoch by epoch, as the notebook's loop has it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from attnlogic.backend import Batch, OnProgress, Training
from attnlogic.history import History, join, outcome
from attnlogic.outcomes import NONE, Outcome, concatenate
from attnlogic.problems import NO_DATA, OwnModule, Problem
from attnlogic_torch.modules import load, module_for, read
from attnlogic_torch.optimizers import construct, record

DTYPES = {"float32": torch.float32, "float64": torch.float64}

TARGET_PART_SECONDS = 0.5
"""How long the work on one part of a history takes."""


class EndedError(Exception):
    """The run ends with this epoch's loss: it is not finite or, if so asked, it is a hit."""


class Evaluation:
    """The closure that an optimizer steps with: the loss and its gradient, and a record of both.

    The first evaluation of an epoch gives the loss of that epoch. If that ends the run the closure
    raises ``EndedError``, before the optimizer has moved anything; a later one (L-BFGS makes many
    an epoch) is torch's to deal with.

    Args:
      goal: the loss at or below which the run ends.

    Attributes:
      losses: one for each epoch of this part.
      counts: evaluations in each of them.
    """

    def __init__(
        self, module: nn.Module, problem: Problem, dtype: torch.dtype, goal: float
    ) -> None:
        self.losses: list[float] = []
        self.counts: list[int] = []
        self._module, self._parameters = module, list(module.parameters())
        self._loss = partial(loss, problem, module, *rows(problem, dtype))
        self._goal = goal

    def begin_part(self) -> None:
        """Forget the epochs so far."""
        self.losses, self.counts = [], []

    def begin_epoch(self) -> None:
        """The next evaluation is an epoch's first."""
        self.counts.append(0)

    def __call__(self) -> float:
        for parameter in self._parameters:  # the module's own zero_grad looks for them each time
            parameter.grad = None
        loss = self._loss()
        value: float = loss.item()
        self.counts[-1] += 1
        if self.counts[-1] == 1:
            self.losses.append(value)
            if not math.isfinite(value) or value <= self._goal:
                raise EndedError
        loss.backward()  # type: ignore[no-untyped-call]  # torch annotates no backward
        return value

    def gradient_norm(self) -> float:
        """‖∇loss‖ over all parameters, where they are now; not counted."""
        gradients = torch.autograd.grad(
            self._loss(), self._parameters, allow_unused=True, materialize_grads=True
        )
        return float(torch.cat([g.flatten() for g in gradients]).norm())


def rows(
    problem: Problem, dtype: torch.dtype, device: str = "cpu"
) -> tuple[torch.Tensor, torch.Tensor]:
    """The inputs (rows, n) and targets (rows,) of a problem's data."""
    data = problem.data
    x, y = (torch.tensor(v, dtype=dtype, device=device) for v in (data.inputs, data.targets))
    return x, y


def loss(problem: Problem, module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The loss of a module where its parameters are now: mean squared error, or a user's own.

    Args:
      problem: what is trained; its targets do not matter.
      module: the module of its model.
      x, y: inputs (rows, n) and targets (rows,).
    """
    if isinstance(problem.model, OwnModule):
        given = () if problem.data == NO_DATA else (x, y)
        value: torch.Tensor = problem.prepared.loss(module, *given)
        return value
    return nn.functional.mse_loss(module(x), y.unsqueeze(-1))


def history(
    training: Training, initial: npt.NDArray[Any], on_progress: OnProgress | None = None
) -> Iterator[History]:
    """Train one seed, giving its history in parts; see ``Backend.history``.

    Args:
      training: what to do; checked already.
      initial: where to start; packed parameters (P,).
      on_progress: called with shares of the run, which add up to 1 at its end.

    Yields:
      Parts whose arrays and scalars have the training's dtype.
    """
    run, reported = _Run(training, initial), 0.0
    while not run.ended:
        with one_thread(), run.draws():
            part = run.part()
        share = 1 - reported if run.ended else run.epoch / training.epochs - reported
        reported += share
        if on_progress is not None:
            on_progress(share)
        yield part


def train_alone(batch: Batch, on_progress: OnProgress | None = None) -> Outcome:
    """Train the run of a batch that has only one.

    Args:
      batch: the run; checked already.
      on_progress: called with shares of the run, which add up to 1 at its end.

    Returns:
      NumPy leaves (1,).
    """
    training = batch.trainings[batch.which[0]]
    run = join([*history(training, batch.initial[:, 0], on_progress)])
    return concatenate([outcome(run, training.threshold, training.problem)])


class _Run:
    """A run under way.

    Attributes:
      epoch: epochs done.
      ended: whether the budget is spent, or the run has ended by itself.
    """

    def __init__(self, training: Training, initial: npt.NDArray[Any]) -> None:
        self.epoch, self.ended, self._training = 0, False, training
        dtype = np.dtype(training.precision)
        # In the losses' precision, as the threshold is compared everywhere.
        threshold = float(dtype.type(training.threshold))
        goal = threshold if training.until == "hit" else -math.inf
        self._module = module_at(training.problem, initial, DTYPES[training.precision])
        self._initial = read(self._module)
        self._draws = torch.Generator().manual_seed(0).get_state()
        how = record(training.optimizer)
        self._stopped = how.stopped
        self._optimizer, self._schedule = construct(training.optimizer, self._module.parameters())
        self._step = how.stepping(self._optimizer)
        self._evaluation = Evaluation(
            self._module, training.problem, DTYPES[training.precision], goal
        )

    @contextmanager
    def draws(self) -> Iterator[None]:
        """The random numbers of an optimizer or a module that draws some: the same in every run."""
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self._draws)
            yield
            self._draws = torch.get_rng_state()

    def part(self) -> History:
        """Train on for about ``TARGET_PART_SECONDS``, and give the epochs of that time."""
        began, stopped_at = time.perf_counter(), NONE
        evaluation, training = self._evaluation, self._training
        weights, own = list(self._module.parameters()), training.problem.own
        before: list[list[float]] = []
        evaluation.begin_part()
        while not self.ended:
            if own:
                before.append([x for weight in weights for x in weight.flatten().tolist()])
            evaluation.begin_epoch()
            try:
                self._step(evaluation)
            except EndedError:
                self.ended = True
            else:
                if self._stopped(self._optimizer):
                    stopped_at, self.ended = self.epoch, True
                elif self._schedule is not None:
                    self._schedule.step()
            self.epoch += 1
            self.ended = self.ended or self.epoch == training.epochs
            if time.perf_counter() - began >= TARGET_PART_SECONDS:
                break
        with np.errstate(over="ignore", invalid="ignore"):  # a run that diverges may overflow here
            quantities = training.problem.quantities(
                tuple(np.asarray(before, training.precision).T)
            )
        losses = np.asarray(evaluation.losses, training.precision)
        counts = np.asarray(evaluation.counts, np.int32)
        norm = losses.dtype.type(evaluation.gradient_norm())
        return History(
            losses, quantities, self._initial, read(self._module), stopped_at, counts, norm
        )


def module_at(
    problem: Problem, initial: npt.NDArray[Any], dtype: torch.dtype, device: str = "cpu"
) -> nn.Module:
    """The module, starting there. Its own draws are made and discarded in a forked generator."""
    with torch.random.fork_rng(devices=[]):
        module = module_for(problem.model, problem.data.n).to(device, dtype)
    load(module, initial)
    return module


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch's operations: with six parameters a second one only gets in the way."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
