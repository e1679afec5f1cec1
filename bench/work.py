"""What a contender is asked for, and what it answers.

Optimizers come with their default hyperparameters: contenders know no others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from attnlogic.backend import Training

MIB = 2**20

Starts = npt.NDArray[np.float32]
"""Where runs start: packed parameters (P, N)."""


class SkippedError(Exception):
    """A contender that cannot do this work, here; the message says why."""


class DisagreementError(Exception):
    """A contender does not reach the threshold as attnlogic does: its time would mean nothing."""


class Result(NamedTuple):
    """What one repetition gives.

    Attributes:
      first_hit: the first epoch whose loss ≤ threshold, -1 for none; shape (N,).
      evaluations: of loss and gradient, over all seeds.
    """

    first_hit: npt.NDArray[Any]
    evaluations: int


class Contender(NamedTuple):
    """A way to train seeds.

    Attributes:
      name: what the table calls it.
      prepare: ``prepare(training, initial)`` gives the function that is timed: each call trains the
        seeds anew, on float32. It raises ``SkippedError``.
      seeds, epochs: limits, for a contender that would take minutes; None for all of the work.
    """

    name: str
    prepare: Callable[[Training, Starts], Callable[[], Result]]
    seeds: int | None = None
    epochs: int | None = None
