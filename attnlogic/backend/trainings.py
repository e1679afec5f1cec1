"""A condition and its runs: what a study gives to a backend."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from attnlogic.errors import InputError, unknown
from attnlogic.optimizers import Optimizer, optimizer, structure
from attnlogic.precision import in_precision
from attnlogic.problems import Problem, problem
from attnlogic.settings import real, whole

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

PRECISIONS = ("float32", "float64")
"""The floating-point types in which a run can be computed."""

UNTIL = ("budget", "hit")
"""What ends a run that neither stops nor diverges: its budget, or already its first hit."""

MAX_EPOCHS = 2**31 - 1
"""The largest budget: epochs are counted in signed 32-bit integers, on every device."""


@dataclass(frozen=True)
class Training:
    """All that decides what becomes of a run, given where it starts.

    Attributes:
      problem: what is trained: a model on data.
      optimizer: the optimizer, with its hyperparameters.
      epochs: the budget: the largest number of optimizer steps, 1 … ``MAX_EPOCHS``.
      threshold: the loss at or below which a run counts as having hit.
      precision: one of ``PRECISIONS``.
      until: ``"budget"``, or ``"hit"`` to end a run with the epoch of its first hit, before that
        epoch's update: its final parameters are those that hit.
    """

    problem: Problem
    optimizer: Optimizer
    epochs: int
    threshold: float = 1e-4
    precision: str = "float32"
    until: str = "budget"

    @property
    def kind(self) -> Hashable:
        """What trainings must have in common to be trained side by side.

        They may differ in the targets, and in the optimizer's numbers.
        """
        by = structure(self.optimizer)
        return (self.problem.kind, by, self.epochs, self.threshold, self.precision, self.until)

    def __str__(self) -> str:
        return f"{self.problem} · {self.optimizer}"


class Batch(NamedTuple):
    """Runs to train: N of them, under one condition or several of one kind.

    Attributes:
      trainings: the conditions; all of one ``kind``.
      which: the place of each run's condition in ``trainings``, in any order; int32, (N,).
      initial: where each run starts: packed parameters, float32 (P, N).
    """

    trainings: tuple[Training, ...]
    which: npt.NDArray[np.int32]
    initial: npt.NDArray[np.float32]

    def part(self, start: int, end: int) -> Batch:
        """Some consecutive runs, with their own conditions alone.

        Args:
          start, end: the places of the first of them, and after the last.
        """
        import numpy as np

        used, which = np.unique(self.which[start:end], return_inverse=True)
        return Batch(
            tuple(self.trainings[k] for k in used),
            which.astype(np.int32),
            self.initial[:, start:end],
        )


def one_condition(training: Training, initial: Any) -> Batch:
    """Runs under one condition.

    Args:
      training: the condition.
      initial: packed parameters (P, N), or the model's own with leaves (N,).
    """
    import numpy as np

    done = checked(training)
    packed = initial if isinstance(initial, np.ndarray) else np.stack(done.problem.pack(initial))
    return Batch((done,), np.zeros(packed.shape[1], np.int32), packed)


def checked(training: Training) -> Training:
    """The training in its normal form: checked, and all of it Python's own.

    Raises:
      InputError: something is of the wrong type, unknown or out of range, or the precision cannot
        hold the threshold or a hyperparameter.

    Example:
      >>> checked(Training(problem("xor"), optimizer("adam"), epochs=0))
      Traceback (most recent call last):
      attnlogic.errors.InputError: epochs: expected a whole number in 1 … 2147483647, got 0 (int)
    """
    epochs = whole("epochs", training.epochs, 1, MAX_EPOCHS)
    threshold = real("threshold", training.threshold, low=0, open_low=True)
    precision = _one_of("precision", training.precision, PRECISIONS)
    until = _one_of("value of until", training.until, UNTIL)
    in_precision("threshold", threshold, precision)
    by = optimizer(training.optimizer)
    by.check_precision(precision)
    return Training(problem(training.problem), by, epochs, threshold, precision, until)


def check_framework(training: Training, backend: str) -> None:
    """Refuse a user's own loss or module that another framework trains.

    Raises:
      InputError: its framework is not the backend's.
    """
    needed = training.problem.framework
    if needed not in (None, backend):
        raise InputError(
            f"model '{training.problem.model}' is trained by {needed} alone, and this is the "
            f"{backend} backend: use --backend {needed}"
        )


def _one_of(kind: str, name: object, known: tuple[str, ...]) -> str:
    if isinstance(name, str) and name in known:
        return str(name)  # not NumPy's
    raise unknown(kind, name, known)
