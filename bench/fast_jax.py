"""The fastest that we found with JAX and optax alone, and that a good user could write.

Chunks of seeds stay in a core's cache for all epochs, and a thread for each core trains them. How a
chunk is trained depends on the number of parameters:

- Few: the loss is arithmetic on a row of seeds for each scalar parameter, instead of small arrays
  for each seed; XLA makes long vectors of it. The gradient of the sum over the seeds is every
  seed's own gradient, without ``vmap``.
- Very few, with Adam or AdamW: the same, and all rows are one array (P, seeds), which makes optax's
  update a few operations on long rows. With more parameters, or an optimizer without state, XLA
  would compute the whole gradient anew for each row of that array.
- Many, or a user's own loss: array code with ``vmap``, as in ``plain_jax``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from attnlogic.backend import Training
from attnlogic.problems import Model, Problem, mean_squared_error
from bench.plain_jax import one_seed, transformation
from bench.plain_models import array_code
from bench.work import Result, Starts

CHUNK = 4096
"""Seeds of a chunk, with few parameters: of 256 … 8192 the fastest."""

ARRAYS_CHUNK = 512
"""Seeds of a chunk in array code: of 128 … 2048 the fastest."""

FEW, VERY_FEW = 32, 8
"""Parameters, at most."""

STATEFUL = ("adam", "adamw")
"""Optimizers whose state has the shape of the parameters."""

Rows = jax.Array | tuple[jax.Array, ...]
"""Parameters: an array (P, n), or P arrays (n,)."""


def losses(problem: Problem) -> Callable[[Rows], jax.Array]:
    """The losses (n,) of each seed's parameters, by the model's arithmetic."""
    data, scalars = problem.data, range(len(problem.names))

    def arithmetic(rows: Rows) -> jax.Array:
        packed = [rows[i] for i in scalars]  # unpacking the array itself makes slower code
        outputs = [problem.predict(packed, x, jnp) for x in data.inputs]
        each: jax.Array = mean_squared_error(outputs, data.targets)
        return each

    return arithmetic


def trainer(training: Training) -> tuple[Any, int]:
    """The jitted function that trains a chunk, and how many seeds a chunk has, at most."""
    problem = training.problem
    if isinstance(problem.model, Model) and len(problem.names) <= FEW:
        return by_rows(training), CHUNK
    params_of, train = array_code(problem).params, one_seed(training)

    def by_arrays(settings: dict[str, float], packed: jax.Array) -> jax.Array:
        start = jax.vmap(params_of, in_axes=-1)(packed)
        return jax.vmap(train, in_axes=(None, 0))(settings, start)

    return jax.jit(by_arrays), ARRAYS_CHUNK


def by_rows(training: Training) -> Any:
    """A jitted function from the optimizer's numbers and packed starts to first hits (n,)."""
    name, count = training.optimizer.name, len(training.problem.names)
    stacked = name in STATEFUL and count <= VERY_FEW
    losses_of = losses(training.problem)

    def summed(rows: Rows) -> tuple[jax.Array, jax.Array]:
        each = losses_of(rows)
        return each.sum(), each

    def train(settings: dict[str, Any], packed: jax.Array) -> jax.Array:
        start: Rows = packed if stacked else tuple(packed)
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
    (train, most), cores = trainer(trainings[0]), os.cpu_count() or 1
    seeds, many = initial.shape[1], len(trainings)
    size = min(most, seeds, -(-seeds * many // cores))
    # A last chunk that is smaller would be compiled anew: it is filled up.
    padded = np.pad(initial, [(0, 0), (0, -seeds % size)], mode="edge")
    chunks = [padded[:, i : i + size] for i in range(0, padded.shape[1], size)]
    numbers = [
        {name: float(value) for name, value in settings.items() if isinstance(value, (int, float))}
        for settings in (each.optimizer.step_settings for each in trainings)
    ]
    compiled = train.lower(numbers[0], jnp.asarray(chunks[0])).compile()

    def one(work: tuple[dict[str, float], Starts]) -> Any:
        settings, chunk = work
        return np.asarray(compiled(settings, jnp.asarray(chunk)))

    def run() -> Result:
        with ThreadPoolExecutor(cores) as pool:
            hits = [*pool.map(one, product(numbers, chunks))]
        first_hit = np.concatenate(hits).reshape(many, -1)[:, :seeds]
        return Result(first_hit.ravel(), seeds * many * trainings[0].epochs)

    return run
