"""Other packages' optimizers on this backend: classes derived from torch's, by name or as objects.

A training is checked by one step on a module that is thrown away: a constructor or a step that
refuses these parameters does so there, and its words are passed on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from attnlogic import optimizers
from attnlogic.errors import InputError, described
from attnlogic.optimizers import Optimizer, Schedule
from attnlogic.outside import takes, users_code

Closure = Callable[[], float]
"""Clears the gradients, computes the loss and the gradients, and returns the loss."""


def constructor(optimizer: Optimizer) -> tuple[Callable[[Any], Any], Schedule]:
    """What makes the optimizer from parameters, its settings bound, and its schedule.

    A name stands for a class, for a function of the parameters, or for a function that returns one
    of these two.

    Raises:
      InputError: it cannot be had, has other arguments, raises, or is optax's.
    """
    what, settings = f"optimizer '{optimizer.name}'", optimizer.settings
    by_optax = f"{what} is optax's, and this is the torch backend: use --backend jax"
    if (optimizer.source or "").partition(".")[0] == "optax":
        raise InputError(by_optax)
    found = optimizers.factory_of(optimizer)
    if optimizers.is_transformation(found):
        raise InputError(by_optax)
    if not callable(found):
        raise InputError(f"{what}: expected a torch optimizer's class, got {described(found)}")
    if optimizers.is_made_by_torch(found) or optimizers.missing_arguments(found, settings):
        called = optimizers.call_of(optimizer, found, given=1)
        return functools.partial(_positional, found, called.settings), called.schedule
    called = optimizers.call_of(optimizer, found)
    with users_code(f"optimizer '{optimizer}'"):
        made = found(**called.settings)
    if optimizers.is_transformation(made):
        raise InputError(by_optax)
    if not callable(made):
        raise InputError(
            f"{what}: expected a torch optimizer's class, or a function that makes one from "
            f"parameters, got {described(made)}"
        )
    return made, called.schedule


def _positional(found: Callable[..., Any], settings: dict[str, Any], params: Any) -> Any:
    return found(params, **settings)


def construct(
    optimizer: Optimizer, params: Iterable[Tensor]
) -> tuple[torch.optim.Optimizer, Schedule]:
    """The optimizer on these parameters, and its schedule.

    Raises:
      InputError: as ``constructor``; or it refuses these parameters, or is no torch optimizer.
    """
    make, schedule = constructor(optimizer)
    with users_code(f"optimizer '{optimizer}'"):
        made = make(list(params))
    if not isinstance(made, torch.optim.Optimizer):
        raise InputError(
            f"optimizer '{optimizer.name}': expected a torch.optim.Optimizer, got {described(made)}"
        )
    if schedule.structure and not all("lr" in group for group in made.param_groups):
        raise InputError(
            f"optimizer '{optimizer.name}': a schedule changes its lr, and it has none: "
            "leave schedule, warmup and gamma out"
        )
    if schedule.structure and isinstance(made, torch.optim.Rprop):
        raise InputError(
            f"optimizer '{optimizer.name}': its lr is the size of the first step alone, which no "
            "schedule changes: leave schedule, warmup and gamma out"
        )
    if callable(train := getattr(made, "train", None)):
        train()  # a schedule-free one has its parameters for training, and others for evaluation
    return made, schedule


def stepping(optimizer: torch.optim.Optimizer) -> Callable[[Closure], Any]:
    """``optimizer.step(closure)``, also where ``step`` takes no closure: then it is called before.

    The closure that it sees returns the loss as a tensor, as torch's own examples have it.
    """
    dtype = optimizer.param_groups[0]["params"][0].dtype
    one_step: Callable[..., Any] = optimizer.step
    takes_closure = takes(one_step, 1)

    def step(closure: Closure) -> Any:
        if takes_closure:
            return one_step(lambda: torch.as_tensor(closure(), dtype=dtype))
        closure()
        return one_step()

    return step
