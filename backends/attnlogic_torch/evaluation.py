"""The losses of many seeds and their gradients at once: ``torch.func`` on the model's module."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, vmap

from attnlogic.problems import Problem
from attnlogic_torch.training import DTYPES, loss, module_at, rows

Evaluate = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""From packed parameters (N, P) and targets (N, rows) to gradients (N, P) and losses (N,)."""


class Loss(nn.Module):
    """A model's loss as a module, so that parameters can be put into it."""

    def __init__(self, problem: Problem, module: nn.Module, x: Tensor) -> None:
        super().__init__()
        self.module, self._problem, self._x = module, problem, x

    def forward(self, y: Tensor) -> Tensor:
        """The loss for targets (rows,), a scalar."""
        return loss(self._problem, self.module, self._x, y)


def evaluation(problem: Problem, dtype: torch.dtype, device: str) -> Evaluate:
    """The losses and gradients of many seeds.

    Args:
      problem: the model, and the inputs of its data. Targets are arguments.
      dtype, device: those of everything.
    """
    module = module_at(problem, np.zeros(len(problem.names)), dtype, device)
    computed = Loss(problem, module, rows(problem, dtype, device)[0])
    shapes = {f"module.{name}": p.shape for name, p in module.named_parameters()}
    sizes = [shape.numel() for shape in shapes.values()]

    def one(packed: Tensor, y: Tensor) -> Tensor:
        parts = torch.split(packed, sizes)
        params = {
            name: part.view(shape)
            for (name, shape), part in zip(shapes.items(), parts, strict=True)
        }
        value: Tensor = functional_call(computed, params, (y,))
        return value

    every: Evaluate = vmap(grad_and_value(one))
    return every


TRIED = 1e-3
"""How much losses and gradients of one seed alone and among others may differ where a module is
tried, relative and absolute. Rounding differs by 1e-6 at most in float32; a module for which
``vmap`` computes something else differs by more."""


@lru_cache(1024)
def why_alone(problem: Problem, precision: str, device: str) -> str | None:
    """Why seeds of a problem are trained one at a time, in words; None if they need not be.

    A module of a user's own may do what ``torch.func.vmap`` refuses, such as to branch on a value.
    """
    dtype, starts = DTYPES[precision], problem.initial([0, 1])
    try:
        packed = torch.tensor(starts.T, dtype=dtype, device=device)
        x, y = rows(problem, dtype, device)
        together = evaluation(problem, dtype, device)(packed, y.expand(2, -1))
    except Exception as error:
        return (str(error).strip().splitlines() or [type(error).__name__])[0]
    for k, start in enumerate(starts.T):
        module = module_at(problem, start, dtype, device)
        alone = loss(problem, module, x, y)
        gradients = torch.autograd.grad(alone, list(module.parameters()), allow_unused=True)
        if any(gradient is None for gradient in gradients):  # a step of torch's then skips it
            return "its loss does not depend on all parameters"
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        for one, other in ((together[0][k], flat), (together[1][k], alone.detach())):
            if not torch.allclose(one, other, rtol=TRIED, atol=TRIED, equal_nan=True):
                return "with torch.func.vmap it has another loss or gradient"
    return None
