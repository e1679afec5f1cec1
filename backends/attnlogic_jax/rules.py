"""The elementwise rules that are not of Adam's kind, as torch has them.

Source of each formula: the documentation of the optimizer of that name in ``torch.optim``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp

from attnlogic.optimizers import Structure
from attnlogic_jax.elementwise import At, Numbers, Rule


def _zeros(packed: jax.Array, lr: jax.Array) -> jax.Array:
    return jnp.zeros_like(packed)


def sgd(how: Structure, n: Numbers) -> Rule:
    """The velocity ``u ← momentum·u + (1 - dampening)·g``, whose first is g whatever dampening."""
    if "momentum" not in how.enabled:
        return Rule(lambda packed, lr: (), lambda gradient, kept, at: (gradient, kept))

    def direction(gradient: jax.Array, u: jax.Array, at: At) -> tuple[jax.Array, jax.Array]:
        # The factor is chosen, not the product: then XLA rounds alike for few seeds and for many.
        counts = jnp.where(at.t == 1, 1, n["1-dampening"]) if "dampening" in how.enabled else 1
        u = counts * gradient + n["momentum"] * u
        return gradient + n["momentum"] * u if how.chosen["nesterov"] else u, u

    return Rule(_zeros, direction)


def sgd_numbers(given: Mapping[str, float]) -> dict[str, float]:
    """Without momentum there is no velocity for torch to dampen."""
    return {"1-dampening": 1.0} if given.get("momentum") == 0 and "dampening" in given else {}


def asgd(how: Structure, n: Numbers) -> Rule:
    """``ηλθ + ηg``, with ``η = lr/(1 + λ·lr·t)^alpha`` of the step before: first it is lr.

    torch averages the path besides, from step t0 on; that moves no parameter.
    """

    def init(packed: jax.Array, lr: jax.Array) -> jax.Array:
        return lr

    def direction(gradient: jax.Array, eta: jax.Array, at: At) -> tuple[jax.Array, jax.Array]:
        step = eta * (n["lambd"] * at.packed + gradient)
        return step, at.lr / (1 + n["lambd"] * at.lr * at.t) ** n["alpha"]

    return Rule(init, direction, includes_lr=True)


class Signs(NamedTuple):
    """The last gradient, 0 where its sign had just turned, and the size of each step; (P, …)."""

    gradient: jax.Array
    size: jax.Array


def rprop(how: Structure, n: Numbers) -> Rule:
    """A step against the gradient's sign; where the sign turns none, and the next is smaller."""

    def init(packed: jax.Array, lr: jax.Array) -> Signs:
        return Signs(jnp.zeros_like(packed), jnp.zeros_like(packed) + lr)

    def direction(gradient: jax.Array, kept: Signs, at: At) -> tuple[jax.Array, Signs]:
        agrees = gradient * kept.gradient
        factor = jnp.where(agrees > 0, n["eta_plus"], jnp.where(agrees < 0, n["eta_minus"], 1))
        size = jnp.clip(kept.size * factor, n["step_size_min"], n["step_size_max"])
        gradient = jnp.where(agrees < 0, 0, gradient)
        return jnp.sign(gradient) * size, Signs(gradient, size)

    return Rule(init, direction, includes_lr=True)


class Means(NamedTuple):
    """Running means of the squared gradient and, centered, of the gradient; the velocity."""

    square: jax.Array
    gradient: jax.Array | None
    velocity: jax.Array | None


def rmsprop(how: Structure, n: Numbers) -> Rule:
    """``g/(√v + eps)``, where ``v ← alpha·v + (1 - alpha)g²``; centered, v less the mean's square.

    With momentum a velocity sums these: ``u ← momentum·u + g/(√v + eps)``.
    """
    centered, momentum = bool(how.chosen["centered"]), "momentum" in how.enabled

    def init(packed: jax.Array, lr: jax.Array) -> Means:
        none = jnp.zeros_like(packed)
        return Means(none, none if centered else None, none if momentum else None)

    def direction(gradient: jax.Array, kept: Means, at: At) -> tuple[jax.Array, Means]:
        square = n["1-alpha"] * (gradient * gradient) + n["alpha"] * kept.square
        variance, mean, velocity = square, kept.gradient, kept.velocity
        if mean is not None:
            mean = n["1-alpha"] * gradient + n["alpha"] * mean
            variance = square - mean * mean
        step = gradient / (jnp.sqrt(variance) + n["eps"])
        if velocity is not None:
            step = velocity = step + n["momentum"] * velocity
        return step, Means(square, mean, velocity)

    return Rule(init, direction)


def adagrad(how: Structure, n: Numbers) -> Rule:
    """``g/(√Σg² + eps)``, over ``1 + (t - 1)·lr_decay``."""

    def init(packed: jax.Array, lr: jax.Array) -> jax.Array:
        return jnp.zeros_like(packed) + n["initial_accumulator_value"]

    def direction(gradient: jax.Array, total: jax.Array, at: At) -> tuple[jax.Array, jax.Array]:
        total = total + gradient * gradient
        step = gradient / (jnp.sqrt(total) + n["eps"])
        if "lr_decay" in how.enabled:
            step = step / (1 + (at.t - 1) * n["lr_decay"])
        return step, total

    return Rule(init, direction)


class Squares(NamedTuple):
    """Running means of the squares of gradients and of steps; (P, …)."""

    gradient: jax.Array
    step: jax.Array


def adadelta(how: Structure, n: Numbers) -> Rule:
    """``√(E[step²] + eps)/√(E[g²] + eps)·g``, both means kept by rho."""

    def init(packed: jax.Array, lr: jax.Array) -> Squares:
        return Squares(jnp.zeros_like(packed), jnp.zeros_like(packed))

    def direction(gradient: jax.Array, kept: Squares, at: At) -> tuple[jax.Array, Squares]:
        square = n["1-rho"] * (gradient * gradient) + n["rho"] * kept.gradient
        # One root of a quotient: a quotient of roots XLA's CPU compiler rounds otherwise for few
        # seeds than for many.
        step = jnp.sqrt((kept.step + n["eps"]) / (square + n["eps"])) * gradient
        return step, Squares(square, n["1-rho"] * (step * step) + n["rho"] * kept.step)

    return Rule(init, direction)
