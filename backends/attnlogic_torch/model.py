"""The notebook's modules: the same names, shapes and order of random draws.

A ``state_dict`` of the notebook loads into them, and constructing ``RawAttentionWithTopNeuron``
after ``torch.manual_seed(s)`` gives the parameters of ``initial_params(s)``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from attnlogic.problems import Problem


class RawAttention(nn.Module):
    """Attention on scalar tokens, neither scaled nor through a softmax: ``(Q Kᵀ) V``."""

    def __init__(self) -> None:
        super().__init__()
        self.Wq = nn.Linear(1, 1, bias=False)
        self.Wk = nn.Linear(1, 1, bias=False)
        self.Wv = nn.Linear(1, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Attended tokens, (batch, tokens), from tokens of that shape and the weights' dtype."""
        tokens = x.unsqueeze(-1)
        Q, K, V = self.Wq(tokens), self.Wk(tokens), self.Wv(tokens)  # each (batch, tokens, 1)
        scores = Q @ K.transpose(-2, -1)  # (batch, tokens, tokens)
        attended: Tensor = scores @ V
        return attended.squeeze(-1)


class RawAttentionWithTopNeuron(nn.Module):
    """The whole model: raw attention on two tokens, a residual, and a linear neuron on top.

    Example:
      >>> _ = torch.manual_seed(0)
      >>> module = RawAttentionWithTopNeuron()
      >>> module(torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])).shape
      torch.Size([4, 1])
    """

    def __init__(self) -> None:
        super().__init__()
        self.raw_attention = RawAttention()
        self.attn_out = nn.Linear(2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The output, (batch, 1), from two tokens a row, (batch, 2), of the weights' dtype."""
        out: Tensor = self.attn_out(self.raw_attention(x) + x)
        return out


def module_for(problem: Problem) -> nn.Module:
    """The module of a problem's model, freshly drawn."""
    return RawAttentionWithTopNeuron()


def load(module: nn.Module, packed: npt.NDArray[Any]) -> None:
    """Put numbers, (P,), into the module, whose dtype and device stay what they are."""
    like = next(module.parameters())
    vector = torch.tensor(np.asarray(packed), dtype=like.dtype, device=like.device)
    vector_to_parameters(vector, module.parameters())


def read(module: nn.Module) -> npt.NDArray[Any]:
    """The module's numbers, (P,), of its dtype.

    Example:
      >>> from attnlogic.problems import problem
      >>> module, start = RawAttentionWithTopNeuron(), problem("xor").initial(3)
      >>> load(module, start)
      >>> bool((read(module) == start).all())
      True
    """
    found: npt.NDArray[Any] = parameters_to_vector(module.parameters()).detach().cpu().numpy()
    return found
