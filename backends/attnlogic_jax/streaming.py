"""The outcome's statistics, folded epoch by epoch: the streaming form of ``attnlogic.history``.

Nothing here grows with the number of epochs. A test holds it equal to the definition on a whole
history.

Evaluations have 64 bits, which JAX has not unless a user asks for them: they are two words of 32
bits, ``high·2^30 + low``, stacked on a leading axis. No number here is NaN but a run's own, so that
JAX's search for NaN finds only those; what does not exist becomes NaN in ``finish``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp

from attnlogic.outcomes import LADDER, NONE, Outcome
from attnlogic_jax.method import Report


class Streaming(NamedTuple):
    """What is known of the epochs so far; each of shape (…), one entry a seed.

    Attributes:
      loss: the last loss; inf if it is not finite, and before the first epoch.
      missed_at: the last epoch whose loss was above the threshold.
      worst_after_hit: -inf while there is no epoch after first_hit.
      min_loss, first_hit, rises, exits, stopped_at, diverged_at: the outcome's.
      quantities_first_hit: the outcome's, and 0 where there is no hit.
      evaluations, evaluations_first_hit: the outcome's, as words (2, …), for a method that counts
        them; else 0.
      above: how many epochs went by before the first at or below each of ``LADDER``; (10, …).
    """

    loss: jax.Array
    min_loss: jax.Array
    worst_after_hit: jax.Array
    quantities_first_hit: dict[str, jax.Array]
    first_hit: jax.Array
    missed_at: jax.Array
    rises: jax.Array
    exits: jax.Array
    stopped_at: jax.Array
    diverged_at: jax.Array
    evaluations: jax.Array
    evaluations_first_hit: jax.Array
    above: jax.Array


def start(packed: jax.Array, quantities: Iterable[str]) -> Streaming:
    """Nothing seen yet, for packed parameters of shape (P, …) and the model's own quantities."""
    infinite, none = jnp.full_like(packed[0], jnp.inf), jnp.full(packed.shape[1:], NONE, jnp.int32)
    count = jnp.zeros_like(none)
    words = jnp.zeros((2, *count.shape), jnp.int32)
    return Streaming(
        loss=infinite,
        min_loss=infinite,
        worst_after_hit=-infinite,
        quantities_first_hit={name: jnp.zeros_like(infinite) for name in quantities},
        first_hit=none,
        missed_at=none,
        rises=count,
        exits=count,
        stopped_at=none,
        diverged_at=none,
        evaluations=words,
        evaluations_first_hit=words,
        above=jnp.zeros((len(LADDER), *count.shape), jnp.int32),
    )


def _rungs(like: jax.Array) -> jax.Array:
    """``LADDER`` in a dtype, to be compared with losses of shape (…)."""
    return jnp.asarray(LADDER, like.dtype).reshape(-1, *[1] * like.ndim)


def _count(true: jax.Array) -> jax.Array:
    """1 where it is true, else 0."""
    return true.astype(jnp.int32)


def fold(seen: Streaming, epoch: jax.Array, report: Report, threshold: jax.Array) -> Streaming:
    """Add one epoch.

    Args:
      seen: the epochs before.
      epoch: the number of this one; ().
      report: that of its step; leaves (…).
      threshold: the loss at or below which a run has hit; ().
    """
    ended = seen.diverged_at != NONE
    finite = jnp.isfinite(report.loss) & ~ended
    loss = jnp.where(finite, report.loss, jnp.inf)
    hit, after = loss <= threshold, seen.first_hit != NONE
    hits_first = hit & ~after
    # Chosen by comparisons: no loss is NaN here, of which minimum and maximum would take care.
    min_loss = jnp.where(loss < seen.min_loss, loss, seen.min_loss)
    worsens = after & (loss > seen.worst_after_hit)
    seen = seen._replace(
        loss=loss,
        min_loss=min_loss,
        worst_after_hit=jnp.where(worsens, loss, seen.worst_after_hit),
        quantities_first_hit={
            name: jnp.where(hits_first, now, seen.quantities_first_hit[name])
            for name, now in report.quantities.items()
        },
        first_hit=jnp.where(hits_first, epoch, seen.first_hit),
        missed_at=jnp.where(hit, seen.missed_at, epoch),
        rises=seen.rises + _count(after & (loss > seen.loss)),
        exits=seen.exits + _count((seen.loss <= threshold) & ~hit),
        diverged_at=jnp.where(finite | ended, seen.diverged_at, epoch),
        above=jnp.where(min_loss[None] > _rungs(min_loss), epoch + 1, seen.above),
    )
    if report.stopped is not None:
        stops = report.stopped & (seen.stopped_at == NONE)
        seen = seen._replace(stopped_at=jnp.where(stops, epoch, seen.stopped_at))
    if report.evaluations is not None:
        spent = jnp.where(ended, 0, report.evaluations)
        with_hit = _added(seen.evaluations, jnp.ones_like(spent))
        by_hit = jnp.where(hits_first[None], with_hit, seen.evaluations_first_hit)
        total = _added(seen.evaluations, spent)
        seen = seen._replace(evaluations=total, evaluations_first_hit=by_hit)
    return seen


