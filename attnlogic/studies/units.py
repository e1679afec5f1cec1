"""A unit of work: some runs, trained by a pure function that any process can be given.

Everything that is sent is plain: names, numbers and rows of data. The process that trains makes the
conditions anew, and refuses to work if its versions or the code of a user's own are others: then
its rows would not be those of the process that asked.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from attnlogic.backend import Backend, Training, checked, in_order, names
from attnlogic.backend import backend as find
from attnlogic.errors import InputError
from attnlogic.optimizers import optimizer
from attnlogic.problems import Data, initialization, problem
from attnlogic.results import Counted, Counter, Own, own_columns, table
from attnlogic.studies.allocator import give_back_memory
from attnlogic.studies.identity import digests
from attnlogic.studies.makers import OtherWorkerError, check_made_alike, here, made_here
from attnlogic.studies.pieces import Stretch, batch_of, piece_of
from attnlogic.studies.study import Condition


class Recipe(NamedTuple):
    """A condition in names and numbers; see ``Training``."""

    data: Data | None
    model: str
    optimizer: str
    init: str
    epochs: int
    threshold: float
    precision: str
    until: str

    @classmethod
    def of(cls, condition: Condition) -> Recipe:
        """The recipe of a condition."""
        training = condition.training
        return cls(
            training.problem.data if training.problem.data.inputs else None,
            training.problem.model.name,
            str(training.optimizer),
            str(condition.init),
            training.epochs,
            training.threshold,
            training.precision,
            training.until,
        )

    def made(self) -> Condition:
        """The condition.

        Raises:
          InputError: a model or optimizer of a user's own is not to be had.
        """
        what = problem(self.data, self.model)
        by, rest = optimizer(self.optimizer), self[4:]
        return Condition(checked(Training(what, by, *rest)), initialization(self.init))


class Kind(NamedTuple):
    """Conditions that are trained by one code.

    Attributes:
      recipes: the conditions.
      digests: what decides their rows.
      parameters: names or patterns of the parameters that are columns.
      backend: the backend, or its name where it has one.
      jobs: the number of the backend's processes.
    """

    recipes: tuple[Recipe, ...]
    digests: tuple[str, ...]
    parameters: tuple[str, ...]
    backend: str | Backend
    jobs: int

    @classmethod
    def of(
        cls, conditions: Sequence[Condition], parameters: Sequence[str], by: Backend, jobs: int
    ) -> Kind:
        """What another process needs to train some conditions.

        Raises:
          InputError: a model or optimizer has no name by which another process could find it.
        """
        registered = by.name in names() and find(by.name) is by
        recipes = tuple(map(Recipe.of, conditions))
        found = _digests(tuple(conditions), tuple(parameters), by)
        kind = cls(recipes, found, tuple(parameters), by.name if registered else by, jobs)
        try:
            conditions_of(kind)
        except (InputError, OtherWorkerError) as error:
            raise InputError(
                "executor: other processes find a model or an optimizer by its name alone: give "
                f"it as package.module:factory. {error}"
            ) from error
        return kind

    @property
    def trainer(self) -> Backend:
        """The backend."""
        return find(self.backend)


class Unit(NamedTuple):
    """Runs to train.

    Attributes:
      kind: their conditions.
      numbers: the number of each of these in the study.
      some: the runs; of each stretch the place of the condition among those of the kind.
      counter: counts rows where a tally is kept; None where the rows are.
      made_by: what makes the study's rows, as ``made_here`` says it.
    """

    kind: Kind
    numbers: tuple[int, ...]
    some: tuple[Stretch, ...]
    counter: Counter | None
    made_by: Mapping[str, Any]

    @property
    def runs(self) -> int:
        """How many there are."""
        return sum(stop - start for _, start, stop in self.some)


class Trained(NamedTuple):
    """What becomes of a unit.

    Attributes:
      kept: the rows, with the columns of ``run_schema``, or what a census keeps of them.
      seconds: how long it took.
    """

    kept: pl.DataFrame | Counted
    seconds: float


def train_unit(unit: Unit) -> Trained:
    """Train the runs of a unit: it writes nothing, and depends on nothing but the unit.

    Raises:
      OtherWorkerError: this process would make other rows.
    """
    begun = time.monotonic()
    check_made_alike(unit.made_by, made_here(unit.kind.backend))
    if unit.counter is not None:
        give_back_memory()
    conditions, own, trainer = conditions_of(unit.kind)
    piece = piece_of(unit.some)
    batch = batch_of(conditions, piece)
    outcomes = in_order(trainer.train(batch, jobs=unit.kind.jobs))
    numbers = np.array(unit.numbers, np.uint32)[piece.conditions]
    training = batch.trainings[0]
    rows = table(training.problem, training.precision, numbers, piece.seeds, outcomes, own)
    kept = rows if unit.counter is None else unit.counter(rows)
    return Trained(kept, time.monotonic() - begun)


def ready(kinds: Sequence[Kind]) -> dict[str, Any]:
    """Whether this process can train some conditions. Returns what makes its rows.

    Raises:
      OtherWorkerError: it cannot, or would not make the same rows.
    """
    for kind in kinds:
        conditions_of(kind)
    return made_here(kinds[0].backend)


def conditions_of(kind: Kind) -> tuple[tuple[Condition, ...], Own, Backend]:
    """The conditions, the columns of their model's own, and what trains them.

    Raises:
      OtherWorkerError: one is not to be had here, or is another here.
    """
    try:
        trainer, made = find(kind.backend), _made(kind.recipes)
    except InputError as error:
        raise OtherWorkerError(f"{here()}: {error}") from error
    for condition, one, other in zip(
        made, kind.digests, _digests(made, kind.parameters, trainer), strict=True
    ):
        if one != other:
            raise OtherWorkerError(
                f"{here()}: {condition} is another there: its code, or a default, has changed"
            )
    return made, own_columns(made[0].training.problem, kind.parameters), trainer


@lru_cache(64)
def _made(recipes: tuple[Recipe, ...]) -> tuple[Condition, ...]:
    return tuple(recipe.made() for recipe in recipes)


def _digests(
    conditions: tuple[Condition, ...], parameters: tuple[str, ...], by: Backend
) -> tuple[str, ...]:
    own = [own_columns(one.training.problem, parameters) for one in conditions]
    return tuple(digests(conditions, own, by.name))
