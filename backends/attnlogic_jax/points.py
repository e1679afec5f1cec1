"""Runs with settings of their own: a number that differs from run to run is an array.

What the compiled code takes of a setting is computed once for each of its values, in float64, as it
is for a condition.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from attnlogic.backend import Batch, Finished, OnProgress, Points
from attnlogic.errors import InputError
from attnlogic.optimizers import Optimizer
from attnlogic_jax import parallel
from attnlogic_jax.optimizers import numbers, structure


def train(points: Points, on_progress: OnProgress | None = None) -> Iterator[Finished]:
    """Train each run; see ``PointBackend.train_points``."""
    each = numbers_of_runs(points.training.optimizer, points.settings)
    which = np.zeros(points.initial.shape[1], np.int32)
    batch = Batch((points.training,), which, points.initial)
    return parallel.train(batch, on_progress, each=each)


def numbers_of_runs(
    base: Optimizer, settings: Mapping[str, npt.NDArray[Any]]
) -> dict[str, npt.NDArray[np.float64]]:
    """The numbers that differ from run to run.

    Args:
      base: the optimizer, with every feature switched on that some run has.
      settings: those of each run, (N,).

    Returns:
      The numbers of ``optimizers.numbers`` that are not the same for all: (N,) each.

    Raises:
      InputError: a setting is compiled in, or a number depends on two of the settings.
    """
    how, alike = structure(base), numbers(base)
    found, at_last, last = {}, dict(alike), {}
    for key, values in settings.items():
        several, which = np.unique(values, return_inverse=True)
        _check_data(base, key, several[[0, -1]])
        rows = [numbers(_with(base, {key: value}), how) for value in several.tolist()]
        if rows[0].keys() | rows[-1].keys() != alike.keys():
            raise InputError(f"{base} has {key} switched off, and some runs have it: switch it on")
        last[key] = several[-1]
        for name, same in alike.items():
            column = np.array([row[name] for row in rows], np.float64)
            if (column != same).any():
                if name in found:
                    raise _depends_on_several(base, settings)
                found[name] = column[which]
                at_last[name] = column[-1]
    if numbers(_with(base, last), how) != at_last:
        raise _depends_on_several(base, settings)
    return found


def _with(base: Optimizer, settings: Mapping[str, Any]) -> Optimizer:
    changed = {key: float(value) for key, value in settings.items()}
    return Optimizer(base.name, tuple((base.settings | changed).items()), base.of)


def _check_data(base: Optimizer, key: str, ends: npt.NDArray[Any]) -> None:
    """Refuse a setting of another package's optimizer that its code cannot take as an array."""
    if base.source is None:
        return
    if any(structure(_with(base, {key: end})) != structure(base) for end in ends):
        raise InputError(
            f"{key} of {base.name} is compiled in, as its code takes no array there: it cannot "
            "differ from run to run; sweep it in a study"
        )


def _depends_on_several(base: Optimizer, settings: Mapping[str, Any]) -> InputError:
    return InputError(
        f"{base.name}: a number of its step depends on {' and '.join(settings)} together: "
        "let one of them be the same for all runs"
    )
