"""What a study is: conditions (gate × optimizer) × seeds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from attnlogic.backend import Training, checked
from attnlogic.errors import InputError, described
from attnlogic.optimizers import DEFAULT_STUDY, Optimizer, optimizer
from attnlogic.problems import SEED_LIMIT, Gate, Initialization, gate, initialization
from attnlogic.settings import whole


@dataclass(frozen=True, repr=False)
class Study:
    """Conditions (gate × optimizer) × seeds.

    It is kept in its normal form: what is given is checked once and turned into the types below.

    Attributes:
      gates: names, bit strings or ``Gate``s, or one of these; kept as ``Gate``s, each once.
      optimizers: ``"adam"``, ``"adamw(lr=0.01)"`` or ``Optimizer``s, or one of these; kept as
        ``Optimizer``s, each once.
      seeds: N for the seeds 0 … N-1, or a ``range`` of step 1; kept as a ``range``. None for as
        many as the backend trains in about a minute.
      epochs: the budget of every run; None for each optimizer's usual one.
      threshold: the loss at or below which a run counts as having hit.
      precision: ``"float32"`` or ``"float64"``.
      init: how the initial parameters are drawn: ``"torch"``, ``"normal(scale=0.5)"``, …; kept as
        an ``Initialization``.
      until: ``"budget"``, or ``"hit"`` to end each run at its first hit.

    Raises:
      InputError: something is of the wrong type, unknown or out of range.

    Example:
      >>> study = Study(["xor", "0110", "nand"], "adamw(lr=1e-2)", seeds=1000, epochs=500)
      >>> study
      Study(gates=['xor', 'nand'], optimizers=['adamw(lr=0.01)'], seeds=range(0, 1000), epochs=500)
    """

    gates: str | Gate | Iterable[str | Gate] = ("xor", "nand")
    optimizers: str | Optimizer | Iterable[str | Optimizer] = DEFAULT_STUDY
    seeds: int | range | None = None
    epochs: int | None = None
    threshold: float = 1e-4
    precision: str = "float32"
    init: str | Initialization = "torch"
    until: str = "budget"

    def __post_init__(self) -> None:
        self._keep(
            gates=_each_once(map(gate, _several("gates", "xor", self.gates, Gate))),
            optimizers=_each_once(
                map(optimizer, _several("optimizers", "adam", self.optimizers, Optimizer))
            ),
            seeds=None if self.seeds is None else seed_range(self.seeds),
            init=initialization(self.init),
        )
        first = self.trainings[0]
        self._keep(
            epochs=None if self.epochs is None else first.epochs,
            threshold=first.threshold,
            precision=first.precision,
            until=first.until,
        )

    def _keep(self, **normal: Any) -> None:
        for name, value in normal.items():
            object.__setattr__(self, name, value)

    @cached_property
    def trainings(self) -> tuple[Training, ...]:
        """One for each condition: every gate with every optimizer, gates first."""
        gates: Any = self.gates
        optimizers: Any = self.optimizers
        return tuple(
            checked(
                Training(
                    one,
                    by,
                    by.epochs if self.epochs is None else self.epochs,
                    self.threshold,
                    self.precision,
                    self.until,
                )
            )
            for one in gates
            for by in optimizers
        )

    def __repr__(self) -> str:
        shown: dict[str, object] = {
            name: list(map(str, getattr(self, name))) for name in ("gates", "optimizers")
        }
        shown["seeds"] = self.seeds
        for field in fields(self)[3:]:
            value = getattr(self, field.name)
            text = str(value) if isinstance(value, Initialization) else value
            if text != field.default:
                shown[field.name] = text
        return f"Study({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def _several(name: str, example: str, given: object, one: type) -> tuple[Any, ...]:
    """What is given for an argument that takes one thing or several."""
    if isinstance(given, str | one):
        return (given,)
    try:
        several = tuple(given)  # type: ignore[var-annotated, arg-type]
    except TypeError:
        several = ()
    if not several:
        raise InputError(
            f"{name}: expected a name such as '{example}', or a list of at least one, "
            f"got {described(given)}"
        )
    return several


def _each_once(things: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(things))


def seed_range(seeds: int | range) -> range:
    """The seeds 0 … N-1 for a number N; a range as it is.

    Raises:
      InputError: no seeds, a step other than 1, or seeds out of 0 … 2^32-1.

    Example:
      >>> seed_range(1000), seed_range(range(500, 1000))
      (range(0, 1000), range(500, 1000))
    """
    expected = "expected a number such as 1000, or a range such as range(500, 1000)"
    chosen = seeds
    if not isinstance(chosen, range):
        try:
            chosen = range(whole("seeds", chosen))
        except InputError:
            raise InputError(f"seeds: {expected}, got {described(seeds)}") from None
    if chosen.step != 1:
        raise InputError(f"seeds: {expected} of step 1, got {described(seeds)}")
    if not chosen:
        raise InputError(f"seeds: {expected}, got {seeds!r}, which is no seed at all")
    if chosen.start < 0 or chosen.stop > SEED_LIMIT:
        raise InputError(
            f"seeds lie in 0 … {SEED_LIMIT - 1}, got {chosen.start} … {chosen.stop - 1}"
        )
    return chosen
