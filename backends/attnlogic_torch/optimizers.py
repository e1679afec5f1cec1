"""The optimizers of ``attnlogic.optimizers`` as torch's own, and the one that torch has not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim.lr_scheduler import ExponentialLR

from attnlogic.errors import unknown
from attnlogic.optimizers import Optimizer


class Polyak(torch.optim.Optimizer):
    """Polyak's step on all parameters at once: ``x ← x - (loss - f_min)/‖g‖² · g``.

    The notebook's "Newton on the loss": Newton's method for ``loss = f_min`` along the gradient.

    Args:
      params: the parameters, in one group.
      f_min: the loss that is aimed at.
      tolerance: once ‖g‖² is below it nothing moves any more.

    Attributes:
      stopped: whether the last step found ‖g‖² < tolerance, and so moved nothing.

    Raises:
      ValueError: more than one group of parameters; the norm is over all of them.

    Reference: Polyak, "Introduction to Optimization", 1987, section 5.3.
    """

    def __init__(self, params: Iterable[Any], f_min: float = 0.0, tolerance: float = 1e-12) -> None:
        super().__init__(params, {"f_min": f_min, "tolerance": tolerance})
        self.stopped = False
        if len(self.param_groups) != 1:
            raise ValueError(f"Polyak takes one parameter group, got {len(self.param_groups)}")

    @torch.no_grad()
    def step(self, closure: Callable[[], float]) -> float:  # type: ignore[override]
        """Evaluate once and move once; returns the loss before the move.

        Args:
          closure: clears the gradients, computes the loss and the gradients, returns the loss.
        """
        with torch.enable_grad():
            loss = closure()
        group = self.param_groups[0]
        moving = [p for p in group["params"] if p.grad is not None]
        square: Tensor = sum(p.grad.square().sum() for p in moving)
        self.stopped = bool(square < group["tolerance"])
        if not self.stopped:
            # As tensors: torch divides a float by a tensor through the reciprocal, rounding twice.
            rate = (torch.as_tensor(loss, dtype=square.dtype) - group["f_min"]) / square
            for p in moving:
                p.sub_(rate * p.grad)
        return loss


def _adam(kind: Callable[..., torch.optim.Optimizer]) -> Callable[..., torch.optim.Optimizer]:
    """torch takes Adam's two betas as one."""
    return lambda params, *, beta1, beta2, **rest: kind(params, betas=(beta1, beta2), **rest)


_CONSTRUCTORS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": _adam(torch.optim.Adam),
    "adamw": _adam(torch.optim.AdamW),
    "sgd": torch.optim.SGD,
    "lbfgs": torch.optim.LBFGS,
    "polyak": Polyak,
}


def check(optimizer: Optimizer) -> None:
    """Refuse what ``construct`` cannot make.

    Raises:
      InputError: an optimizer outside ``attnlogic.optimizers.FAMILIES``.
    """
    if optimizer.name not in _CONSTRUCTORS:
        raise unknown("optimizer of the torch backend", optimizer.name, _CONSTRUCTORS)


def construct(
    optimizer: Optimizer, params: Iterable[Tensor]
) -> tuple[torch.optim.Optimizer, ExponentialLR | None]:
    """The optimizer on these parameters, and its schedule, to be stepped once an epoch.

    The schedule is None where the rate stays what it is: stepping it would cost and change nothing.

    Raises:
      InputError: as ``check``.
    """
    check(optimizer)
    settings = optimizer.settings
    gamma = settings.pop("gamma", 1.0)
    constructed = _CONSTRUCTORS[optimizer.name](params, **settings)
    return constructed, None if gamma == 1 else ExponentialLR(constructed, gamma)
