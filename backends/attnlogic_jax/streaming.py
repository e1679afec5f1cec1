"""The outcome's statistics, folded epoch by epoch: the streaming form of ``attnlogic.outcomes``.

Nothing here grows with the number of epochs. A test holds it equal to the definition on a whole
history.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from attnlogic.outcomes import LADDER, NONE, Outcome
from attnlogic.problems import invariant, unpack
from attnlogic_jax.method import Report


class Streaming(NamedTuple):
    """What is known of the epochs so far; each of shape (…), one entry a seed.

    Attributes:
      loss: the last loss; inf if it is not finite, and before the first epoch.
      missed_at: the last epoch whose loss was above the threshold.
      worst_after_hit: -inf while there is no epoch after first_hit.
      min_loss, C_first_hit, first_hit, rises, exits, stopped_at, diverged_at: the outcome's.
      evaluations, evaluations_first_hit: the outcome's, for a method that counts them; else 0.
      above: how many epochs went by before the first at or below each of ``LADDER``; (10, …).
    """

    loss: jax.Array
    min_loss: jax.Array
    worst_after_hit: jax.Array
    C_first_hit: jax.Array
    first_hit: jax.Array
    missed_at: jax.Array
    rises: jax.Array
    exits: jax.Array
    stopped_at: jax.Array
    diverged_at: jax.Array
    evaluations: jax.Array
    evaluations_first_hit: jax.Array
    above: jax.Array


def start(packed: jax.Array) -> Streaming:
    """Nothing seen yet, for packed parameters of shape (6, …)."""
    infinite, none = jnp.full_like(packed[0], jnp.inf), jnp.full(packed.shape[1:], NONE, jnp.int32)
    count = jnp.zeros_like(none)
    return Streaming(
        loss=infinite,
        min_loss=infinite,
        worst_after_hit=-infinite,
        C_first_hit=jnp.full_like(infinite, jnp.nan),
        first_hit=none,
        missed_at=none,
        rises=count,
        exits=count,
        stopped_at=none,
        diverged_at=none,
        evaluations=count,
        evaluations_first_hit=count,
        above=jnp.zeros((len(LADDER), *count.shape), jnp.int32),
    )


def _rungs(like: jax.Array) -> jax.Array:
    """``LADDER`` in a dtype, to be compared with losses of shape (…)."""
    return jnp.asarray(LADDER, like.dtype).reshape(-1, *[1] * like.ndim)


def fold(seen: Streaming, epoch: jax.Array, report: Report, threshold: jax.Array) -> Streaming:
    """Add one epoch.

    Args:
      seen: the epochs before.
      epoch: the number of this one; ().
      report: what its step told; leaves (…).
      threshold: the loss at or below which a run has hit; ().
    """
    ended = seen.diverged_at != NONE
    finite = jnp.isfinite(report.loss) & ~ended
    loss = jnp.where(finite, report.loss, jnp.inf)
    hit, after = loss <= threshold, seen.first_hit != NONE
    hits_first = hit & ~after
    min_loss = jnp.minimum(seen.min_loss, loss)
    seen = seen._replace(
        loss=loss,
        min_loss=min_loss,
        worst_after_hit=jnp.where(
            after, jnp.maximum(seen.worst_after_hit, loss), seen.worst_after_hit
        ),
        C_first_hit=jnp.where(hits_first, report.C, seen.C_first_hit),
        first_hit=jnp.where(hits_first, epoch, seen.first_hit),
        missed_at=jnp.where(hit, seen.missed_at, epoch),
        rises=seen.rises + (after & (loss > seen.loss)),
        exits=seen.exits + ((seen.loss <= threshold) & ~hit),
        diverged_at=jnp.where(finite | ended, seen.diverged_at, epoch),
        above=seen.above + (min_loss > _rungs(min_loss)),
    )
    if report.stopped is not None:
        stops = report.stopped & (seen.stopped_at == NONE)
        seen = seen._replace(stopped_at=jnp.where(stops, epoch, seen.stopped_at))
    if report.evaluations is not None:
        spent = jnp.where(ended, 0, report.evaluations)
        by_hit = jnp.where(hits_first, seen.evaluations + 1, seen.evaluations_first_hit)
        seen = seen._replace(evaluations=seen.evaluations + spent, evaluations_first_hit=by_hit)
    return seen


def finish(
    seen: Streaming,
    initial: jax.Array,
    initial_loss: jax.Array,
    final: jax.Array,
    gradient_norm: jax.Array,
    epochs: jax.Array,
    threshold: jax.Array,
    *,
    counted: bool,
    until_hit: bool,
) -> Outcome:
    """The outcome, once all epochs are folded in.

    Args:
      seen: the epochs.
      initial, final: packed parameters before the first epoch and after the last; (6, …).
      initial_loss: the loss at ``initial``; (…).
      gradient_norm: the gradient's at ``final``; (…).
      epochs: how many there were, the budget; ().
      threshold: as in ``fold``.
      counted: whether the method counted its evaluations; else each epoch took one.
      until_hit: whether runs ended at their first hit and stayed there; what was folded in after
        it does not count.

    Returns:
      An ``Outcome`` of arrays of shape (…).
    """
    if until_hit:
        hit = seen.first_hit != NONE
        seen = seen._replace(
            worst_after_hit=jnp.where(hit, -jnp.inf, seen.worst_after_hit),
            stopped_at=jnp.where(hit, NONE, seen.stopped_at),
            evaluations=jnp.where(hit, seen.evaluations_first_hit, seen.evaluations),
        )
    diverged = seen.diverged_at != NONE
    last = jnp.where(diverged, seen.diverged_at, epochs - 1)
    last = jnp.where(seen.stopped_at != NONE, seen.stopped_at, last)
    if until_hit:
        last = jnp.where(hit, seen.first_hit, last)
    final = jnp.where(diverged, jnp.nan, final)
    worst = seen.worst_after_hit
    solved = seen.loss <= threshold
    return Outcome(
        initial=unpack(tuple(initial)),
        final=unpack(tuple(final)),
        initial_loss=jnp.where(jnp.isfinite(initial_loss), initial_loss, jnp.inf),
        final_loss=seen.loss,
        min_loss=seen.min_loss,
        first_hit=seen.first_hit,
        sustained_from=jnp.where(solved, seen.missed_at + 1, NONE),
        rises=seen.rises,
        exits=seen.exits,
        worst_after_hit=jnp.where(worst == -jnp.inf, jnp.nan, worst),
        stopped_at=seen.stopped_at,
        diverged_at=seen.diverged_at,
        evaluations=seen.evaluations if counted else last + 1,
        evaluations_first_hit=jnp.where(
            seen.first_hit == NONE,
            NONE,
            seen.evaluations_first_hit if counted else seen.first_hit + 1,
        ),
        gradient_norm=jnp.where(diverged, jnp.nan, gradient_norm),
        C_first_hit=seen.C_first_hit,
        C=invariant(unpack(tuple(final))),
        ladder=tuple(jnp.where(seen.min_loss <= _rungs(seen.min_loss), seen.above, NONE)),
    )
