"""A problem as JAX evaluates it: loss, gradient and own numbers of packed parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from attnlogic.problems import NO_DATA, Data, OwnLoss, Problem, mean_squared_error
from attnlogic_jax.method import Evaluate, Evaluated, made_once, stored
from attnlogic_jax.platforms import Platform
from attnlogic_jax.zeros import can_be_dropped, nothing, number

MAX_ROWS_IN_A_LINE = 64
"""Rows of data up to which each is compiled by itself, its zeros left out. More are an axis."""


def evaluation(
    problem: Problem, targets: Sequence[Any], platform: Platform, *, drop_zeros: bool = False
) -> Evaluate:
    """What a problem is at some parameters.

    Args:
      problem: what is trained; its targets are not looked at.
      targets: one a row, each of shape () or (…).
      platform: what it is compiled for.
      drop_zeros: whether products with an input that is 0 are computed once, see ``zeros``: the
        numbers are the same, but JAX cannot differentiate them forwards.
    """
    if isinstance(problem.model, OwnLoss):
        return _of_own_loss(problem, targets, platform)
    return _of_arithmetic(problem, targets, platform, drop_zeros=drop_zeros)


def _of_own_loss(problem: Problem, targets: Sequence[Any], platform: Platform) -> Evaluate:
    """A user's loss of a pytree: seed by seed, side by side.

    What the loss hands to its derivative is stored, else each derivative would compute it anew.
    """

    def evaluate(packed: jax.Array) -> Evaluated:
        loss = problem.prepared.loss
        given: tuple[jax.Array, ...] = ()
        if targets:
            given = (jnp.asarray(problem.data.inputs, packed.dtype), jnp.stack(targets))
        if packed.ndim > 1:
            axes = [None, -1 if given[1].ndim > 1 else None] if given else []
            loss = jax.vmap(loss, in_axes=[-1, *axes])
        each, pullback = made_once(platform, jax.vjp(lambda p: loss(p, *given), packed))
        (gradient,) = pullback(jnp.ones_like(each))  # seeds do not mix
        return Evaluated(jnp.concatenate([each[None], gradient]), ())

    return evaluate


def _of_arithmetic(
    problem: Problem, targets: Sequence[Any], platform: Platform, *, drop_zeros: bool
) -> Evaluate:
    """The loss, its gradient and the model's own numbers, stacked: (P, …) to (1 + P + Q, …).

    Each of these rows has a loop of its own in XLA's CPU code, and each would compute all outputs
    anew: so the outputs are stored first, and differentiated in two steps. The quantities are made
    here so that nothing else reads the parameters before they are updated in their place.

    Args:
      problem, targets, platform, drop_zeros: as for ``evaluation``.
    """
    inputs = problem.data.inputs
    in_a_line = len(inputs) <= MAX_ROWS_IN_A_LINE
    drop_zeros = drop_zeros and in_a_line and platform.by_core and can_be_dropped(problem)

    def outputs(rows: tuple[jax.Array, ...]) -> list[jax.Array]:
        if drop_zeros:
            zero = nothing(platform, rows)
            return [number(problem.predict(rows, [v or zero for v in x])) for x in inputs]
        if in_a_line:
            return [problem.predict(rows, x, jnp) for x in inputs]
        columns = jnp.asarray(inputs, rows[0].dtype).T
        x = [column.reshape(-1, *[1] * rows[0].ndim) for column in columns]
        return [problem.predict([row[None] for row in rows], x, jnp)]

    def total(outs: tuple[jax.Array, ...]) -> tuple[jax.Array, jax.Array]:
        if in_a_line:
            each = mean_squared_error(outs, targets)
        else:
            wanted = jnp.stack([jnp.broadcast_to(t, outs[0].shape[1:]) for t in targets])
            each = jnp.mean((outs[0] - wanted) ** 2, axis=0)
        return jnp.sum(each), each  # seeds do not mix: the sum's gradient is each seed's own

    def evaluate(packed: jax.Array) -> Evaluated:
        rows = tuple(packed)
        outs, pullback = jax.vjp(outputs, rows)
        (_, each), slopes = jax.value_and_grad(total, has_aux=True)(tuple(stored(platform, outs)))
        (gradient,) = pullback(list(slopes))
        own = problem.quantities(rows)
        return Evaluated(stored(platform, [each, *gradient, *own.values()]), tuple(own))

    return evaluate


def without_targets(problem: Problem) -> Problem:
    """The problem as it is compiled: equal for all of one kind."""
    data = problem.data
    if data == NO_DATA:
        return problem
    return Problem(problem.model, Data("", data.inputs, (0,) * len(data.targets)))


def gradient_norm(evaluate: Evaluate, packed: jax.Array) -> jax.Array:
    """‖∇loss‖ over all parameters: (P, …) to (…)."""
    # Written out: XLA sums a long row in another order than a short one.
    return jnp.sqrt(sum(g * g for g in evaluate(packed).gradient))
