"""What a study is: conditions (data × model × optimizer × initialisation) × seeds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import product
from typing import Any, NamedTuple

from attnlogic.backend import Training, checked
from attnlogic.errors import InputError, described
from attnlogic.optimizers import DEFAULT_STUDY, Optimizer, optimizers
from attnlogic.problems import (
    SEED_LIMIT,
    AnyModel,
    Data,
    Gate,
    Initialization,
    Model,
    OwnLoss,
    OwnModule,
    data,
    gates_of,
    initializations,
    models_of,
    problem,
)
from attnlogic.ranges import MAX_CONDITIONS
from attnlogic.results import matches
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
      gates: what is learnt: names of gates, bit strings, ``"all3"`` for all gates of three bits,
        ``Gate``s or ``Data``, or one of these; kept as ``Data``, each once.
      optimizers: ``"adam"``, ``"adamw(lr=0.01)"``, a sweep such as ``"adamw(lr=1e-4..1:log:25)"``,
        ``Optimizer``s or the frameworks' own objects, or one of these; kept as ``Optimizer``s, each
        once.
      seeds: N for the seeds 0 … N-1, a ``range`` of step 1, or ``"all"`` for 0 … 2^32-1; kept as a
        ``range``. None for as many of each condition as ``Backend.default_seeds`` says.
      epochs: the budget of every run; None for each optimizer's usual one.
      threshold: the loss at or below which a run counts as having hit.
      precision: ``"float32"`` or ``"float64"``.
      init: how the initial parameters are drawn: ``"torch"``, ``"normal(scale=0.5)"``, a sweep such
        as ``"normal(scale=0.1..3:log:10)"``, …, or several of these; kept as ``Initialization``s,
        each once.
      until: ``"budget"``, or ``"hit"`` to end each run at its first hit.
      models: what learns: ``"attention"``, ``"mlp(hidden=[2,4])"``, a user's own such as
        ``"package.module:factory"``, or models, or one of these; kept as models, each once.
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
    seeds: int | range | str | None = None
    epochs: int | None = None
    threshold: float = 1e-4
    precision: str = "float32"
    init: str | Initialization | Iterable[str | Initialization] = "torch"
    until: str = "budget"
    models: str | AnyModel | type | Iterable[str | AnyModel | type] = "attention"
    encoding: str = "01"
    parameters: str | Iterable[str] = ()

    def __post_init__(self) -> None:
        gates = _several("gates", "xor", self.gates, (Gate, Data))
        self._keep(
            gates=_each_once(
                data(one, self.encoding)
                for given in gates
                for one in ([given] if isinstance(given, Data) else gates_of(given))
            ),
            optimizers=_each_once(optimizers(self.optimizers)),
            seeds=None if self.seeds is None else seed_range(self.seeds),
            init=_each_once(
                init
                for given in _several("init", "torch", self.init, (Initialization,))
                for init in initializations(given)
            ),
            models=_each_once(
                model
                for given in _several("models", "attention", self.models, MODEL_TYPES)
                for model in models_of(given)
            ),
            parameters=(self.parameters,)
            if isinstance(self.parameters, str)
            else tuple(self.parameters),
        )
        self._check_parameters()
        first = self.conditions[0].training
        self._keep(
            epochs=None if self.epochs is None else first.epochs,
            threshold=first.threshold,
            precision=first.precision,
            until=first.until,
        )

    def _check_parameters(self) -> None:
        names = {name for c in self.conditions for name in c.training.problem.names}
        for pattern in self.parameters:
            if not isinstance(pattern, str) or not any(matches(name, pattern) for name in names):
                known = ", ".join(sorted(names)[:8]) + (", …" if len(names) > 8 else "")
                raise InputError(
                    f"parameters: {described(pattern)} is no parameter of any model here, and no "
                    f"pattern of some: there are {known}"
                )

    def _keep(self, **normal: Any) -> None:
        for name, value in normal.items():
            object.__setattr__(self, name, value)

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """Every gate with every model, optimizer and initialisation.

        A loss of the parameters alone has no gate: it is one problem.
        """
        kept: Any = self  # in its normal form
        count = len(kept.gates) * len(kept.models) * len(kept.optimizers) * len(kept.init)
        if count > MAX_CONDITIONS:
            raise InputError(
                f"a study has at most {MAX_CONDITIONS:,} conditions, and gates × models × "
                f"optimizers × initialisations are {count:,}: give fewer values"
            )
        problems = [problem(what, of) for of in kept.models for what in _data_for(of, kept.gates)]
        every = product(problems, kept.optimizers, kept.init)
        return tuple(
            Condition(
                checked(
                    Training(
                        what,
                        by,
                        by.epochs if self.epochs is None else self.epochs,
                        self.threshold,
                        self.precision,
                        self.until,
                    )
                ),
                init,
            )
            for what, by, init in every
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


MODEL_TYPES = (Model, OwnLoss, OwnModule, type)
"""What a model is if it is no text; a class is a network of a framework's."""


def _data_for(model: AnyModel, gates: tuple[Data, ...]) -> tuple[Data | None, ...]:
    """The data that a model is fitted to."""
    alone = isinstance(model, OwnLoss | OwnModule) and not model.takes_data
    return (None,) if alone else gates


def _several(name: str, example: str, given: object, one: tuple[type, ...]) -> tuple[Any, ...]:
    """What is given for an argument that takes one thing or several."""
    if isinstance(given, (str, *one)):
        return (given,)
    try:
        # What is not iterable raises, and is refused below.
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


def seed_range(seeds: int | range | str) -> range:
    """The seeds 0 … N-1 for a number N; a range as it is; for ``"all"`` 0 … 2^32-1.

    Raises:
      InputError: no seeds, a step other than 1, or seeds out of 0 … 2^32-1.

    Example:
      >>> seed_range(1000), seed_range(range(500, 1000))
      (range(0, 1000), range(500, 1000))
    """
    expected = "expected 'all', a number such as 1000, or a range such as range(500, 1000)"
    if isinstance(seeds, str) and seeds == "all":
        return range(SEED_LIMIT)
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
