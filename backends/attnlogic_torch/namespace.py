"""torch as the array namespace of a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


class Torch:
    """torch's functions, by NumPy's names; ``maximum`` and ``minimum`` take plain numbers too."""

    @staticmethod
    def maximum(a: Any, b: Any) -> Tensor:
        """The larger of two, entry by entry; one of them is a tensor."""
        return torch.maximum(*_tensors(a, b))

    @staticmethod
    def minimum(a: Any, b: Any) -> Tensor:
        """The smaller of two, entry by entry; one of them is a tensor."""
        return torch.minimum(*_tensors(a, b))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """torch's function of that name."""
        function: Callable[..., Any] = getattr(torch, name)
        return function


def _tensors(a: Any, b: Any) -> tuple[Tensor, Tensor]:
    """Both as tensors of the dtype and device of the one that is a tensor already."""
    if not isinstance(a, Tensor):
        return torch.as_tensor(a, dtype=b.dtype, device=b.device), b
    return a, torch.as_tensor(b, dtype=a.dtype, device=a.device)


TORCH = Torch()
"""The functions for torch's tensors."""
