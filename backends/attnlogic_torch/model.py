"""The notebook's modules: the same names, shapes and order of random draws.

A ``state_dict`` of the notebook loads into them, and constructing ``RawAttentionWithTopNeuron``
after ``torch.manual_seed(s)`` gives the parameters of ``initial_params(s)``.
"""

from __future__ import annotations

from torch import Tensor, nn


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
      >>> import torch
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
