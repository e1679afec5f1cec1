"""Polyak's step as an optimizer of torch's kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor


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

    Example:
      >>> x = torch.tensor([3.0, 4.0], requires_grad=True)
      >>> optimizer = Polyak([x])
      >>> def closure():
      ...     optimizer.zero_grad()
      ...     loss = x.square().sum()
      ...     loss.backward()
      ...     return loss.item()
      >>> optimizer.step(closure), x.tolist()  # Newton's step for a double root goes half the way
      (25.0, [1.5, 2.0])

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


class StackedPolyak(torch.optim.Optimizer):
    """Polyak's step on many runs at once, each of which has a row of one parameter.

    Args:
      params: one parameter, (N, P).
      f_min, tolerance: as in ``Polyak``.

    Attributes:
      stopped: of which runs the last step found ‖g‖² < tolerance, and so moved nothing; (N,).

    Example:
      >>> x = torch.tensor([[3.0, 4.0], [0.0, 0.0]], requires_grad=True)
      >>> optimizer, losses = StackedPolyak([x]), x.detach().square().sum(1)
      >>> x.grad = 2 * x.detach()
      >>> _ = optimizer.step(lambda: losses)
      >>> x.tolist(), optimizer.stopped.tolist()
      ([[1.5, 2.0], [0.0, 0.0]], [False, True])
    """

    stopped: Tensor

    def __init__(self, params: Iterable[Any], f_min: float = 0.0, tolerance: float = 1e-12) -> None:
        super().__init__(params, {"f_min": f_min, "tolerance": tolerance})

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor]) -> Tensor:  # type: ignore[override]
        """Move once by the gradients that are there.

        Args:
          closure: returns the losses, (N,).
        """
        losses, (group,) = closure(), self.param_groups
        (p,) = group["params"]
        square = p.grad.square().sum(1)
        self.stopped = square < group["tolerance"]
        rate = ((losses - group["f_min"]) / square).masked_fill(self.stopped, 0)
        p.sub_(rate[:, None] * p.grad)
        return losses
