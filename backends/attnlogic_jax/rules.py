"""The elementwise rules that are not of Adam's kind, as torch has them.

Source of each formula: the documentation of the optimizer of that name in ``torch.optim``.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from attnlogic.optimizers import Structure
from attnlogic_jax.elementwise import At, Kept, Numbers, Rule


def _zeros(packed: jax.Array, lr: jax.Array) -> jax.Array:
    return jnp.zeros_like(packed)


def sgd(how: Structure, n: Numbers) -> Rule:
    """The velocity ``u ← momentum·u + (1 - dampening)·g``, whose first is g whatever dampening."""
    if "momentum" not in how.enabled:
        return Rule(lambda packed, lr: (), lambda gradient, kept, at: (gradient, kept))

    def direction(gradient: jax.Array, u: jax.Array, at: At) -> tuple[jax.Array, jax.Array]:
        new = gradient
        if "dampening" in how.enabled:
            new = jnp.where(at.t == 1, gradient, n["1-dampening"] * gradient)
        u = new + n["momentum"] * u
        return gradient + n["momentum"] * u if how.chosen["nesterov"] else u, u

    return Rule(_zeros, direction)
