"""The numbers of trainings of one kind, as data for compiled code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from attnlogic.backend import Training
from attnlogic_jax.groups import Given
from attnlogic_jax.optimizers import numbers

NO_NUMBERS: Mapping[str, npt.NDArray[Any]] = MappingProxyType({})
"""Where all seeds of a group have the same numbers."""


def given(
    trainings: Sequence[Training], each: Mapping[str, npt.NDArray[Any]] = NO_NUMBERS
) -> Given:
    """The numbers of G groups of seeds.

    Args:
      trainings: one a group; all of one kind.
      each: numbers that every seed has for itself, in place of its training's: (n, G).

    Returns:
      NumPy leaves (G,), or (n, G), of the trainings' dtype.
    """
    dtype, which = np.dtype(trainings[0].precision), conditions(trainings)
    few = [trainings[group] for group in np.unique(which, return_index=True)[1]]
    targets = np.asarray([training.problem.data.targets for training in few], dtype)[which]
    by_training = [numbers(training.optimizer) for training in few]
    return Given(
        targets=tuple(targets.T),
        numbers={
            name: np.asarray(
                [n[name] for n in by_training], np.int32 if isinstance(number, int) else dtype
            )[which]
            for name, number in by_training[0].items()
        }
        | {name: values.astype(dtype) for name, values in each.items()},
        threshold=np.full(len(trainings), trainings[0].threshold, dtype),
    )


def conditions(trainings: Sequence[Training]) -> npt.NDArray[np.intp]:
    """A number for the training of each group, from 0: the same for one object; (G,)."""
    place: dict[int, int] = {}  # by identity: to compare trainings takes long
    return np.array([place.setdefault(id(training), len(place)) for training in trainings])
