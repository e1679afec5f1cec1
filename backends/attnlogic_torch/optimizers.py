"""The optimizers of ``attnlogic.optimizers`` as torch's own: one record each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim.lr_scheduler import ExponentialLR, LambdaLR, LRScheduler

from attnlogic.errors import unknown
from attnlogic.optimizers import Optimizer, Schedule, factor, factory_of
from attnlogic_torch import foreign
from attnlogic_torch.polyak import Polyak, StackedPolyak


@dataclass(frozen=True)
class TorchOptimizer:
    """How this backend builds an optimizer.

    Attributes:
      build: from the parameters and the hyperparameters but the schedule's, to torch's optimizer.
      elementwise: whether a parameter's step depends on that parameter's gradients alone.
      stopped: whether the optimizer's own rule ended the run with the last step; most have none.
      stepping: from the optimizer to its step, a function of the closure.
      build_stacked: as ``build``, from one parameter (N, P) whose rows are runs of their own; None
        where there is none but ``build``.
    """

    build: Callable[..., torch.optim.Optimizer]
    elementwise: bool
    stopped: Callable[[Any], bool] = lambda _: False
    stepping: Callable[[Any], Callable[[Any], Any]] = lambda optimizer: optimizer.step
    build_stacked: Callable[..., torch.optim.Optimizer] | None = None

    @property
    def stacks(self) -> bool:
        """Whether one optimizer can step the parameters of many runs."""
        return self.elementwise or self.build_stacked is not None


Build = Callable[..., torch.optim.Optimizer]


def _paired(build: Build, **pairs: tuple[str, str]) -> Build:
    """torch takes some hyperparameters two at a time, such as Adam's betas."""

    def paired(params: Any, **settings: Any) -> torch.optim.Optimizer:
        both = {pair: tuple(settings.pop(name) for name in names) for pair, names in pairs.items()}
        return build(params, **both, **settings)

    return paired


def _with_betas(build: Build) -> Build:
    return _paired(build, betas=("beta1", "beta2"))


def _nadam(params: Iterable[Tensor], **settings: Any) -> torch.optim.Optimizer:
    """torch's NAdam, whose product of μ has the parameters' precision.

    torch makes it of its default dtype: float32 within a training in float64.
    """
    params = list(params)
    optimizer = torch.optim.NAdam(params, **settings)
    for p in params:
        optimizer.state[p] = {
            "step": torch.tensor(0.0),
            "mu_product": torch.ones((), dtype=p.dtype),
            "exp_avg": torch.zeros_like(p),
            "exp_avg_sq": torch.zeros_like(p),
        }
    return optimizer


def _asgd(params: Iterable[Tensor], **settings: Any) -> torch.optim.Optimizer:
    """torch's ASGD, whose rate eta has the parameters' precision; see ``_nadam``."""
    params = list(params)
    optimizer = torch.optim.ASGD(params, **settings)
    for p in params:
        optimizer.state[p] = {
            "step": torch.tensor(0.0),
            "eta": torch.tensor(settings["lr"], dtype=p.dtype),
            "mu": torch.tensor(1.0),
            "ax": torch.zeros_like(p),
        }

    def set_eta(*_: Any) -> None:
        (group,) = optimizer.param_groups
        for p in params:
            state, lr = optimizer.state[p], group["lr"]
            eta = lr / (1 + group["lambd"] * lr * state["step"].item()) ** group["alpha"]
            state["eta"] = torch.tensor(eta, dtype=p.dtype)

    optimizer.register_step_post_hook(set_eta)
    return optimizer


def _lbfgs(params: Iterable[Tensor], *, line_search: str, **rest: Any) -> torch.optim.Optimizer:
    search = None if line_search == "none" else line_search
    return torch.optim.LBFGS(params, line_search_fn=search, **rest)


_rprop = _paired(
    torch.optim.Rprop,
    etas=("eta_minus", "eta_plus"),
    step_sizes=("step_size_min", "step_size_max"),
)

