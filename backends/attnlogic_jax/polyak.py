"""Polyak's step, for many seeds side by side."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from attnlogic_jax.method import Evaluate, Method, Report, State


def polyak(numbers: Mapping[str, jax.Array]) -> Method:
    """Polyak's step ``x ← x - (loss - f_min)/‖g‖² · g``; a run stops once ‖g‖² < tolerance.

    ``optax.polyak_sgd`` caps its step and guards otherwise, and takes its norm over all seeds.

    Reference: Polyak, "Introduction to Optimization", 1987, section 5.3.
    """
    f_min, tolerance = numbers["f_min"], numbers["tolerance"]

    def step(
        evaluate: Evaluate, packed: jax.Array, state: State
    ) -> tuple[jax.Array, State, Report]:
        here = evaluate(packed)
        loss, gradient = here.loss, here.gradient
        # Written out: XLA sums a long row in another order, and then a run's last bits would depend
        # on how many seeds stand beside it.
        square = sum(g * g for g in gradient)
        stopped = square < tolerance
        rate = (loss - f_min) / jnp.where(stopped, 1.0, square)
        moved = packed - jnp.where(stopped, 0.0, rate)[None] * gradient
        return moved, state, Report(loss, here.quantities, stopped=stopped)

    return Method(lambda packed: (), step)
