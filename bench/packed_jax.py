"""The fastest that we found with JAX and optax alone, and that a good user could write.

- The loss is arithmetic on a row of seeds for each scalar parameter, instead of small arrays for
  each seed; XLA makes long vectors of it. A user's own loss is mapped over the last axis.
- The gradient of the sum over the seeds is every seed's own gradient, without ``vmap``.
- Parameters are one array (P, seeds) for Adam and AdamW, whose update then is a few operations on
  long rows; and one array each for optimizers without state, where XLA would compute the whole
  gradient anew for each row of the one.
- Chunks of seeds stay in a core's cache for all epochs, and a thread for each core trains them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from attnlogic.backend import Training
from attnlogic.problems import Model, Problem, mean_squared_error
from bench.plain_jax import transformation
from bench.work import Result, Starts

CHUNK = 4096
"""Seeds that a core trains at once: of 256 … 8192 the fastest."""

STACKED = ("adam", "adamw")
"""Optimizers whose parameters are one array."""


Rows = jax.Array | tuple[jax.Array, ...]
"""Parameters: an array (P, n), or P arrays (n,)."""


def losses(problem: Problem) -> Callable[[Rows], jax.Array]:
    """The losses (n,) of each seed's parameters."""
    model, data = problem.model, problem.data
    if not isinstance(model, Model):
        x, y = jnp.array(data.inputs, jnp.float32), jnp.array(data.targets, jnp.float32)
        own: Callable[[jax.Array], jax.Array]
        own = jax.vmap(lambda packed: model.loss(problem.unpack(packed), x, y), in_axes=-1)
        return lambda rows: own(jnp.stack([*rows]))
    scalars = range(len(problem.names))

    def arithmetic(rows: Rows) -> jax.Array:
        packed = [rows[i] for i in scalars]  # unpacking the array itself makes slower code
        outputs = [problem.predict(packed, x, jnp) for x in data.inputs]
        each: jax.Array = mean_squared_error(outputs, data.targets)
        return each

    return arithmetic


def trainer(training: Training) -> Callable[[dict[str, float], jax.Array], jax.Array]:
    """A compiled function from the optimizer's numbers and packed starts to first hits (n,).

    Raises:
      SkippedError: optax has another optimizer of this name.
    """
    name, losses_of = training.optimizer.name, losses(training.problem)
    transformation(name, training.optimizer.settings)  # one that is lacking is refused here

    def summed(rows: Rows) -> tuple[jax.Array, jax.Array]:
        each = losses_of(rows)
        return each.sum(), each

    def train(settings: dict[str, Any], packed: jax.Array) -> jax.Array:
        start: Rows = packed if name in STACKED else tuple(packed)
        how = optax.with_extra_args_support(transformation(name, settings))

        def update(gradient: Rows, state: Any, rows: Rows, value: jax.Array) -> Any:
            return how.update(gradient, state, rows, value=value)

        if name == "polyak":  # its step has a norm of each seed's gradient
            update = jax.vmap(update, in_axes=(-1, None, -1, -1), out_axes=(-1, None))

        def epoch(carry: Any, number: jax.Array) -> tuple[Any, None]:
            rows, state, first_hit = carry
            (_, value), gradient = jax.value_and_grad(summed, has_aux=True)(rows)
            updates, state = update(gradient, state, rows, value)
            hits = (value <= training.threshold) & (first_hit < 0)
            first_hit = jnp.where(hits, number, first_hit)
            return (optax.apply_updates(rows, updates), state, first_hit), None

        carry = (start, how.init(start), jnp.full(packed.shape[1], -1))
        return jax.lax.scan(epoch, carry, jnp.arange(training.epochs))[0][2]

    return jax.jit(train)


def prepare(training: Training, initial: Starts) -> Callable[[], Result]:
    """Give what trains these seeds; see ``work.Contender``."""
    return prepare_conditions([training], initial)


def prepare_conditions(trainings: Sequence[Training], initial: Starts) -> Callable[[], Result]:
    """Give what trains the same seeds under each condition, which is compiled once for all.

    Args:
      trainings: conditions that differ in the optimizer's numbers alone.
      initial: packed starts (P, N).

    Returns:
      A function whose ``first_hit`` has the seeds of one condition after those of the other.
    """
    train, cores = trainer(trainings[0]), os.cpu_count() or 1
    seeds, many = initial.shape[1], len(trainings)
    size = max(1, min(CHUNK, -(-seeds * many // cores)))
    # A last chunk that is smaller would be compiled anew: it is filled up.
    padded = np.pad(initial, [(0, 0), (0, -seeds % size)], mode="edge")
    chunks = [padded[:, i : i + size] for i in range(0, padded.shape[1], size)]

    def one(work: tuple[dict[str, float], Starts]) -> Any:
        settings, chunk = work
        return np.asarray(train(settings, jnp.asarray(chunk)))

    def run() -> Result:
        work = [
            ({k: float(v) for k, v in each.optimizer.step_settings.items()}, chunk)
            for each in trainings
            for chunk in chunks
        ]
        with ThreadPoolExecutor(cores) as pool:
            first_hit = np.concatenate([*pool.map(one, work)]).reshape(many, -1)[:, :seeds]
        return Result(first_hit.ravel(), seeds * many * trainings[0].epochs)

    return run
