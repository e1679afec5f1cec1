"""The numbers of trainings of one kind, as data for compiled code."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attnlogic.backend import Training
from attnlogic.optimizers import numbers
from attnlogic_jax.groups import Given


def given(trainings: Sequence[Training]) -> Given:
    """The numbers of G groups of seeds.

    Args:
      trainings: one a group; all of one kind.

    Returns:
      NumPy leaves (G,) of the trainings' dtype, the threshold ().
    """
    dtype = np.dtype(trainings[0].precision)
    targets = np.asarray([training.problem.data.targets for training in trainings], dtype)
    by_training = [numbers(training.optimizer) for training in trainings]
    return Given(
        targets=tuple(targets.T),
        numbers={
            name: np.asarray([n[name] for n in by_training], dtype) for name in by_training[0]
        },
        threshold=np.asarray(trainings[0].threshold, dtype),
    )
