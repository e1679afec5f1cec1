"""attnlogic's PyTorch backend: the notebook's own modules, one seed at a time."""

from attnlogic_torch.backend import TORCH
from attnlogic_torch.model import RawAttention, RawAttentionWithTopNeuron

__all__ = ["TORCH", "RawAttention", "RawAttentionWithTopNeuron"]
