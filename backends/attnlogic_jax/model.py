"""The model as JAX evaluates it: loss, gradient and C of packed parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from attnlogic.problems import ROWS, invariant, mean_squared_error, predict, unpack
from attnlogic_jax.method import GRADIENT, Evaluate, stored


def evaluation(targets: Sequence[Any]) -> Evaluate:
    """The loss of ``attnlogic.problems.neuron``, its gradient and C, stacked: (6, …) to (8, …).

    Each of these rows has a loop of its own in XLA's CPU code, and each would compute all outputs
    anew: so the outputs are stored first, and differentiated in two steps. C is made here so that
    nothing else reads the parameters before they are updated in their place.
    """

    def outputs(rows: tuple[jax.Array, ...]) -> list[jax.Array]:
        return [predict(unpack(rows), x) for x in ROWS]

    def total(outs: tuple[jax.Array, ...]) -> tuple[jax.Array, jax.Array]:
        each = mean_squared_error(outs, targets)
        return jnp.sum(each), each  # seeds do not mix: the sum's gradient is each seed's own

    def evaluate(packed: jax.Array) -> jax.Array:
        rows = tuple(packed)
        outs, pullback = jax.vjp(outputs, rows)
        (_, each), slopes = jax.value_and_grad(total, has_aux=True)(tuple(stored(outs)))
        (gradient,) = pullback(list(slopes))
        return stored([each, *gradient, invariant(unpack(rows))])

    return evaluate


def gradient_norm(evaluate: Evaluate, packed: jax.Array) -> jax.Array:
    """‖∇loss‖ over the six parameters: (6, …) to (…)."""
    # Written out: XLA sums a long row in another order than a short one.
    return jnp.sqrt(sum(g * g for g in evaluate(packed)[GRADIENT]))
