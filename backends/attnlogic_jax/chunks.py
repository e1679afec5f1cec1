"""One chunk of seeds, trained from start to end in calls into compiled code.

All chunks of a training have one size, so that one compilation serves them, and every gate,
threshold and budget. After each call progress is reported, and an interrupt is heard. A chunk that
takes long is cut into parts, whose runs are given as soon as they are done.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from threading import Lock
from typing import Any, NamedTuple

import jax
import numpy as np
import numpy.typing as npt

from attnlogic.backend import Training
from attnlogic.outcomes import Outcome, mapped
from attnlogic_jax import compiled
from attnlogic_jax.compiled import Ending, Plan
from attnlogic_jax.given import NO_NUMBERS, conditions
from attnlogic_jax.given import given as numbers
from attnlogic_jax.groups import Given
from attnlogic_jax.layout import Runs, fewer, portions
from attnlogic_jax.pacing import PROBE_EPOCHS, next_epochs
from attnlogic_jax.training import Carry

MIN_COMPACTED_CHUNK = 1024
"""Seeds of a chunk that is worth compiling once more for fewer."""

TARGET_CALL_SECONDS = {"budget": 0.5, "hit": 0.05}
"""How long one call into compiled code should take, by when runs end; short enough for Ctrl-C and
the progress bar."""


TARGET_PART_SECONDS = 5.0
"""How long the seeds of one part of a chunk should take from start to end: what a kill can cost."""


class Part(NamedTuple):
    """Seeds of a chunk that are trained side by side, in G groups.

    Attributes:
      places: the seeds of the chunk that are done once these are: these and some that ended before.
      seeds: the places of these; (N,). They may be copies.
      conditions: a number for the condition of each group; (G,).
      given: the groups' numbers; see ``Given``.
      packed: where the seeds started; (P, N).
      carry: how far they are.
      left: how many epochs are left.
      epochs: how many of them are trained by the next call.
    """

    places: slice
    seeds: npt.NDArray[Any]
    conditions: npt.NDArray[Any]
    given: Given
    packed: jax.Array
    carry: Carry
    left: int
    epochs: int

    @property
    def size(self) -> int:
        """Seeds of a group."""
        return self.seeds.size // len(self.conditions)

    def take(self, chosen: Runs) -> Part:
        """These of the seeds; (groups, seeds of a group), as places among the N."""
        carry, packed = compiled.take((self.carry, self.packed), chosen.ravel())
        return self._replace(
            seeds=self.seeds[chosen.ravel()],
            conditions=self.conditions[chosen[:, 0] // self.size],
            given=compiled.regroup(self.given, chosen, self.size),
            packed=packed,
            carry=carry,
        )


def train_chunk(
    plan: Plan,
    trainings: Sequence[Training],
    initial: npt.NDArray[Any],
    on_call: Callable[[float, float], None],
    each: Mapping[str, npt.NDArray[Any]] = NO_NUMBERS,
) -> Iterator[tuple[slice, Outcome]]:
    """Train the seeds of one chunk: all side by side or, if that takes long, in parts.

    Args:
      plan: that of the trainings.
      trainings: what to do: that of each of G groups; all of one kind.
      initial: packed parameters (P, N), of the trainings' dtype; N is a multiple of G.
      on_call: called after each call with the share of the work done in it, and the seconds until
        the part that it trained is done, by its speed; may raise.
      each: the optimizer's numbers that every seed has for itself, (n, G).

    Yields:
      Consecutive seeds, by their places, and their outcome: NumPy leaves (n,).
    """
    training = trainings[0]
    count, given = initial.shape[1], numbers(trainings, each)
    ending = plan.ending(given)
    target, found = TARGET_CALL_SECONDS[training.until], None
    pending = [_whole(plan, trainings, initial, given)]
    while pending:
        part, compiled_at = pending.pop(), math.inf
        while part.left:
            called = time.perf_counter()
            carry = compiled.advance(plan, part.given, part.carry, part.epochs)
            carry.epoch.block_until_ready()
            now = time.perf_counter()
            going = np.arange(part.seeds.size)
            if plan.until_hit:
                going = np.flatnonzero(compiled.going(carry))
            left = part.left - part.epochs if going.size else 0
            seconds_left = left * (now - called) / part.epochs
            share = (part.places.stop - part.places.start) / count
            on_call(share * (part.left - left) / training.epochs, seconds_left)
            epochs = min(left, next_epochs(part.epochs, now - called, target))
            part = part._replace(carry=carry, left=left, epochs=epochs)
            if not left:
                break
            compiled_at = min(compiled_at, now)  # the first call of a size may have compiled it
            if min(now - compiled_at, seconds_left) < TARGET_PART_SECONDS:
                several = _rearranged(part, going, ending)
            else:
                several = _cut(part, going, plan, seconds_left)
            if several[0].seeds.size < part.seeds.size:
                compiled_at = math.inf
                if plan.until_hit:  # some have ended, and go no further
                    found = _put(found, part.seeds, finished(ending, part), count)
            part, *others = several
            pending += reversed(others)
        outcome = finished(ending, part)
        if found is None and np.array_equal(part.seeds, np.arange(count)):
            yield part.places, outcome  # all seeds in order: nothing to put together
            return
        found = _put(found, part.seeds, outcome, count)
        yield part.places, mapped(lambda leaf: leaf[..., part.places], found)  # noqa: B023


_TRACING = Lock()
"""Held while code to come is traced. Python does that on one core, so that the first code is there
sooner if one is traced after the other; XLA compiles on all cores, and without it."""


def prepare_chunk(plan: Plan, trainings: Sequence[Training], count: int) -> None:
    """Compile what ``train_chunk`` begins and ends with, by training N seeds for no epoch."""
    given = numbers(trainings)
    initial = np.zeros((len(plan.problem.names), count), trainings[0].precision)
    with _TRACING:
        part = _whole(plan, trainings, initial, given)
        ending = plan.ending(given)
        compiled.advance.jitted(plan.platform).lower(plan, part.given, part.carry, 0)
        compiled.finish.jitted(plan.platform).lower(ending, *_at_end(part))
    part = part._replace(carry=compiled.advance(plan, part.given, part.carry, 0))
    if plan.until_hit:
        compiled.going(part.carry)
    finished(ending, part)


def _whole(
    plan: Plan,
    trainings: Sequence[Training],
    initial: npt.NDArray[Any],
    given: Given,
) -> Part:
    """All seeds of a chunk, before the first epoch."""
    packed: Any = initial
    if not plan.platform.by_core:  # a CPU's code takes NumPy's arrays; to put them there takes long
        packed, given = jax.device_put((initial, given))  # jnp.asarray would compile a copy
    return Part(
        slice(0, packed.shape[1]),
        np.arange(packed.shape[1]),
        conditions(trainings),
        given,
        packed,
        compiled.start(plan, given, packed),
        trainings[0].epochs,
        min(trainings[0].epochs, PROBE_EPOCHS),
    )


def _rearranged(part: Part, going: npt.NDArray[np.int64], ending: Ending) -> list[Part]:
    """The part, its seeds laid out so that those that still train take less time."""
    chosen, devices = None, ending.platform.shares
    if part.seeds.size >= MIN_COMPACTED_CHUNK and ending.until_hit:
        chosen = fewer(part.conditions, going, part.size, devices)
    if chosen is None and ending.counted and len(part.conditions) > devices:
        # A group goes on until its last seed is done: put seeds together that take as long.
        spent_by = joined(part.carry.seen.evaluations)
        order = np.lexsort((spent_by, np.repeat(part.conditions, part.size)))
        chosen = order.reshape(len(part.conditions), part.size)
    return [part if chosen is None else part.take(chosen)]


def _cut(part: Part, going: npt.NDArray[np.int64], plan: Plan, seconds_left: float) -> list[Part]:
    """Parts of a part that has long to go, or itself where it cannot be cut.

    On a CPU groups are trained in turn, so that fewer at a time take no longer in all. Other
    devices take all at once. The number of parts is a power of 4, so that few sizes are compiled.
    """
    if not plan.platform.by_core:
        return [part]
    first = np.unique(part.seeds[going], return_index=True)[1]  # in the chunk's order; no copies
    count = 4 ** math.ceil(math.log(seconds_left / TARGET_PART_SECONDS, 4) + 1e-9)
    several = portions(part.conditions, going[first], part.size, plan.platform.shares, count)
    if len(several) == 1:
        return [part]
    begins = [int(part.seeds[chosen[0, 0]]) for chosen in several]
    bounds = pairwise([part.places.start, *begins[1:], part.places.stop])
    return [
        part.take(chosen)._replace(places=slice(begin, end))
        for chosen, (begin, end) in zip(several, bounds, strict=True)
    ]


def finished(ending: Ending, part: Part) -> Outcome:
    """The outcome in NumPy, its evaluations in 64 bits."""
    with jax.debug_nans(False):  # NaN stands for what does not exist from here on
        outcome = compiled.finish(ending, *_at_end(part))
    return mapped(np.asarray, outcome._replace(
        evaluations=joined(outcome.evaluations),
        evaluations_first_hit=joined(outcome.evaluations_first_hit),
    ))  # fmt: skip


def _at_end(part: Part) -> tuple[Given, jax.Array, Carry]:
    """What the outcome is made of, without what is the optimizer's own."""
    return part.given._replace(numbers={}), part.packed, part.carry._replace(state=())


def joined(words: jax.Array) -> npt.NDArray[np.int64]:
    """A count in words (2, N), see ``streaming``, as numbers (N,)."""
    high, low = np.asarray(words, np.int64)
    whole: npt.NDArray[np.int64] = high * 2**30 + low
    return whole


def _put(found: Outcome | None, seeds: npt.NDArray[Any], outcome: Outcome, count: int) -> Outcome:
    """Outcomes of a chunk's seeds, those of some of them put in: the last ones count."""
    if found is None:
        found = mapped(lambda leaf: np.empty((*leaf.shape[:-1], count), leaf.dtype), outcome)

    def put(into: npt.NDArray[Any], values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        into[..., seeds] = values
        return into

    return mapped(put, found, outcome)
