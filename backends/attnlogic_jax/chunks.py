"""One chunk of seeds, trained from start to end in calls into compiled code.

All chunks of a training have one size, so that one compilation serves them, and every gate,
threshold and budget. After each call progress is reported, and an interrupt is heard.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from attnlogic.backend import Training
from attnlogic.outcomes import Outcome, mapped
from attnlogic_jax import compiled
from attnlogic_jax.compiled import Plan
from attnlogic_jax.devices import devices
from attnlogic_jax.given import NO_NUMBERS
from attnlogic_jax.given import given as numbers
from attnlogic_jax.groups import Given, of_group
from attnlogic_jax.layout import fewer
from attnlogic_jax.pacing import PROBE_EPOCHS, next_epochs

MIN_COMPACTED_CHUNK = 1024
"""Seeds of a chunk that is worth compiling once more for fewer."""

TARGET_CALL_SECONDS = {"budget": 0.5, "hit": 0.05}
"""How long one call into compiled code should take, by when runs end; short enough for Ctrl-C and
the progress bar."""


def train_chunk(
    trainings: Sequence[Training],
    initial: npt.NDArray[Any],
    on_call: Callable[[float, float], None],
    each: Mapping[str, npt.NDArray[Any]] = NO_NUMBERS,
) -> Iterator[tuple[slice, Outcome]]:
    """Train the seeds of one chunk.

    Args:
      trainings: what to do: that of each of G groups; all of one kind.
      initial: packed parameters (P, N), of the trainings' dtype; N is a multiple of G.
      on_call: called after each call with the share of the work done in it, and the seconds that
        are left by its speed; may raise.
      each: the optimizer's numbers that every seed has for itself, (n, G).

    Yields:
      Consecutive seeds, by their places, and their outcome: NumPy leaves (n,).
    """
    training = trainings[0]
    plan, budget = Plan.of(training), training.epochs
    target = TARGET_CALL_SECONDS[training.until]
    packed, given = jnp.asarray(initial), jax.tree.map(jnp.asarray, numbers(trainings, each))
    carry = compiled.start(plan, given, packed)
    place = {id(training): k for k, training in enumerate(trainings)}  # to compare them takes long
    conditions = np.array([place[id(training)] for training in trainings])
    seeds, ended, count = np.arange(packed.shape[1]), [], len(devices())
    uneven = len(conditions) > count and plan.method(of_group(0, given)).counts_evaluations
    left, epochs = budget, min(budget, PROBE_EPOCHS)
    while left:
        began = time.perf_counter()
        carry = compiled.advance(plan, given, carry, epochs)
        carry.epoch.block_until_ready()
        spent = time.perf_counter() - began
        left -= epochs
        going = np.flatnonzero(compiled.going(carry)) if plan.until_hit else seeds
        if not going.size:
            epochs, left = epochs + left, 0
        on_call(epochs / budget, left * spent / epochs)
        size, chosen = seeds.size // len(conditions), None
        if seeds.size >= MIN_COMPACTED_CHUNK and left and plan.until_hit:
            chosen = fewer(conditions, going, size, count)
        if chosen is not None:
            ended.append((seeds, finished(plan, given, packed, carry)))
        elif uneven and left:
            # A group goes on until its last seed is done: put seeds together that take as long.
            spent_by = joined(carry.seen.evaluations)
            order = np.lexsort((spent_by, np.repeat(conditions, size)))
            chosen = order.reshape(len(conditions), size)
        if chosen is not None:
            carry, packed = compiled.take((carry, packed), chosen.ravel())
            given = compiled.regroup(given, chosen, size)
            conditions = conditions[chosen[:, 0] // size]
            seeds = seeds[chosen.ravel()]
        epochs = min(left, next_epochs(epochs, spent, target))
    ended.append((seeds, finished(plan, given, packed, carry)))
    yield slice(0, initial.shape[1]), _assembled(ended)


def finished(plan: Plan, given: Given, initial: jax.Array, carry: Any) -> Outcome:
    """The outcome in NumPy, its evaluations in 64 bits."""
    with jax.debug_nans(False):  # NaN stands for what does not exist from here on
        outcome = compiled.finish(plan, given, initial, carry)
    return mapped(np.asarray, outcome._replace(
        evaluations=joined(outcome.evaluations),
        evaluations_first_hit=joined(outcome.evaluations_first_hit),
    ))  # fmt: skip


def joined(words: jax.Array) -> npt.NDArray[np.int64]:
    """A count in words (2, N), see ``streaming``, as numbers (N,)."""
    high, low = np.asarray(words, np.int64)
    whole: npt.NDArray[np.int64] = high * 2**30 + low
    return whole


def _assembled(ended: list[tuple[npt.NDArray[Any], Outcome]]) -> Outcome:
    """Each seed's outcome, from those of all seeds and then of fewer: the last one counts."""
    (every, first), *later = ended
    # In the order of the seeds, whatever the order in which they were trained.
    whole = mapped(lambda leaf: leaf[..., np.argsort(every)], first)
    for seeds, outcome in later:

        def put(into: npt.NDArray[Any], values: npt.NDArray[Any]) -> npt.NDArray[Any]:
            into[..., seeds] = values  # noqa: B023  it is called at once
            return into

        whole = mapped(put, whole, outcome)
    return whole
