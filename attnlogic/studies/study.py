"""What a study is: conditions (data × model × optimizer × initialisation) × seeds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple

from attnlogic.backend import Training, checked
from attnlogic.errors import InputError, described
from attnlogic.optimizers import DEFAULT_STUDY, Optimizer, optimizer
from attnlogic.problems import (
    SEED_LIMIT,
    Data,
    Gate,
    Initialization,
    Model,
    Problem,
    data,
    initialization,
    model,
)
from attnlogic.settings import whole


class Condition(NamedTuple):
    """What all runs of a condition have in common.

    Attributes:
      training: the problem and how it is trained.
      init: how initial parameters are drawn.
    """

    training: Training
    init: Initialization

    def __str__(self) -> str:
        start = "" if self.init == Initialization() else f" · {self.init}"
        return f"{self.training}{start}"


@dataclass(frozen=True, repr=False)
class Study:
    """Conditions (data × model × optimizer × initialisation) × seeds.

    It is kept in its normal form: what is given is checked once and turned into the types below.

    Attributes:
      gates: what is learnt: names of gates, bit strings, ``Gate``s or ``Data``, or one of these;
        kept as ``Data``, each once.
      optimizers: ``"adam"``, ``"adamw(lr=0.01)"`` or ``Optimizer``s, or one of these; kept as
        ``Optimizer``s, each once.
      seeds: N for the seeds 0 … N-1, or a ``range`` of step 1; kept as a ``range``. None for as
        many as the backend trains in about a minute.
      epochs: the budget of every run; None for each optimizer's usual one.
      threshold: the loss at or below which a run counts as having hit.
      precision: ``"float32"`` or ``"float64"``.
      init: how the initial parameters are drawn: ``"torch"``, ``"normal(scale=0.5)"``, …, or
        several of these; kept as ``Initialization``s, each once.
      until: ``"budget"``, or ``"hit"`` to end each run at its first hit.
      models: what learns: ``"attention"``, ``"mlp(hidden=4)"`` or ``Model``s, or one of these; kept
        as ``Model``s, each once.
      encoding: what stands for false and true in a gate's inputs: ``"01"`` or ``"pm1"``.
      parameters: names of the parameters that are columns, or patterns such as ``"w*"``; without
        any all of a model that has 64 or fewer, and none of another.

    Raises:
      InputError: something is of the wrong type, unknown or out of range.

    Example:
      >>> study = Study(["xor", "0110", "nand"], "adamw(lr=1e-2)", seeds=1000, epochs=500)
      >>> study
      Study(gates=['xor', 'nand'], optimizers=['adamw(lr=0.01)'], seeds=range(0, 1000), epochs=500)
    """

    gates: str | Gate | Data | Iterable[str | Gate | Data] = ("xor", "nand")
    optimizers: str | Optimizer | Iterable[str | Optimizer] = DEFAULT_STUDY
    seeds: int | range | None = None
    epochs: int | None = None
    threshold: float = 1e-4
    precision: str = "float32"
    init: str | Initialization | Iterable[str | Initialization] = "torch"
    until: str = "budget"
    models: str | Model | Iterable[str | Model] = "attention"
    encoding: str = "01"
    parameters: str | Iterable[str] = ()

    def __post_init__(self) -> None:
        gates = _several("gates", "xor", self.gates, (Gate, Data))
        self._keep(
            gates=_each_once(data(gate, self.encoding) for gate in gates),
            optimizers=_each_once(
                map(optimizer, _several("optimizers", "adam", self.optimizers, (Optimizer,)))
            ),
            seeds=None if self.seeds is None else seed_range(self.seeds),
            init=_each_once(
                map(initialization, _several("init", "torch", self.init, (Initialization,)))
            ),
            models=_each_once(map(model, _several("models", "attention", self.models, (Model,)))),
            parameters=(self.parameters,)
            if isinstance(self.parameters, str)
            else tuple(self.parameters),
        )
        first = self.conditions[0].training
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
    def conditions(self) -> tuple[Condition, ...]:
        """Every gate with every model, optimizer and initialisation; gates first."""
        kept: Any = self  # in its normal form
        every = product(kept.gates, kept.models, kept.optimizers, kept.init)
        return tuple(
            Condition(
                checked(
                    Training(
                        Problem(of, what),
                        by,
                        by.epochs if self.epochs is None else self.epochs,
                        self.threshold,
                        self.precision,
                        self.until,
                    )
                ),
                init,
            )
            for what, of, by, init in every
        )

    def __repr__(self) -> str:
        shown: dict[str, object] = {
            name: list(map(str, getattr(self, name))) for name in ("gates", "optimizers")
        }
        shown["seeds"] = self.seeds
        for field in fields(self)[3:]:
            value = getattr(self, field.name)
            if isinstance(value, tuple):
                texts = [str(one) for one in value]
                value = texts[0] if len(texts) == 1 else texts or ()
            if value != field.default:
                shown[field.name] = value
        return f"Study({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def _several(name: str, example: str, given: object, one: tuple[type, ...]) -> tuple[Any, ...]:
    """What is given for an argument that takes one thing or several."""
    if isinstance(given, (str, *one)):
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
