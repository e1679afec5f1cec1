"""The notebook's neuron as an Equinox user writes it: a ``Module``, ``filter_vmap``, optax."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from attnlogic.backend import Training
from attnlogic.problems import ROWS
from bench.plain_jax import transformation
from bench.work import Result, Starts


class Neuron(eqx.Module):
    """Attention on scalar tokens, with a linear readout."""

    wq: jax.Array
    wk: jax.Array
    wv: jax.Array
    readout: jax.Array
    bias: jax.Array

    def __call__(self, x: jax.Array) -> jax.Array:
        """The output for one row of inputs."""
        q, k, v = self.wq * x, self.wk * x, self.wv * x
        return self.readout @ (jnp.outer(q, k) @ v + x) + self.bias


def prepare(training: Training, initial: Starts) -> Callable[[], Result]:
    """Give what trains these seeds; see ``work.Contender``."""
    by = training.optimizer
    how = optax.with_extra_args_support(transformation(by.name, by.settings))
    x = jnp.array(ROWS, jnp.float32)
    y = jnp.array(training.problem.data.targets, jnp.float32)

    @eqx.filter_value_and_grad
    def evaluate(neuron: Neuron) -> jax.Array:
        return jnp.mean((jax.vmap(neuron)(x) - y) ** 2)

    @eqx.filter_jit
    @eqx.filter_vmap
    def train(packed: jax.Array) -> jax.Array:
        """One seed's first hit."""
        start = Neuron(packed[0], packed[1], packed[2], packed[3:5], packed[5])

        def epoch(carry: Any, number: jax.Array) -> tuple[Any, None]:
            neuron, state, first_hit = carry
            value, gradient = evaluate(neuron)
            updates, state = how.update(gradient, state, neuron, value=value)
            hits = (value <= training.threshold) & (first_hit < 0)
            first_hit = jnp.where(hits, number, first_hit)
            return (eqx.apply_updates(neuron, updates), state, first_hit), None

        carry = (start, how.init(start), jnp.array(-1))
        return jax.lax.scan(epoch, carry, jnp.arange(training.epochs))[0][2]

    starts = jnp.asarray(initial.T)
    return lambda: Result(np.asarray(train(starts)), initial.shape[1] * training.epochs)
