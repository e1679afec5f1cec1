"""What is handed to the compiler: training on many seeds, as a few jitted functions.

The optimizer, with its hyperparameters, and the chunk's size are compiled in; gate, threshold and
budget are not, so one compilation serves them all.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax

from attnlogic.optimizers import Optimizer
from attnlogic.outcomes import Outcome
from attnlogic_jax import training
from attnlogic_jax.optimizers import method
from attnlogic_jax.training import BLOCK, Carry


@partial(jax.jit, static_argnames="optimizer")
def start(optimizer: Optimizer, packed: jax.Array) -> Carry:
    return training.start(method(optimizer), packed)


@partial(jax.jit, static_argnames="optimizer", donate_argnames="carry")
def advance(
    optimizer: Optimizer, targets: jax.Array, threshold: jax.Array, carry: Carry,
    blocks: jax.Array, rest: jax.Array,
) -> Carry:  # fmt: skip
    """``blocks`` blocks of epochs, then ``rest`` single epochs: any budget, compiled once."""
    how, evaluate = method(optimizer), training.evaluation(tuple(targets))
    for count, length in ((blocks, BLOCK), (rest, 1)):
        carry = jax.lax.fori_loop(
            0, count, lambda _, c, n=length: training.advance(how, evaluate, threshold, c, n), carry
        )
    return carry


@partial(jax.jit, static_argnames="optimizer")
def finish(
    optimizer: Optimizer, targets: jax.Array, threshold: jax.Array, initial: jax.Array, carry: Carry
) -> Outcome:
    how, evaluate = method(optimizer), training.evaluation(tuple(targets))
    return training.finish(how, evaluate, threshold, initial, carry)


@partial(jax.jit, static_argnames=("optimizer", "blocks", "length"))
def trace(
    optimizer: Optimizer, targets: jax.Array, at: Any, blocks: int, length: int
) -> tuple[Any, Any]:
    """``blocks`` blocks of ``length`` epochs, keeping what each told: (blocks, length, …).

    In blocks, as the fast path trains, so that the same code is compiled and rounds the same.
    """
    how, evaluate = method(optimizer), training.evaluation(tuple(targets))
    return jax.lax.scan(
        lambda at, _: training.epochs(how, evaluate, at, length), at, None, length=blocks
    )


@jax.jit
def gradient_norm(targets: jax.Array, packed: jax.Array) -> jax.Array:
    return training.gradient_norm(training.evaluation(tuple(targets)), packed)
