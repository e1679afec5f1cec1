"""The optimizers of ``attnlogic.optimizers`` as methods on packed parameters: one record each.

The elementwise ones are optax's own, applied to the packed array as if it were one parameter; an
optimizer that needs a norm or a dot product over the six parameters of a seed reduces over axis 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax

from attnlogic.errors import InputError, unknown
from attnlogic.optimizers import Optimizer, factor
from attnlogic_jax.lbfgs import lbfgs
from attnlogic_jax.method import (
    Evaluate,
    Goal,
    Method,
    Report,
    State,
)
from attnlogic_jax.polyak import polyak
from attnlogic_jax.sizes import USUAL, WITH_HISTORY, Sizes

Settings = Mapping[str, Any]
Structure = Optimizer


@dataclass(frozen=True)
class JaxOptimizer:
    """How this backend builds an optimizer.

    Attributes:
      build: from the hyperparameters, and the loss at which a run ends if there is one, to the
        method.
      elementwise: whether a parameter's step depends on that parameter's gradients alone.
      ends_at_goal: whether the method itself leaves a run where it hit; if not, it is wrapped.
      counts_evaluations: whether an epoch may take several evaluations.
      sizes: how many seeds are trained at once.
      lacks: hyperparameter -> the value that switches it off, for what optax does not have.
    """

    build: Callable[[Settings, Goal], Method]
    elementwise: bool
    ends_at_goal: bool = False
    counts_evaluations: bool = False
    sizes: Sizes = USUAL
    lacks: Mapping[str, Any] = field(default_factory=dict)


def from_optax(transformation: optax.GradientTransformation) -> Method:
    """Any elementwise optax optimizer, on the packed array."""

    def step(
        evaluate: Evaluate, packed: jax.Array, state: State
    ) -> tuple[jax.Array, State, Report]:
        here = evaluate(packed)
        with jax.numpy_dtype_promotion("standard"):  # optax relies on it
            updates, state = transformation.update(here.gradient, state, packed)
        report = Report(here.loss, here.quantities)
        return optax.apply_updates(packed, updates), state, report

    return Method(transformation.init, step)


def _adam(s: Settings, goal: Goal, *, decoupled: bool) -> Method:
    decay = optax.add_decayed_weights(s["weight_decay"])
    chain = optax.chain(
        optax.identity() if decoupled else decay,
        optax.scale_by_adam(b1=s["beta1"], b2=s["beta2"], eps=s["eps"]),
        decay if decoupled else optax.identity(),
        optax.scale_by_learning_rate(s["lr"]),
    )
    return from_optax(chain)


def _sgd(s: Settings, goal: Goal) -> Method:
    trace = optax.trace(decay=s["momentum"], nesterov=s["nesterov"])
    chain = optax.chain(
        optax.add_decayed_weights(s["weight_decay"]),
        trace if s["momentum"] else optax.identity(),
        optax.scale_by_learning_rate(s["lr"]),
    )
    return from_optax(chain)


def _settings(optimizer: Optimizer) -> Settings:
    """What a step is made of, ``lr`` a function of the epoch where it has a schedule."""
    settings, schedule = optimizer.step_settings, optimizer.schedule
    if schedule.structure:
        lr = settings["lr"]
        settings["lr"] = lambda epoch: lr * factor(schedule, epoch, jnp)
    return settings


# optax corrects amsgrad's bias before its maximum, torch after; dampening it does not have.
JAX_OPTIMIZERS: dict[str, JaxOptimizer] = {
    "adam": JaxOptimizer(partial(_adam, decoupled=False), True, lacks={"amsgrad": False}),
    "adamw": JaxOptimizer(partial(_adam, decoupled=True), True, lacks={"amsgrad": False}),
    "sgd": JaxOptimizer(_sgd, True, lacks={"dampening": 0.0}),
    "polyak": JaxOptimizer(lambda s, goal: polyak(**s), False),
    "lbfgs": JaxOptimizer(
        lambda s, goal: lbfgs(**s, goal=goal),
        False,
        ends_at_goal=True,
        counts_evaluations=True,
        sizes=WITH_HISTORY,
    ),
}
"""How each optimizer is built, by its name in ``attnlogic.optimizers``."""


def record(optimizer: Optimizer) -> JaxOptimizer:
    """How this backend builds an optimizer.

    Raises:
      InputError: it has none of that name, or it lacks a feature that is switched on.
    """
    if optimizer.name not in JAX_OPTIMIZERS:
        raise unknown("optimizer of the jax backend", optimizer.name, JAX_OPTIMIZERS)
    found = JAX_OPTIMIZERS[optimizer.name]
    for name, off in found.lacks.items():
        if optimizer.settings[name] != off:
            raise InputError(
                f"the jax backend has no '{name}' ({optimizer}): leave it out, or use "
                "--backend torch"
            )
    return found


def ending_at(goal: jax.Array, method: Method) -> Method:
    """The method, but a run whose loss is at or below the goal stays where it is."""

    def step(
        evaluate: Evaluate, packed: jax.Array, state: State
    ) -> tuple[jax.Array, State, Report]:
        moved, state, report = method.step(evaluate, packed, state)
        return jnp.where((report.loss <= goal)[None], packed, moved), state, report

    return method._replace(step=step)


def method(optimizer: Optimizer, numbers: Mapping[str, jax.Array], goal: Goal = None) -> Method:
    """The optimizer as pure functions.

    Args:
      optimizer: what to do.
      numbers: its numbers; each of shape (), or (…) for one a seed.
      goal: the loss at or below which a run stays where it is.

    Raises:
      InputError: see ``record``.
    """
    how = record(optimizer)
    built = how.build(_settings(optimizer), goal)
    return built if goal is None or how.ends_at_goal else ending_at(goal, built)