TORCH_OPTIMIZERS: dict[str, TorchOptimizer] = {
    "adam": TorchOptimizer(_with_betas(torch.optim.Adam), elementwise=True),
    "adamw": TorchOptimizer(_with_betas(torch.optim.AdamW), elementwise=True),
    "amsgrad": TorchOptimizer(
        partial(_with_betas(torch.optim.Adam), amsgrad=True), elementwise=True
    ),
    "nadam": TorchOptimizer(_with_betas(_nadam), elementwise=True),
    "nadamw": TorchOptimizer(
        partial(_with_betas(_nadam), decoupled_weight_decay=True), elementwise=True
    ),
    "radam": TorchOptimizer(_with_betas(torch.optim.RAdam), elementwise=True),
    "adamax": TorchOptimizer(_with_betas(torch.optim.Adamax), elementwise=True),
    "sgd": TorchOptimizer(torch.optim.SGD, elementwise=True),
    "asgd": TorchOptimizer(_asgd, elementwise=True),
    "rprop": TorchOptimizer(_rprop, elementwise=True),
    "rmsprop": TorchOptimizer(torch.optim.RMSprop, elementwise=True),
    "adagrad": TorchOptimizer(torch.optim.Adagrad, elementwise=True),
    "adadelta": TorchOptimizer(torch.optim.Adadelta, elementwise=True),
    "lbfgs": TorchOptimizer(_lbfgs, elementwise=False),
    "polyak": TorchOptimizer(
        Polyak, elementwise=False, stopped=lambda it: it.stopped, build_stacked=StackedPolyak
    ),
}
"""How each optimizer is built, by its name in ``attnlogic.optimizers``."""


ELEMENTWISE = (
    torch.optim.Adadelta,
    torch.optim.Adagrad,
    torch.optim.Adam,
    torch.optim.AdamW,
    torch.optim.Adamax,
    torch.optim.ASGD,
    torch.optim.NAdam,
    torch.optim.RAdam,
    torch.optim.RMSprop,
    torch.optim.Rprop,
    torch.optim.SGD,
)
"""torch's own classes whose steps of a parameter depend on that parameter's gradients alone."""


def _foreign(optimizer: Optimizer) -> TorchOptimizer:
    """The record of another package's optimizer."""
    make, _ = foreign.constructor(optimizer)
    found = factory_of(optimizer)
    while isinstance(found, partial):
        found = found.func
    elementwise = any(found is known for known in ELEMENTWISE)
    return TorchOptimizer(make, elementwise, stepping=foreign.stepping)


def record(optimizer: Optimizer) -> TorchOptimizer:
    """How this backend builds an optimizer.

    Raises:
      InputError: it has none of that name; or as ``foreign.constructor``.
    """
    if optimizer.source is not None:
        return _foreign(optimizer)
    if optimizer.name not in TORCH_OPTIMIZERS:
        raise unknown("optimizer of the torch backend", optimizer.name, TORCH_OPTIMIZERS)
    return TORCH_OPTIMIZERS[optimizer.name]


def construct(
    optimizer: Optimizer, params: Iterable[Tensor]
) -> tuple[torch.optim.Optimizer, LRScheduler | None]:
    """The optimizer on these parameters, and its schedule, to be stepped once an epoch.

    The schedule is None where the rate stays what it is: stepping it would cost and change nothing.

    Raises:
      InputError: see ``record``, and ``foreign.construct``.
    """
    if optimizer.source is not None:
        built, schedule = foreign.construct(optimizer, params)
    else:
        built = record(optimizer).build(params, **optimizer.step_settings)
        schedule = optimizer.schedule
    return built, scheduler(built, schedule)


def construct_stacked(
    optimizer: Optimizer, parameter: Tensor
) -> tuple[torch.optim.Optimizer, LRScheduler | None]:
    """As ``construct``, on one parameter (N, P) whose rows are runs of their own.

    Args:
      optimizer: one whose record ``stacks``.
      parameter: a leaf.
    """
    how = record(optimizer)
    if how.build_stacked is None:
        return construct(optimizer, [parameter])
    built = how.build_stacked([parameter], **optimizer.step_settings)
    return built, scheduler(built, optimizer.schedule)


def scheduler(built: torch.optim.Optimizer, schedule: Schedule) -> LRScheduler | None:
    """torch's, to be stepped once an epoch; None where the rate stays what it is."""
    match schedule.structure:
        case ():
            return None
        case ("exponential",):  # the notebook's, bit for bit
            return ExponentialLR(built, float(dict(schedule.values)["gamma"]))
    return LambdaLR(built, lambda epoch: float(factor(schedule, epoch, np)))
