"""What a backend is, and how one is found.

A backend trains seeds. It is an object with the methods below, registered under the entry-point
group ``attnlogic.backends``, so that a package of anybody's can add one. Backends are imported only
when they are asked for: knowing their names costs no framework.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from numbers import Integral, Real
from typing import Protocol, runtime_checkable

from attnlogic.errors import InputError, unknown
from attnlogic.optimizers import Optimizer
from attnlogic.outcomes import History, Outcome
from attnlogic.problems import Gate, Params

GROUP = "attnlogic.backends"
PRECISIONS = ("float32", "float64")
UNTIL = ("budget", "hit")
MOST_EPOCHS = 2**31 - 1
"""Epochs are counted in 32 bits."""

OnProgress = Callable[[float], None]
"""Called with the number of runs finished since the last call, which may be fractional."""


@dataclass(frozen=True)
class Training:
    """All that decides what becomes of a run, given where it starts.

    Attributes:
      gate: what is to be learnt.
      optimizer: by what.
      epochs: the budget: at most so many optimizer steps, at least 1.
      threshold: the loss at or below which a run counts as having hit.
      precision: ``"float32"`` or ``"float64"``.
      until: ``"budget"``, or ``"hit"`` to end a run with the epoch of its first hit, before that
        epoch's update: its final parameters are those that hit.
    """

    gate: Gate
    optimizer: Optimizer
    epochs: int
    threshold: float = 1e-4
    precision: str = "float32"
    until: str = "budget"


@runtime_checkable
class Backend(Protocol):
    """The work a backend does. Everything passed in or out is NumPy, never the framework's own."""

    name: str
    seeds: int
    """How many seeds a condition has when none are asked for: what this backend trains, in the
    default study, in about a minute on two cores."""

    def devices(self) -> list[str]:
        """The devices it would use, in words: ``["cpu (2 cores)"]``."""
        ...

    def versions(self) -> dict[str, str]:
        """The versions of the packages whose code decides its numbers."""
        ...

    def check(self, training: Training, jobs: int) -> None:
        """Raise ``InputError`` if it cannot do this training, before any work starts."""
        ...

    def train(
        self,
        training: Training,
        initial: Params,
        *,
        jobs: int = 1,
        on_progress: OnProgress | None = None,
    ) -> Iterator[Outcome]:
        """Train each seed to the end of its budget, giving outcomes as they come.

        Args:
          training: what to do.
          initial: where to start; float32 leaves of shape (N,).
          jobs: how many processes to use, where the backend knows processes.
          on_progress: called as runs proceed, by one thread at a time; the sum is N.

        Yields:
          ``Outcome``s of NumPy arrays of shape (n,), as ``outcomes.outcome`` defines it: the next n
          seeds, in order, until all N are done. Closing the iterator ends the work.
        """
        ...

    def history(
        self, training: Training, initial: Params, *, on_progress: OnProgress | None = None
    ) -> Iterator[History]:
        """Train one seed, keeping every epoch's loss.

        Args:
          training: what to do.
          initial: where to start; float32 leaves of shape ().
          on_progress: called with shares of the run, which add up to 1 at its end.

        Yields:
          The run in consecutive parts of some epochs each, about one a second, so that a long run
          can be shown and interrupted. ``initial``, ``final``, ``gradient_norm`` and ``stopped_at``
          are those of the run so far; ``outcomes.join`` makes one ``History`` of the parts. The
          iterator ends with the run: at its budget, or as soon as it stops, diverges or, with
          ``until="hit"``, hits. Closing it ends the work.
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


def checked(training: Training) -> Training:
    """The training, once its numbers are seen to make sense; they are Python's own then.

    Raises:
      InputError: epochs below 1, a threshold that is not a positive number, an unknown precision
        or end.
    """
    epochs, threshold = training.epochs, training.threshold
    whole = isinstance(epochs, Integral) and not isinstance(epochs, bool)
    if not whole or not 1 <= epochs <= MOST_EPOCHS:
        raise InputError(f"epochs: expected a whole number in 1 … {MOST_EPOCHS}, got {epochs!r}")
    number = isinstance(threshold, Real) and not isinstance(threshold, bool)
    if not number or not 0 < threshold < float("inf"):
        raise InputError(f"threshold: expected a loss above 0, got {threshold!r}")
    if training.precision not in PRECISIONS:
        raise unknown("precision", training.precision, PRECISIONS)
    if training.until not in UNTIL:
        raise unknown("end of a run", training.until, UNTIL)
    return replace(training, epochs=int(epochs), threshold=float(threshold))
