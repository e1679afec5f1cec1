"""Runs that each have settings of the optimizer for themselves, such as the points of a map.

A ``Batch`` has a ``Training`` for each condition; of a million runs with a learning rate each there
would be a million. Here what differs is an array.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from attnlogic.backend.finished_runs import Finished
from attnlogic.backend.protocol import Backend, OnProgress
from attnlogic.backend.registry import backend
from attnlogic.backend.trainings import Training
from attnlogic.errors import InputError

if TYPE_CHECKING:
    import numpy.typing as npt


class Points(NamedTuple):
    """N runs of one condition, but for settings of the optimizer that each has for itself.

    Attributes:
      training: the condition. Its optimizer has one of the runs' values of each such setting, none
        that switches a feature off.
      settings: real-valued settings of the optimizer by name, float64 (N,): valid values, among
        which may be the one that switches a feature off.
      initial: where each run starts: packed parameters (P, N), of the training's precision.
    """

    training: Training
    settings: Mapping[str, npt.NDArray[Any]]
    initial: npt.NDArray[Any]


@runtime_checkable
class PointBackend(Backend, Protocol):
    """A backend that can train such runs."""

    def train_points(
        self, given: Points, *, on_progress: OnProgress | None = None
    ) -> Iterator[Finished]:
        """Train each run to its end.

        A run is what it is alone under its own condition, up to the rounding of numbers that are
        computed from its settings. All else is as for ``Backend.train``.

        Raises:
          InputError: as ``check``; or a setting cannot differ from run to run, as it is compiled
            in.
        """
        ...


def point_backend(name: str | Backend) -> PointBackend:
    """The backend with this name, which can train ``Points``.

    Raises:
      InputError: as ``backend``; or it cannot.
    """
    found = backend(name)
    if not isinstance(found, PointBackend):
        raise InputError(
            f"the {found.name} backend has no runs with settings of their own (train_points), "
            "which the points of a map are: use --backend jax"
        )
    return found
