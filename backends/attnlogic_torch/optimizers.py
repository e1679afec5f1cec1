"""The optimizers of ``attnlogic.optimizers`` as torch's own: one record each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim.lr_scheduler import ExponentialLR, LambdaLR, LRScheduler

from attnlogic.errors import unknown
from attnlogic.optimizers import Optimizer, factor
from attnlogic_torch.polyak import Polyak


@dataclass(frozen=True)
class TorchOptimizer:
    """How this backend builds an optimizer.

    Attributes:
      build: from the parameters and the hyperparameters but the schedule's, to torch's optimizer.
      elementwise: whether a parameter's step depends on that parameter's gradients alone.
      stopped: whether the optimizer's own rule ended the run with the last step; most have none.
    """

    build: Callable[..., torch.optim.Optimizer]
    elementwise: bool
    stopped: Callable[[Any], bool] = lambda _: False


def _with_betas(kind: Callable[..., torch.optim.Optimizer]) -> Callable[..., torch.optim.Optimizer]:
    """torch takes Adam's two betas as one."""

    def build(params: Any, *, beta1: float, beta2: float, **rest: Any) -> torch.optim.Optimizer:
        return kind(params, betas=(beta1, beta2), **rest)

    return build


TORCH_OPTIMIZERS: dict[str, TorchOptimizer] = {
    "adam": TorchOptimizer(_with_betas(torch.optim.Adam), elementwise=True),
    "adamw": TorchOptimizer(_with_betas(torch.optim.AdamW), elementwise=True),
    "sgd": TorchOptimizer(torch.optim.SGD, elementwise=True),
    "lbfgs": TorchOptimizer(torch.optim.LBFGS, elementwise=False),
    "polyak": TorchOptimizer(Polyak, elementwise=False, stopped=lambda it: it.stopped),
}
"""How each optimizer is built, by its name in ``attnlogic.optimizers``."""


def record(optimizer: Optimizer) -> TorchOptimizer:
    """How this backend builds an optimizer.

    Raises:
      InputError: it has none of that name.
    """
    if optimizer.name not in TORCH_OPTIMIZERS:
        raise unknown("optimizer of the torch backend", optimizer.name, TORCH_OPTIMIZERS)
    return TORCH_OPTIMIZERS[optimizer.name]


def construct(
    optimizer: Optimizer, params: Iterable[Tensor]
) -> tuple[torch.optim.Optimizer, LRScheduler | None]:
    """The optimizer on these parameters, and its schedule, to be stepped once an epoch.

    The schedule is None where the rate stays what it is: stepping it would cost and change nothing.

    Raises:
      InputError: see ``record``.
    """
    built = record(optimizer).build(params, **optimizer.step_settings)
    schedule = optimizer.schedule
    match schedule.structure:
        case ():
            return built, None
        case ("exponential",):  # the notebook's, bit for bit
            return built, ExponentialLR(built, float(dict(schedule.values)["gamma"]))
    return built, LambdaLR(built, lambda epoch: float(factor(schedule, epoch, np)))