def evaluated(seen: Streaming, more: jax.Array) -> Streaming:
    """Count more evaluations in the epoch that was folded in last; (…)."""
    return seen._replace(evaluations=_added(seen.evaluations, more))


def _added(words: jax.Array, spent: jax.Array) -> jax.Array:
    """A count in words (2, …) with less than 2^30 more; (…)."""
    low = words[1] + spent
    return jnp.stack([words[0] + (low >> 30), low & (2**30 - 1)])


def joined(words: jax.Array) -> jax.Array:
    """A count in words (2, …) as one number (…): int64 with JAX's x64 mode.

    Without it int32, where the largest stands for more.
    """
    high, low = words
    if jax.dtypes.canonicalize_dtype(jnp.int64) == jnp.int64:
        whole: jax.Array = high.astype(jnp.int64) * 2**30 + low.astype(jnp.int64)
        return whole
    return jnp.where(high >= 2, 2**31 - 1, jnp.minimum(high, 1) * 2**30 + low)


def finish(
    seen: Streaming,
    initial: jax.Array,
    initial_loss: jax.Array,
    final: jax.Array,
    gradient_norm: jax.Array,
    epochs: jax.Array,
    threshold: jax.Array,
    quantities: Callable[[Sequence[jax.Array]], dict[str, jax.Array]],
    *,
    counted: bool,
    until_hit: bool,
) -> Outcome:
    """The outcome, once all epochs are folded in.

    Args:
      seen: the epochs.
      initial, final: packed parameters before the first epoch and after the last; (P, …).
      initial_loss: the loss at ``initial``; (…).
      gradient_norm: the gradient's at ``final``; (…).
      epochs: how many there were, the budget; ().
      threshold: as in ``fold``.
      quantities: the model's own numbers, of packed parameters.
      counted: whether the method counted its evaluations; else each epoch took one.
      until_hit: whether runs ended at their first hit and stayed there; what was folded in after
        it does not count.

    Returns:
      An ``Outcome`` of arrays of shape (…); its two counts of evaluations are words (2, …).
    """
    if until_hit:
        hit = seen.first_hit != NONE
        seen = seen._replace(
            worst_after_hit=jnp.where(hit, -jnp.inf, seen.worst_after_hit),
            stopped_at=jnp.where(hit, NONE, seen.stopped_at),
            evaluations=jnp.where(hit[None], seen.evaluations_first_hit, seen.evaluations),
        )
    diverged = seen.diverged_at != NONE
    last = jnp.where(diverged, seen.diverged_at, epochs - 1)
    last = jnp.where(seen.stopped_at != NONE, seen.stopped_at, last)
    if until_hit:
        last = jnp.where(hit, seen.first_hit, last)
    final = jnp.where(diverged[None], jnp.nan, final)
    never = seen.first_hit == NONE
    # What was folded in after a run had stopped is its last loss again, and none after its hit.
    nothing_after = (seen.worst_after_hit == -jnp.inf) | (seen.stopped_at == seen.first_hit)
    solved = seen.loss <= threshold
    return Outcome(
        initial=initial,
        final=final,
        initial_loss=jnp.where(jnp.isfinite(initial_loss), initial_loss, jnp.inf),
        final_loss=seen.loss,
        min_loss=seen.min_loss,
        first_hit=seen.first_hit,
        sustained_from=jnp.where(solved, seen.missed_at + 1, NONE),
        rises=seen.rises,
        exits=seen.exits,
        worst_after_hit=jnp.where(nothing_after, jnp.nan, seen.worst_after_hit),
        stopped_at=seen.stopped_at,
        diverged_at=seen.diverged_at,
        evaluations=seen.evaluations if counted else _as_words(last + 1),
        evaluations_first_hit=jnp.where(
            never[None],
            _as_words(jnp.full_like(seen.first_hit, NONE)),
            seen.evaluations_first_hit if counted else _as_words(seen.first_hit + 1),
        ),
        gradient_norm=jnp.where(diverged, jnp.nan, gradient_norm),
        quantities_initial=quantities(tuple(initial)),
        quantities_first_hit={
            name: jnp.where(never, jnp.nan, value)
            for name, value in seen.quantities_first_hit.items()
        },
        quantities=quantities(tuple(final)),
        ladder=tuple(jnp.where(seen.min_loss[None] <= _rungs(seen.min_loss), seen.above, NONE)),
    )


def _as_words(number: jax.Array) -> jax.Array:
    """A number of 32 bits in words: (2, …)."""
    return jnp.stack([jnp.zeros_like(number), number])
