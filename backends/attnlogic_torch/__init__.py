"""attnlogic's PyTorch backend: the models' own modules, many seeds at once."""

from attnlogic_torch.backend import PLAIN, TORCH
from attnlogic_torch.model import RawAttention, RawAttentionWithTopNeuron

__all__ = ["PLAIN", "TORCH", "RawAttention", "RawAttentionWithTopNeuron"]
