"""What a backend is, and how one is found.

A backend trains seeds. It is an object with the methods of ``Backend``, registered under the
entry-point group ``attnlogic.backends``, so any package can add one. A backend is imported when it
is first used: to know the names imports no framework.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar, runtime_checkable

from attnlogic.errors import InputError, unknown
from attnlogic.history import History
from attnlogic.optimizers import Optimizer, optimizer, structure
from attnlogic.outcomes import Outcome
from attnlogic.precision import in_precision
from attnlogic.problems import Problem, problem
from attnlogic.settings import real, whole

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

T = TypeVar("T")

GROUP = "attnlogic.backends"
"""The entry-point group under which a package registers its backend."""

PRECISIONS = ("float32", "float64")
"""The floating-point types in which a run can be computed."""

UNTIL = ("budget", "hit")
"""What ends a run that neither stops nor diverges: its budget, or already its first hit."""

MAX_EPOCHS = 2**31 - 1
"""The largest budget: epochs are counted in signed 32-bit integers, on every device."""

OnProgress = Callable[[float], None]
"""Called with the number of runs finished since the last call, which may be fractional."""


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
      which: the place of each run's condition in ``trainings``; int32, (N,).
      initial: where each run starts: packed parameters, float32 (P, N).
    """

    trainings: tuple[Training, ...]
    which: npt.NDArray[np.int32]
    initial: npt.NDArray[np.float32]


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


@runtime_checkable
class Backend(Protocol):
    """What a backend does. Everything passed in or out is NumPy, never the framework's own.

    ``train`` and ``history`` are plain functions that return an iterator: they check what they are
    given when they are called, and work when the iterator is advanced. Whoever calls them passes a
    training that ``checked`` returned, and may close the iterator before its end.
    """

    name: str
    """The name under which it is registered; a column of every row."""

    seeds: int
    """How many seeds a condition has when none are asked for: as many as this backend trains, in
    the default study, in about a minute on two cores."""

    def devices(self) -> list[str]:
        """The devices it would use, in words: ``["cpu (2 cores)"]``."""
        ...

    def versions(self) -> dict[str, str]:
        """The versions of the packages whose code decides its numbers."""
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
    ) -> Iterator[Outcome]:
        """Train each run to its end.

        Args:
          batch: the runs.
          jobs: the number of processes, where the backend uses processes.
          on_progress: called as runs proceed, from any thread but never from two at once; the sum
            of what it is given is N.

        Returns:
          An iterator of ``Outcome``s, each of the next n runs, in order, until all N are done:
          NumPy arrays of shape (n,), parameters (P, n), with the dtypes that ``outcomes.NUMBERS``
          declares, as ``history.outcome`` defines them. Closing it ends the work.

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


@cache
def _registered() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=GROUP):
        # An editable install on top of another lists the same entry twice: not a conflict.
        if entry.name in found and found[entry.name].value != entry.value:
            raise InputError(
                f"two packages register a backend named '{entry.name}' "
                f"({found[entry.name].value} and {entry.value}): uninstall one of them"
            )
        found[entry.name] = entry
    return found


def names() -> list[str]:
    """The names of the registered backends; imports none of them."""
    return sorted(_registered())


def backend(name: str | Backend) -> Backend:
    """The backend with this name, imported now if it was not before.

    Raises:
      InputError: no such backend is registered, or what it needs is not installed.
    """
    if isinstance(name, Backend):
        return name
    if not isinstance(name, str):
        raise InputError(f"a backend is a name or a Backend, got {name!r}")
    entries = _registered()
    if name not in entries:
        raise unknown("backend", name, entries)
    try:
        loaded = entries[name].load()
    except ModuleNotFoundError as error:
        raise InputError(
            f"backend '{name}' needs the package '{error.name}', which is not installed: "
            + (f"pip install 'attnlogic[{name}]'" if name == "torch" else "install it with pip")
        ) from error
    except Exception as error:
        raise InputError(
            f"backend '{name}' ({entries[name].value}) fails on import: {error!r}: "
            "mend or uninstall the package that registers it"
        ) from error
    if not isinstance(loaded, Backend):
        raise InputError(
            f"backend '{name}' ({entries[name].value}) lacks methods of attnlogic.backend.Backend"
        )
    return loaded


@contextmanager
def closed(work: Iterator[T]) -> Iterator[Iterator[T]]:
    """An iterator of a backend's, closed at the end of the ``with`` block: then its work ends."""
    try:
        yield work
    finally:
        close = getattr(work, "close", None)  # generators have it, other iterators need not
        if close is not None:
            close()


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
