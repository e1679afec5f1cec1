"""The optimizers of ``attnlogic.optimizers`` as methods on packed parameters: one record each.

The elementwise ones are rules (``elementwise``) applied to the packed array as if it were one
parameter; an optimizer that needs a norm or a dot product over the parameters of a seed reduces
over axis 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from attnlogic import optimizers
from attnlogic.backend import Training
from attnlogic.errors import unknown
from attnlogic.grammar import foreign as foreign_name
from attnlogic.optimizers import Optimizer, Structure, real_numbers
from attnlogic.problems import Problem
from attnlogic_jax import adam_rules, foreign, rules
from attnlogic_jax.elementwise import Decay, Numbers, Rule, elementwise
from attnlogic_jax.foreign_trial import traits
from attnlogic_jax.lbfgs import lbfgs
from attnlogic_jax.method import Evaluate, Goal, Method, Report, State
from attnlogic_jax.model import without_targets
from attnlogic_jax.per_seed import lbfgs_zoom, per_seed
from attnlogic_jax.platforms import USUAL, WITH_HISTORY, Sizes
from attnlogic_jax.polyak import polyak
from attnlogic_jax.tensors import form_of


@dataclass(frozen=True)
class JaxOptimizer:
    """How this backend builds an optimizer.

    Attributes:
      build: from the structure, the numbers, and the loss at which a run ends if there is one, to
        the method.
      elementwise: whether a parameter's step depends on that parameter's gradients alone.
      complements: the numbers x of which the rule needs ``1-x``, too.
      logarithms: the numbers x of which it needs ``log_x``, too.
      derived: what else it needs, from the numbers.
      ends_at_goal: whether the method itself leaves a run where it hit; if not, it is wrapped.
      one_core: whether a CPU trains it by one function for one core (``xla.on_one_core``). XLA has
        no such code for a scatter, as which optax's own updates of a memory are compiled.
      sizes: how many seeds are trained at once.
    """

    build: Callable[[Structure, Numbers, Goal], Method]
    elementwise: bool
    complements: tuple[str, ...] = ()
    logarithms: tuple[str, ...] = ()
    derived: Callable[[Mapping[str, float]], dict[str, float]] = lambda given: {}
    ends_at_goal: bool = False
    one_core: bool = True
    sizes: Sizes = USUAL


def _of(
    rule: Callable[[Structure, Numbers], Rule], *, decoupled: bool = False, **rest: Any
) -> JaxOptimizer:
    """The record of a rule."""

    def build(how: Structure, numbers: Numbers, goal: Goal) -> Method:
        decay: Decay = (
            "decoupled" if decoupled or how.chosen.get("decoupled_weight_decay") else "l2"
        )
        return elementwise(rule, how, numbers, decay)

    return JaxOptimizer(build, elementwise=True, **rest)


_BETAS = ("beta1", "beta2")
_adam = partial(_of, complements=_BETAS)
_nadam = partial(
    _of, adam_rules.nadam, complements=_BETAS, logarithms=_BETAS, derived=adam_rules.nadam_numbers
)

JAX_OPTIMIZERS: dict[str, JaxOptimizer] = {
    "adam": _adam(adam_rules.adam),
    "adamw": _adam(adam_rules.adam, decoupled=True),
    "amsgrad": _adam(partial(adam_rules.adam, amsgrad=True)),
    "nadam": _nadam(),
    "nadamw": _nadam(decoupled=True),
    "radam": _of(
        adam_rules.radam, complements=_BETAS, logarithms=_BETAS, derived=adam_rules.radam_numbers
    ),
    "adamax": _of(adam_rules.adamax, complements=("beta1",), logarithms=("beta1",)),
    "sgd": _of(rules.sgd, complements=("dampening",), derived=rules.sgd_numbers),
    "asgd": _of(rules.asgd),
    "rprop": _of(rules.rprop),
    "rmsprop": _of(rules.rmsprop, complements=("alpha",)),
    "adagrad": _of(rules.adagrad),
    "adadelta": _of(rules.adadelta, complements=("rho",)),
    "polyak": JaxOptimizer(lambda how, numbers, goal: polyak(numbers), False),
    "lbfgs": JaxOptimizer(lbfgs, False, ends_at_goal=True, sizes=WITH_HISTORY),
    "lbfgs_zoom": JaxOptimizer(lbfgs_zoom, False, one_core=False, sizes=WITH_HISTORY),
}
"""How each optimizer is built, by its name in ``attnlogic.optimizers``."""


def record(how: Structure, problem: Problem | None = None) -> JaxOptimizer:
    """How this backend builds an optimizer of this structure.

    Args:
      how: the structure.
      problem: what it trains; of ours any, and none.

    Raises:
      InputError: it has none of that name; or as ``foreign_trial.traits``.
    """
    if foreign_name(how.name) is None:
        return _own(how.name)
    if problem is None:
        raise TypeError(f"{how.name} acts on the tensors of a problem, and none is given")
    return _foreign(how, problem)


def _own(name: str) -> JaxOptimizer:
    if name not in JAX_OPTIMIZERS:
        raise unknown("optimizer of the jax backend", name, JAX_OPTIMIZERS)
    return JAX_OPTIMIZERS[name]


def _foreign(how: Structure, problem: Problem) -> JaxOptimizer:
    """The record of another package's optimizer."""
    found, form = traits(how, problem), form_of(problem)

    def build(how: Structure, numbers: Numbers, goal: Goal) -> Method:
        made = partial(foreign.transformation, how)
        return per_seed(
            made,
            numbers,
            searches=found.searches,
            form=form,
            shares_counters=found.shares_counters,
        )

    sizes = WITH_HISTORY if found.large else USUAL
    return JaxOptimizer(build, elementwise=False, one_core=found.one_core, sizes=sizes)


