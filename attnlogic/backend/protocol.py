"""What a backend does, and what is promised of its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from attnlogic.backend.finished_runs import Finished
from attnlogic.backend.trainings import Batch, Training
from attnlogic.history import History

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

OnProgress = Callable[[float], None]
"""Called with the number of runs finished since the last call, which may be fractional."""


@runtime_checkable
class Backend(Protocol):
    """What a backend does. Everything passed in or out is NumPy, never the framework's own.

    ``train`` and ``history`` are plain functions that return an iterator: they check what they are
    given when they are called, and work when the iterator is advanced. Whoever calls them passes a
    training that ``checked`` returned, and may close the iterator before its end.
    """

    name: str
    """The name under which it is registered; a column of every row."""

    def devices(self) -> list[str]:
        """The devices it would use, in words: ``["cpu (2 cores)"]``."""
        ...

    def versions(self) -> dict[str, str]:
        """The versions of the packages whose code decides its numbers."""
        ...

    def default_seeds(self, training: Training) -> int:
        """How many seeds a condition has when none are asked for.

        As many as let the default study end within two minutes on two cores; they may differ from
        one optimizer to another.
        """
        ...

    def check(self, training: Training, jobs: int) -> None:
        """Raise ``InputError`` if it cannot do this training with so many processes.

        It does no work. A study calls it for each condition before it makes or trains anything.
        """
        ...

    def train(
        self,
        batch: Batch,
        *,
        jobs: int = 1,
        on_progress: OnProgress | None = None,
    ) -> Iterator[Finished]:
        """Train each run to its end.

        Args:
          batch: the runs.
          jobs: the number of processes, where the backend uses processes.
          on_progress: called as runs proceed, from any thread but never from two at once; the sum
            of what it is given is N.

        Returns:
          An iterator of runs as they are finished, in any order, each run one time: the place of
          the first of n consecutive runs, and their ``Outcome``: NumPy arrays of shape (n,),
          parameters (P, n), with the dtypes that ``outcomes.NUMBERS`` declares, as
          ``history.outcome`` defines them. Closing it ends the work. An interrupt ends it, too; a
          generator may first give the runs that are finished by then.

        Raises:
          InputError: as ``check``; raised by the call itself, not by the iterator.
        """
        ...

    def history(
        self,
        training: Training,
        initial: npt.NDArray[np.float32],
        *,
        on_progress: OnProgress | None = None,
    ) -> Iterator[History]:
        """Train one seed, keeping every epoch's loss.

        Args:
          training: the condition.
          initial: the start: packed parameters, float32 (P,).
          on_progress: called as in ``train``; the sum of what it is given is 1.

        Returns:
          An iterator of consecutive parts of the run, at least one, about one a second, so that a
          long run can be shown and interrupted. A part has the losses, quantities and evaluations
          of its own epochs; its ``initial`` is the run's, and ``final``, ``gradient_norm`` and
          ``stopped_at`` are those of the run so far. ``history.join`` makes one ``History`` of
          the parts. The iterator ends with the run: at its budget, or as soon as it stops, diverges
          or, with ``until="hit"``, hits. Closing it ends the work.

        Raises:
          InputError: as ``check``; raised by the call itself, not by the iterator.
        """
        ...
