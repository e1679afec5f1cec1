"""How many epochs a call into compiled code trains: few at first, then as time tells."""

from __future__ import annotations

PROBE_EPOCHS = 64
"""Length of the first call, timed to size the next ones."""

MAX_GROWTH = 8
"""How many times longer a call may be than the one before: the first one also compiled."""


def next_epochs(epochs: int, seconds: float, target: float) -> int:
    """The length of the next call, at least 1.

    Args:
      epochs: the length of the call before.
      seconds: how long it took.
      target: how long the next one should take.
    """
    return max(1, min(MAX_GROWTH * epochs, int(epochs * target / max(seconds, 1e-9))))
