"""Epochs of several iterations, each seed at its own pace.

Where an epoch takes one iteration of some seeds and twenty of others, seeds that train side by side
would wait for each other in every epoch. Here they wait only at the end of a call.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

from attnlogic_jax import streaming
from attnlogic_jax.method import Evaluate, Iterations, Report, State, Within
from attnlogic_jax.streaming import Streaming
from attnlogic_jax.training import Carry


class At(NamedTuple):
    """How far seeds are.

    Attributes:
      epoch: the epoch that each is in; (n,).
      packed, state: as in ``Carry``.
      within: how far it is in that epoch, which is about to begin where it does not go on.
      seen: of the epochs up to this one.
    """

    epoch: jax.Array
    packed: jax.Array
    state: State
    within: Within
    seen: Streaming


def advance(
    how: Iterations, evaluate: Evaluate, threshold: jax.Array, carry: Carry, epochs: jax.Array
) -> Carry:
    """Train so many epochs, and fold them into what has been seen."""
    end, packed = carry.epoch + epochs, carry.packed

    def step(at: At) -> At:
        """One iteration of each seed; before it, its epoch begins where none is under way."""
        begins = (at.epoch < end) & ~at.within.active

        def begin(within: Within, seen: Streaming) -> tuple[Within, Streaming]:
            new = how.begin(evaluate(at.packed))
            report = Report(new.here.loss, new.here.quantities, new.evaluations)
            folded = streaming.fold(seen, at.epoch, report, threshold)
            begun: tuple[Within, Streaming] = jax.tree.map(
                partial(jnp.where, begins), (new, folded), (within, seen)
            )
            return begun

        # Both are left out where no seed needs them.
        iterate = partial(how.iterate, evaluate, at.epoch)
        within, seen = jax.lax.cond(jnp.any(begins), begin, lambda *old: old, at.within, at.seen)
        packed, state, after = jax.lax.cond(
            jnp.any(within.active), iterate, lambda *old: old, at.packed, at.state, within
        )
        seen = streaming.evaluated(seen, after.evaluations - within.evaluations)
        ends = (begins | within.active) & ~after.active
        return At(at.epoch + ends.astype(jnp.int32), packed, state, after, seen)

    within = jax.tree.map(
        lambda leaf: jnp.zeros(leaf.shape, leaf.dtype),
        jax.eval_shape(lambda packed: how.begin(evaluate(packed)), packed),
    )
    epoch = jnp.full(packed.shape[1:], carry.epoch)
    at = At(epoch, packed, carry.state, within, carry.seen)
    at = jax.lax.while_loop(lambda at: jnp.any(at.epoch < end), step, at)
    return Carry(end, at.packed, how.end(at.state, epochs), at.seen)
