"""One chunk of seeds, trained from start to end in calls into compiled code.

All chunks of a training have one size, so that one compilation serves them, and every gate,
threshold and budget. After each call progress is reported, and an interrupt is heard.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from attnlogic.backend import Training
from attnlogic.outcomes import Outcome, from_leaves, leaves_of
from attnlogic_jax import compiled
from attnlogic_jax.compiled import Data, Plan
from attnlogic_jax.devices import devices, platform
from attnlogic_jax.pacing import PROBE_EPOCHS, next_epochs

COMPACT_AT = 4
"""With ``until="hit"``: drop finished seeds from the batch once at most 1/4 still train."""

MIN_COMPACTED_CHUNK = 1024
"""Seeds of a chunk that is worth compiling once more for fewer."""

TARGET_CALL_SECONDS = {"budget": 0.5, "hit": 0.05}
"""How long one call into compiled code should take, by when runs end; short enough for Ctrl-C and
the progress bar."""


def chunk_size(training: Training, seeds: int, workers: int) -> int:
    """How many seeds to train at once: chunks of one size, none much emptier than another.

    There are as many chunks as keep all workers busy, and each device trains its share of one.
    """
    plan, count = Plan.of(training), len(devices())
    at_once = workers * count
    rounds = max(1, math.ceil(seeds / at_once / plan.sizes.of_chunk(platform())))
    return count * compiled.fitting(plan, math.ceil(seeds / rounds / at_once))


def train_chunk(
    training: Training, initial: npt.NDArray[Any], on_share: Callable[[float], None]
) -> Outcome:
    """Train the seeds of one chunk.

    Args:
      training: what to do.
      initial: packed parameters (6, N), of the training's dtype.
      on_share: called after each call with the share of the work done in it; may raise.

    Returns:
      NumPy leaves (N,).
    """
    plan, budget = Plan.of(training), training.epochs
    target = TARGET_CALL_SECONDS[training.until]
    packed = jnp.asarray(initial)
    data = Data.of(training)
    carry = compiled.start(plan, data, packed)
    seeds, ended, count = np.arange(packed.shape[1]), [], len(devices())
    grouped = compiled.groups(plan, seeds.size // count) > 1
    uneven = grouped and plan.method(data).counts_evaluations
    left, epochs = budget, min(budget, PROBE_EPOCHS)
    while left:
        began = time.perf_counter()
        carry = compiled.advance(plan, data, carry, epochs)
        carry.epoch.block_until_ready()
        spent = time.perf_counter() - began
        left -= epochs
        going = np.flatnonzero(compiled.going(carry)) if plan.until_hit else seeds
        if not going.size:
            epochs, left = epochs + left, 0
        on_share(epochs / budget)
        few = count * compiled.fitting(plan, seeds.size // COMPACT_AT // count)
        chosen = None
        if seeds.size >= MIN_COMPACTED_CHUNK and going.size <= few and left:
            ended.append((seeds, finished(plan, data, packed, carry)))
            chosen = np.resize(going, few)  # filled up with copies
        elif uneven and left:
            # A group goes on until its last seed is done: put seeds together that take as long.
            chosen = np.argsort(joined(carry.seen.evaluations), kind="stable")
        if chosen is not None:
            carry, packed, data = compiled.take((carry, packed, data), chosen)
            seeds = seeds[chosen]
        epochs = min(left, next_epochs(epochs, spent, target))
    ended.append((seeds, finished(plan, data, packed, carry)))
    return _assembled(ended)


def finished(plan: Plan, data: Data, initial: jax.Array, carry: Any) -> Outcome:
    """The outcome in NumPy, its evaluations in 64 bits."""
    with jax.debug_nans(False):  # NaN stands for what does not exist from here on
        outcome = compiled.finish(plan, data, initial, carry)
    return from_leaves([np.asarray(leaf) for leaf in leaves_of(outcome._replace(
        evaluations=joined(outcome.evaluations),
        evaluations_first_hit=joined(outcome.evaluations_first_hit),
    ))])  # fmt: skip


def joined(words: jax.Array) -> npt.NDArray[np.int64]:
    """A count in words (2, N), see ``streaming``, as numbers (N,)."""
    high, low = np.asarray(words, np.int64)
    whole: npt.NDArray[np.int64] = high * 2**30 + low
    return whole


def _assembled(ended: list[tuple[npt.NDArray[Any], Outcome]]) -> Outcome:
    """Each seed's outcome, from those of all seeds and then of fewer: the last one counts."""
    (seeds, first), *_ = ended
    leaves = [np.empty(seeds.size, leaf.dtype) for leaf in leaves_of(first)]
    for seeds, outcome in ended:
        for leaf, values in zip(leaves, leaves_of(outcome), strict=True):
            leaf[seeds] = values
    return from_leaves(leaves)
