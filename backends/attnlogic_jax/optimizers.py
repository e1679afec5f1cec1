"""The optimizers of ``attnlogic.optimizers`` as methods on packed parameters.

The elementwise ones are optax's own, applied to the packed array as if it were one parameter; those
that need a norm or a dot product over the six parameters of a seed reduce over axis 0.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax

from attnlogic.errors import InputError
from attnlogic.optimizers import Optimizer
from attnlogic_jax.lbfgs import lbfgs
from attnlogic_jax.method import (
    GRADIENT,
    INVARIANT,
    LOSS,
    Evaluate,
    Goal,
    Method,
    Report,
    State,
    rate,
)


def from_optax(transformation: optax.GradientTransformation) -> Method:
    """Any elementwise optax optimizer, on the packed array."""

    def step(
        evaluate: Evaluate, packed: jax.Array, state: State
    ) -> tuple[jax.Array, State, Report]:
        stacked = evaluate(packed)
        updates, state = transformation.update(stacked[GRADIENT], state, packed)
        report = Report(stacked[LOSS], stacked[INVARIANT])
        return optax.apply_updates(packed, updates), state, report

    return Method(transformation.init, step)


def polyak(f_min: float, tolerance: float) -> Method:
    """Polyak's step ``x ← x - (loss - f_min)/‖g‖² · g``; a run stops once ‖g‖² < tolerance.

    ``optax.polyak_sgd`` caps its step and guards otherwise, and takes its norm over all seeds.

    Reference: Polyak, "Introduction to Optimization", 1987, section 5.3.
    """

    def step(
        evaluate: Evaluate, packed: jax.Array, state: State
    ) -> tuple[jax.Array, State, Report]:
        stacked = evaluate(packed)
        loss, gradient = stacked[LOSS], stacked[GRADIENT]
        # Written out: XLA sums a long row in another order, and then a run's last bits would depend
        # on how many seeds stand beside it.
        square = sum(g * g for g in gradient)
        stopped = square < tolerance
        rate = (loss - f_min) / jnp.where(stopped, 1.0, square)
        moved = packed - jnp.where(stopped, 0.0, rate) * gradient
        return moved, state, Report(loss, stacked[INVARIANT], stopped=stopped)

    return Method(lambda packed: (), step)


def _adam(s: dict[str, Any], *, decoupled: bool) -> optax.GradientTransformation:
    decay = optax.add_decayed_weights(s["weight_decay"])
    return optax.chain(
        optax.identity() if decoupled else decay,
        optax.scale_by_adam(b1=s["beta1"], b2=s["beta2"], eps=s["eps"]),
        decay if decoupled else optax.identity(),
        optax.scale_by_learning_rate(_rate(s)),
    )


def _sgd(s: dict[str, Any]) -> optax.GradientTransformation:
    trace = optax.trace(decay=s["momentum"], nesterov=s["nesterov"])
    return optax.chain(
        optax.add_decayed_weights(s["weight_decay"]),
        trace if s["momentum"] else optax.identity(),
        optax.scale_by_learning_rate(_rate(s)),
    )


def _rate(s: dict[str, Any]) -> float | optax.Schedule:
    """The learning rate: a number, or ``lr·gamma^epoch`` where gamma is not 1."""
    return float(s["lr"]) if s["gamma"] == 1 else partial(rate, s["lr"], s["gamma"])


def ending_at(goal: jax.Array, method: Method) -> Method:
    """The method, but a run whose loss is at or below the goal stays where it is."""

    def step(
        evaluate: Evaluate, packed: jax.Array, state: State
    ) -> tuple[jax.Array, State, Report]:
        moved, state, report = method.step(evaluate, packed, state)
        return jnp.where(report.loss <= goal, packed, moved), state, report

    return method._replace(step=step)


def method(optimizer: Optimizer, goal: Goal = None) -> Method:
    """The optimizer as pure functions.

    Args:
      optimizer: what to do.
      goal: the loss at or below which a run stays where it is.

    Raises:
      InputError: it asks for what optax has not (see ``check``).
    """
    check(optimizer)
    s: dict[str, Any] = optimizer.settings
    match optimizer.name:
        case "adam":
            found = from_optax(_adam(s, decoupled=False))
        case "adamw":
            found = from_optax(_adam(s, decoupled=True))
        case "sgd":
            found = from_optax(_sgd(s))
        case "polyak":
            found = polyak(**s)
        case "lbfgs":
            return lbfgs(**s, goal=goal)  # it spares such a run its iterations
        case _:
            raise InputError(f"the jax backend has no optimizer '{optimizer.name}'")
    return found if goal is None else ending_at(goal, found)


def check(optimizer: Optimizer) -> None:
    """Refuse what this backend lacks.

    Raises:
      InputError: ``amsgrad`` (optax corrects the bias before its maximum, torch after) or
        ``dampening`` (optax has none).
    """
    for name in optimizer.changed("amsgrad", "dampening"):
        raise InputError(
            f"the jax backend has no '{name}' ({optimizer}): leave it out, or use --backend torch"
        )
