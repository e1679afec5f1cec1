"""attnlogic's PyTorch backend: the notebook's own modules, one seed at a time."""

from attnlogic_torch.modules import RawAttention, RawAttentionWithTopNeuron
from attnlogic_torch.seeds import backend

__all__ = ["RawAttention", "RawAttentionWithTopNeuron", "backend"]
