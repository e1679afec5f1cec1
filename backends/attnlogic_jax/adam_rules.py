"""The rules of Adam and those made from it, as torch has them.

m and v are running means of the gradient g and of its square, t is the number of the step:
``m ← β₁m + (1 - β₁)g``, ``v ← β₂v + (1 - β₂)g²``. Source of each formula: the documentation of
``torch.optim.Adam``, ``Adamax``, ``NAdam``, ``RAdam``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
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


def adamax(how: Structure, n: Numbers) -> Rule:
    """``m/(1 - β₁ᵗ) / u`` with the fading maximum ``u ← max(β₂u, |g| + eps)``."""

    def direction(gradient: jax.Array, kept: Moments, at: At) -> tuple[jax.Array, Moments]:
        m = n["1-beta1"] * gradient + n["beta1"] * kept.m
        u = jnp.maximum(n["beta2"] * kept.v, jnp.abs(gradient) + n["eps"])
        return m / bias_correction(n["log_beta1"], at.t) / u, Moments(m, u)

    return Rule(no_moments, direction)


class Nesterov(NamedTuple):
    """The moments, and the product of all μ so far; (P, …), (P, …) and a number's shape."""

    moments: Moments
    product: jax.Array


NADAM_BASE = 0.96
"""μₜ rises from β₁/2 to β₁ as ``1 - 0.96^(t·momentum_decay)/2`` does (Dozat, 2016)."""


def nadam(how: Structure, n: Numbers) -> Rule:
    """``((1 - μₜ)g/(1 - Πμ) + μₜ₊₁m/(1 - μₜ₊₁Πμ)) / (√(v/(1 - β₂ᵗ)) + eps)``.

    With ``μₜ = β₁(1 - 0.96^(t·momentum_decay)/2)`` and Πμ the product of ``μ₁ … μₜ``.
    """

    def mu(t: jax.Array) -> jax.Array:
        return n["beta1"] * (1 - 0.5 * jnp.exp(t * n["decay_per_step"]))

    def init(packed: jax.Array, lr: jax.Array) -> Nesterov:
        return Nesterov(no_moments(packed, lr), jnp.ones_like(n["beta1"]))

    def direction(gradient: jax.Array, kept: Nesterov, at: At) -> tuple[jax.Array, Nesterov]:
        moments = updated(kept.moments, gradient, n)
        now, following = mu(at.t), mu(at.t + 1)
        product = kept.product * now
        ahead = (1 - now) / (1 - product) * gradient + following / (
            1 - product * following
        ) * moments.m
        v_hat = moments.v / bias_correction(n["log_beta2"], at.t)
        return ahead / (jnp.sqrt(v_hat) + n["eps"]), Nesterov(moments, product)

    return Rule(init, direction)


def nadam_numbers(given: Mapping[str, float]) -> dict[str, float]:
    """What ``nadam`` needs besides."""
    return {"decay_per_step": given["momentum_decay"] * math.log(NADAM_BASE)}


RECTIFIED_FROM = 5.0
"""RAdam divides by the root once ρₜ is above it."""


def radam(how: Structure, n: Numbers) -> Rule:
    """``m/(1 - β₁ᵗ)``; once ρₜ > 5 times ``rₜ √(1 - β₂ᵗ)/(√v + eps)``.

    With ``ρₜ = ρ∞ - 2tβ₂ᵗ/(1 - β₂ᵗ)``, ``ρ∞ = 2/(1 - β₂) - 1`` and
    ``rₜ = √((ρₜ - 4)(ρₜ - 2)ρ∞ / ((ρ∞ - 4)(ρ∞ - 2)ρₜ))``.
    """

    def direction(gradient: jax.Array, kept: Moments, at: At) -> tuple[jax.Array, Moments]:
        kept = updated(kept, gradient, n)
        m_hat = kept.m / bias_correction(n["log_beta1"], at.t)
        h = -n["log_beta2"] * at.t
        ρ = n["rho_offset"] + n["rho_scale"] * one_minus_bernoulli(h)
        rectified = ρ > RECTIFIED_FROM
        ρ = jnp.where(rectified, ρ, RECTIFIED_FROM)  # no root of a negative number
        r = jnp.sqrt((ρ - 4) * (ρ - 2) * n["rho_factor"] / ρ)
        adaptive = r * jnp.sqrt(-jnp.expm1(-h)) / (jnp.sqrt(kept.v) + n["eps"])
        return m_hat * jnp.where(rectified, adaptive, 1), kept

    return Rule(no_moments, direction)


def radam_numbers(given: Mapping[str, float]) -> dict[str, float]:
    """What ``radam`` needs besides: ρₜ is ``rho_offset + rho_scale·(1 - h/(eʰ - 1))``.

    With ``h = -t log β₂``: so ρₜ, which begins near 1, is not the difference of two numbers near
    ρ∞, as large as 2000, of whose digits float32 has none to spare.
    """
    beta2 = given["beta2"]
    if beta2 == 0:  # ρ is 1 throughout
        return {"rho_offset": 1.0, "rho_scale": 0.0, "rho_factor": 0.0}
    limit, scale = 2 / (1 - beta2) - 1, -2 / math.log(beta2)
    factor = limit / ((limit - 4) * (limit - 2)) if limit > RECTIFIED_FROM else 0.0
    return {"rho_offset": limit - scale, "rho_scale": scale, "rho_factor": factor}


def one_minus_bernoulli(h: jax.Array) -> jax.Array:
    """``1 - h/(eʰ - 1)`` for h ≥ 0 to the dtype's last digits.

    For small h from the series of Bernoulli's numbers, ``h/2 - h²/12 + h⁴/720 - …``: below 1/2 what
    is left out is 1e-16 of the sum.
    """
    small = jnp.minimum(h, 0.5)
    square, series = small * small, jnp.zeros_like(h)
    for coefficient in reversed(_BERNOULLI):
        series = coefficient + square * series
    large = jnp.maximum(h, 0.5)
    return jnp.where(h < 0.5, small * (0.5 - small * series), 1 - large / jnp.expm1(large))


_BERNOULLI = (
    1 / 12,
    -1 / 720,
    1 / 30_240,
    -1 / 1_209_600,
    1 / 47_900_160,
    -691 / 1_307_674_368_000,
)
"""``B₂ₖ/(2k)!`` for k = 1 … 6."""
