"""torch as the array namespace of a model."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from attnlogic.problems import FUNCTIONS


def _of_tensors(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Any, Any], Tensor]:
    """A torch function of two tensors, either of which may be a plain number."""

    def of_numbers(a: Any, b: Any) -> Tensor:
        if not isinstance(a, Tensor):
            a = torch.as_tensor(a, dtype=b.dtype, device=b.device)
        if not isinstance(b, Tensor):
            b = torch.as_tensor(b, dtype=a.dtype, device=a.device)
        return function(a, b)

    return of_numbers


TORCH = SimpleNamespace(
    **{name: getattr(torch, name) for name in FUNCTIONS if name not in ("maximum", "minimum")},
    maximum=_of_tensors(torch.maximum),
    minimum=_of_tensors(torch.minimum),
)
"""What a model calls, for torch's tensors: ``maximum`` and ``minimum`` take plain numbers too."""