def structure(optimizer: Optimizer) -> Structure:
    """What is compiled: of ours as ``attnlogic.optimizers`` has it.

    Raises:
      InputError: see ``foreign.structure``.
    """
    if optimizer.source is not None:
        return foreign.structure(optimizer)
    return optimizers.structure(optimizer)


def numbers(optimizer: Optimizer, of: Structure | None = None) -> dict[str, float]:
    """All numbers that the compiled code takes as data, in float64: its own, and derived ones.

    Derived here, where float64 is at hand: in float32 ``1 - 0.999`` has four digits. Optimizers of
    one structure have numbers of the same names.

    Args:
      optimizer: the optimizer.
      of: a structure with more features; see ``attnlogic.optimizers.real_numbers``.

    Raises:
      InputError: see ``record``.

    Example:
      >>> from attnlogic.optimizers import optimizer
      >>> numbers(optimizer("sgd(lr=0.1, gamma=0.5)"))
      {'lr': 0.1, 'schedule.log_gamma': -0.6931471805599453}
    """
    if optimizer.source is not None:
        return foreign.numbers(optimizer)
    how, found = _own(optimizer.name), real_numbers(optimizer, of)
    complements = {f"1-{key}": 1 - found[key] for key in how.complements if key in found}
    logarithms = {
        f"log_{key}": math.log(found[key]) if found[key] else -math.inf
        for key in how.logarithms
        if key in found
    }
    return found | complements | logarithms | how.derived(found)


def ending_at(goal: jax.Array, method: Method) -> Method:
    """The method, but a run whose loss is at or below the goal stays where it is."""

    def step(
        evaluate: Evaluate, packed: jax.Array, state: State
    ) -> tuple[jax.Array, State, Report]:
        moved, state, report = method.step(evaluate, packed, state)
        return jnp.where((report.loss <= goal)[None], packed, moved), state, report

    return method._replace(step=step)


def method(
    how: Structure,
    numbers: Mapping[str, jax.Array],
    goal: Goal = None,
    problem: Problem | None = None,
) -> Method:
    """An optimizer as pure functions.

    Args:
      how: its structure; see ``structure``.
      numbers: the numbers of ``numbers``, of the training's dtype: each () or, one a seed, (N,).
      goal: the loss at or below which a run stays where it is.
      problem: see ``record``.

    Raises:
      InputError: see ``record``.
    """
    known = record(how, problem)
    built = known.build(how, numbers, goal)
    return built if goal is None or known.ends_at_goal else ending_at(goal, built)


def check_optimizer(training: Training) -> None:
    """Raise an ``InputError`` if this backend cannot train by the training's optimizer."""
    how = structure(training.optimizer)
    if training.optimizer.source is None:
        record(how)
    else:
        traits(how, without_targets(training.problem), training.precision)


def as_arrays(numbers: Mapping[str, float], dtype: Any) -> dict[str, jax.Array]:
    """The numbers of one condition as arrays () of a dtype."""
    return {
        name: jnp.asarray(number, jnp.int32 if isinstance(number, int) else dtype)
        for name, number in numbers.items()
    }
