"""The learning rate of an epoch: ``lr`` times a factor that depends on the epoch."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from attnlogic.optimizers import Structure, rate_factor


def learning_rate(how: Structure, numbers: Mapping[str, jax.Array], epoch: jax.Array) -> jax.Array:
    """The learning rate of an epoch, of the shape and dtype of ``lr``.

    Args:
      how: the optimizer's structure.
      numbers: its numbers: ``lr``, and those of its schedule.
      epoch: the epochs done; ().
    """
    lr = numbers["lr"]
    if not how.schedule:
        return lr
    of_schedule = {
        name.removeprefix("schedule."): number
        for name, number in numbers.items()
        if name.startswith("schedule.")
    }
    factor: jax.Array = rate_factor(how.schedule, epoch, of_schedule, jnp)
    return lr * factor.astype(lr.dtype)


def power(logarithm: jax.Array, count: jax.Array) -> jax.Array:
    """``x^count`` from ``log x``, which the host computes in float64.

    Through the logarithm: float32's rounding of x itself would grow with the count, to 2e-4 of the
    result after 8000 epochs.
    """
    return jnp.exp(count * logarithm)


def bias_correction(logarithm: jax.Array, count: jax.Array) -> jax.Array:
    """``1 - x^count`` from ``log x``: to the dtype's last digits, also where x is close to 1."""
    return -jnp.expm1(count * logarithm)
