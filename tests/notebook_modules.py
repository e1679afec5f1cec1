"""The notebook's classes, written down from its description, without this package."""

import torch
from torch import nn


class NotebooksAttention(nn.Module):
    """Raw scores, no softmax, on scalar tokens."""

    def __init__(self):
        super().__init__()
        self.Wq = nn.Linear(1, 1, bias=False)
        self.Wk = nn.Linear(1, 1, bias=False)
        self.Wv = nn.Linear(1, 1, bias=False)

    def forward(self, x):
        x = x.unsqueeze(-1)
        scores = torch.matmul(self.Wq(x), self.Wk(x).transpose(1, 2))
        return torch.matmul(scores, self.Wv(x)).squeeze(-1)


class NotebooksModel(nn.Module):
    """Its readout, on the attended tokens plus the tokens themselves: (N, 2) to (N, 1)."""

    def __init__(self):
        super().__init__()
        self.raw_attention = NotebooksAttention()
        self.attn_out = nn.Linear(2, 1)

    def forward(self, x):
        return self.attn_out(self.raw_attention(x) + x)
