"""What the device can do at most, measured: a table of devices' names would age."""

from __future__ import annotations

import time
from collections.abc import Callable

import jax
import jax.numpy as jnp

from attnlogic_jax.platforms import Platform
from attnlogic_jax.xla import options

NUMBERS = {"cpu": 2**24}
"""float32 numbers that are moved, by platform: more than its caches hold."""
MANY_NUMBERS = 2**27

CHAINS, ROUNDS = 8, 64
"""Products that do not wait for each other, and how often each is done for a number."""

REPETITIONS = 7


def bytes_a_second(platform: Platform) -> float:
    """Bytes that are read from and written to memory, by adding one to many numbers."""
    count = NUMBERS.get(platform.name, MANY_NUMBERS)
    add = jax.jit(lambda x: x + 1, compiler_options=options(platform), donate_argnums=0)
    return 2 * 4 * count / _least_seconds(add, jnp.zeros(count))


def operations_a_second(platform: Platform) -> float:
    """Products of float32 numbers that stay in registers meanwhile.

    An operation is one instruction here, as most of an epoch's are. A fused product and sum would
    count as two.
    """
    count = NUMBERS.get(platform.name, MANY_NUMBERS) // 16

    def multiply(x: jax.Array, factors: jax.Array) -> jax.Array:
        chains = [x * factor for factor in factors]
        for _ in range(ROUNDS):  # each by its neighbour: no product is known beforehand
            around = zip(chains, chains[1:] + chains[:1], strict=True)
            chains = [one * other for one, other in around]
        return sum(chains[1:], chains[0]) / CHAINS

    work = jax.jit(multiply, compiler_options=options(platform), donate_argnums=0)
    ones = jnp.ones(CHAINS)  # which the compiler does not know; and so are all products
    return CHAINS * ROUNDS * count / _least_seconds(lambda x: work(x, ones), jnp.ones(count))


def _least_seconds(function: Callable[[jax.Array], jax.Array], x: jax.Array) -> float:
    x = function(x).block_until_ready()  # compiled
    seconds = []
    for _ in range(REPETITIONS):
        began = time.perf_counter()
        x = function(x).block_until_ready()
        seconds.append(time.perf_counter() - began)
    return min(seconds)
