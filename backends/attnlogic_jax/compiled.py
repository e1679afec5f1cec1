"""What is handed to the compiler: training on many seeds, as a few jitted functions.

The optimizer, with its hyperparameters, whether runs end at their first hit, and the chunk's size
are compiled in; gate, threshold and budget are not, so one compilation serves them all.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax

from attnlogic.backend import Training
from attnlogic.optimizers import Optimizer
from attnlogic.outcomes import NONE, Outcome
from attnlogic_jax import optimizers, training
from attnlogic_jax.method import Method
from attnlogic_jax.training import BLOCK, Carry


class Plan(NamedTuple):
    """What of a training is compiled in."""

    optimizer: Optimizer
    until_hit: bool

    @classmethod
    def of(cls, training: Training) -> Plan:
        """That of a training."""
        return cls(training.optimizer, training.until == "hit")

    def method(self, threshold: jax.Array) -> Method:
        """The optimizer's functions."""
        return optimizers.method(self.optimizer, threshold if self.until_hit else None)


@partial(jax.jit, static_argnames="plan")
def start(plan: Plan, threshold: jax.Array, packed: jax.Array) -> Carry:
    return training.start(plan.method(threshold), packed)


@partial(jax.jit, static_argnames="plan", donate_argnames="carry")
def advance(
    plan: Plan, targets: jax.Array, threshold: jax.Array, carry: Carry, blocks: jax.Array,
    rest: jax.Array,
) -> Carry:  # fmt: skip
    """``blocks`` blocks of epochs, then ``rest`` single epochs: any budget, compiled once."""
    how, evaluate = plan.method(threshold), training.evaluation(tuple(targets))
    for count, length in ((blocks, BLOCK), (rest, 1)):
        carry = jax.lax.fori_loop(
            0, count, lambda _, c, n=length: training.advance(how, evaluate, threshold, c, n), carry
        )
    return carry


@partial(jax.jit, static_argnames="plan")
def finish(
    plan: Plan, targets: jax.Array, threshold: jax.Array, initial: jax.Array, carry: Carry
) -> Outcome:
    how, evaluate = plan.method(threshold), training.evaluation(tuple(targets))
    return training.finish(how, evaluate, threshold, initial, carry, until_hit=plan.until_hit)


@jax.jit
def going(carry: Carry) -> jax.Array:
    """Which runs have not ended, where a hit ends one: (N,)."""
    seen = carry.seen
    return (seen.first_hit == NONE) & (seen.diverged_at == NONE) & (seen.stopped_at == NONE)


@jax.jit
def take(carry: Carry, initial: jax.Array, chosen: jax.Array) -> tuple[Carry, jax.Array]:
    """Some of the seeds, with where they began; what is not told by seed stays."""
    some: tuple[Carry, jax.Array] = jax.tree.map(
        lambda leaf: leaf[..., chosen] if leaf.ndim else leaf, (carry, initial)
    )
    return some


@partial(jax.jit, static_argnames=("plan", "blocks", "length"))
def trace(
    plan: Plan, targets: jax.Array, threshold: jax.Array, at: Any, blocks: int, length: int
) -> tuple[Any, Any]:
    """``blocks`` blocks of ``length`` epochs, keeping what each told: (blocks, length, …).

    In blocks, as the fast path trains, so that the same code is compiled and rounds the same.
    """
    how, evaluate = plan.method(threshold), training.evaluation(tuple(targets))
    return jax.lax.scan(
        lambda at, _: training.epochs(how, evaluate, at, length), at, None, length=blocks
    )


@jax.jit
def gradient_norm(targets: jax.Array, packed: jax.Array) -> jax.Array:
    return training.gradient_norm(training.evaluation(tuple(targets)), packed)
