"""Another package's optimizer, tried: it is known by what it does alone."""

from __future__ import annotations

import functools
import math
from contextlib import suppress
from typing import Any

import torch
from torch import nn

from attnlogic.backend import Training
from attnlogic.errors import InputError
from attnlogic.optimizers import Optimizer
from attnlogic.outside import users_code
from attnlogic.problems import Problem
from attnlogic_torch.foreign import stepping
from attnlogic_torch.optimizers import construct
from attnlogic_torch.training import DTYPES, EndedError, Evaluation, module_at

TRIED_EPOCHS = 2
"""Steps that are tried: the second one finds the state that the first one left."""


def try_optimizer(training: Training) -> None:
    """Step on a module that is thrown away.

    Raises:
      InputError: the optimizer refuses these parameters or gradients, never evaluates the loss, or
        changes the parameters' shapes or types.
    """
    _try(training.optimizer, training.problem, training.precision)


@functools.lru_cache(4096)
def _try(optimizer: Optimizer, problem: Problem, precision: str) -> None:
    what, dtype = f"optimizer '{optimizer.name}'", DTYPES[precision]
    with torch.random.fork_rng(devices=[]):
        module = module_at(problem, problem.initial(0), dtype)
        made, _ = construct(optimizer, module.parameters())
        evaluation = Evaluation(module, problem, dtype, goal=-math.inf)
        before, step = _form(module), stepping(made)
        for _ in range(TRIED_EPOCHS):
            evaluation.begin_epoch()
            with users_code(f"{what}: its step"), suppress(EndedError):
                step(evaluation)
            if not evaluation.counts[-1]:
                raise InputError(
                    f"{what} takes a closure in its step and never calls it: the loss is not "
                    "evaluated"
                )
            if _form(module) != before:
                raise InputError(f"{what} changes the shapes or types of the parameters")


def _form(module: nn.Module) -> list[Any]:
    return [(tuple(p.shape), p.dtype) for p in module.parameters()]
