"""The rules of Adam and those made from it, as torch has them.

m and v are running means of the gradient g and of its square, t is the number of the step:
``m ← β₁m + (1 - β₁)g``, ``v ← β₂v + (1 - β₂)g²``. Source of each formula: the documentation of
``torch.optim.Adam``, ``Adamax``, ``NAdam``, ``RAdam``.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from attnlogic.optimizers import Structure
from attnlogic_jax.elementwise import At, Numbers, Rule
from attnlogic_jax.rates import bias_correction


class Moments(NamedTuple):
    """The running means of the gradient and of its square; (P, …)."""

    m: jax.Array
    v: jax.Array


def no_moments(packed: jax.Array, lr: jax.Array) -> Moments:
    """Before the first epoch."""
    return Moments(jnp.zeros_like(packed), jnp.zeros_like(packed))


def updated(moments: Moments, gradient: jax.Array, n: Numbers) -> Moments:
    """The running means with one more gradient."""
    m, v = moments
    return Moments(
        n["1-beta1"] * gradient + n["beta1"] * m,
        n["1-beta2"] * (gradient * gradient) + n["beta2"] * v,
    )


def adam(how: Structure, n: Numbers, *, amsgrad: bool = False) -> Rule:
    """``m/(1 - β₁ᵗ) / (√(v/(1 - β₂ᵗ)) + eps)``; with amsgrad the largest v so far takes v's place.

    The bias corrections are optax's, ``1 - βᵗ`` in the training's precision: in float32 they are
    within 2e-5 of their value.
    """
    amsgrad = amsgrad or bool(how.chosen.get("amsgrad"))

    def init(packed: jax.Array, lr: jax.Array) -> tuple[Moments, jax.Array | None]:
        moments = no_moments(packed, lr)
        return moments, moments.v if amsgrad else None

    def direction(
        gradient: jax.Array, kept: tuple[Moments, jax.Array | None], at: At
    ) -> tuple[jax.Array, tuple[Moments, jax.Array | None]]:
        moments, largest = updated(kept[0], gradient, n), kept[1]
        m, v = moments
        if largest is not None:
            v = largest = jnp.maximum(largest, v)
        m_hat, v_hat = m / (1 - n["beta1"] ** at.t), v / (1 - n["beta2"] ** at.t)
        return m_hat / (jnp.sqrt(v_hat) + n["eps"]), (moments, largest)

    return Rule(init, direction)
