"""What is handed to the compiler: training on many seeds, as a few jitted functions.

The optimizer, with its hyperparameters, whether runs end at their first hit, and the chunk's size
are compiled in; gate, threshold and budget are not, so one compilation serves them all.

On a CPU the epochs are compiled for one core. It takes a small group of seeds through all of them,
then the next: their state stays in the core's own cache, and no core waits for another after each
array. The other cores train other chunks meanwhile (see ``parallel``).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import AxisType, PartitionSpec

from attnlogic.backend import Training
from attnlogic.optimizers import Optimizer
from attnlogic.outcomes import NONE, Outcome
from attnlogic_jax import method, model, optimizers, training
from attnlogic_jax.devices import devices, platform
from attnlogic_jax.method import LANES, Method
from attnlogic_jax.model import evaluation
from attnlogic_jax.sizes import Sizes
from attnlogic_jax.training import Carry
from attnlogic_jax.xla import jit, on_one_core


class Plan(NamedTuple):
    """What of a training is compiled in."""

    optimizer: Optimizer
    until_hit: bool

    @classmethod
    def of(cls, training: Training) -> Plan:
        """That of a training."""
        return cls(training.optimizer, training.until == "hit")

    @property
    def sizes(self) -> Sizes:
        """How many seeds are trained at once."""
        return optimizers.record(self.optimizer).sizes

    @property
    def group(self) -> int:
        """Seeds that a core trains at once, at most."""
        return self.sizes.of_group(platform())

    def method(self, threshold: jax.Array) -> Method:
        """The optimizer's functions."""
        return optimizers.method(self.optimizer, threshold if self.until_hit else None)


def _by_device(function: Callable[..., Any], *trees: Any) -> Any:
    """Call a function of seeds (their axis trails; what has no axis is the same for all seeds).

    With several devices each does its share of the seeds by itself, and so waits for no other.
    """
    there = devices()
    if len(there) == 1:
        return function(*trees)

    def spec(leaf: Any) -> PartitionSpec:
        axes = [*[None] * (leaf.ndim - 1), "seeds"] if leaf.ndim else []
        return PartitionSpec(*axes)  # type: ignore[no-untyped-call]  # JAX annotates it not

    mesh = jax.make_mesh((len(there),), ("seeds",), axis_types=(AxisType.Auto,), devices=there)
    into = jax.tree.map(spec, trees)
    out = jax.tree.map(spec, jax.eval_shape(function, *trees))
    return jax.shard_map(function, mesh=mesh, in_specs=into, out_specs=out, check_vma=False)(*trees)


def _by_group(count: int, train: Callable[[Carry], Carry], carry: Carry) -> Carry:
    """Train the seeds in ``count`` groups, one after the other."""
    if count == 1:
        return train(carry)
    size = carry.packed.shape[-1] // count

    def one(k: jax.Array, whole: Carry) -> Carry:
        def some(before: jax.Array, now: jax.Array) -> jax.Array:
            # What has no axis, such as the epoch, is as it was before the first group.
            return jax.lax.dynamic_slice_in_dim(now, k * size, size, -1) if now.ndim else before

        def put(now: jax.Array, new: jax.Array) -> jax.Array:
            at = (0,) * (now.ndim - 1)
            return jax.lax.dynamic_update_slice(now, new, (*at, k * size)) if now.ndim else new

        now: Carry = jax.tree.map(put, whole, train(jax.tree.map(some, carry, whole)))
        return now

    trained: Carry = jax.lax.fori_loop(0, count, one, carry)
    return trained


def fitting(plan: Plan, seeds: int) -> int:
    """The smallest number of seeds, no less than these, that splits into groups of one size."""
    count = max(1, math.ceil(seeds / plan.group))
    return count * LANES * max(1, math.ceil(seeds / count / LANES))


def groups(plan: Plan, seeds: int) -> int:
    """How many groups ``fitting`` splits these seeds into; 1 if it did not choose their number."""
    fewest = math.ceil(seeds / plan.group)
    return next((n for n in range(fewest, seeds // LANES + 1) if seeds % (n * LANES) == 0), 1)


@partial(jit, static="plan")
def start(plan: Plan, threshold: jax.Array, packed: jax.Array) -> Carry:
    carry: Carry = _by_device(partial(training.start, plan.method(threshold)), packed)
    return carry


@partial(jit, static="plan", donated="carry")
def advance(
    plan: Plan, targets: jax.Array, threshold: jax.Array, carry: Carry, epochs: jax.Array
) -> Carry:
    """Train ``epochs`` epochs: any number, compiled once."""
    how, evaluate = plan.method(threshold), evaluation(tuple(targets))
    unroll = training.unroll()

    def several(count: int, carry: Carry) -> Carry:
        for _ in range(count):
            carry = training.advance(how, evaluate, threshold, carry)
        return carry

    def train(carry: Carry) -> Carry:
        loops = [(epochs // unroll, unroll)]
        if unroll > 1:
            loops.append((epochs % unroll, 1))
        for times, count in loops:
            carry = jax.lax.fori_loop(0, times, lambda _, c, n=count: several(n, c), carry)
        return carry

    def share(carry: Carry) -> Carry:
        count = groups(plan, carry.packed.shape[-1])
        trained: Carry = on_one_core(partial(_by_group, count, train), carry)
        return trained

    trained: Carry = _by_device(share, carry)
    return trained


@partial(jit, static="plan")
def finish(
    plan: Plan, targets: jax.Array, threshold: jax.Array, initial: jax.Array, carry: Carry
) -> Outcome:
    how, evaluate = plan.method(threshold), evaluation(tuple(targets))
    finish = partial(training.finish, how, evaluate, threshold, until_hit=plan.until_hit)
    outcome: Outcome = _by_device(finish, initial, carry)
    return outcome


@jax.jit
def going(carry: Carry) -> jax.Array:
    """Which runs have not ended, where a hit ends one: (N,)."""
    seen = carry.seen
    return (seen.first_hit == NONE) & (seen.diverged_at == NONE) & (seen.stopped_at == NONE)


take = jax.jit(method.take)


@partial(jit, static=("plan", "room", "kept"))
def trace(
    plan: Plan, targets: jax.Array, threshold: jax.Array, at: Any, epochs: jax.Array,
    room: int, kept: int,
) -> tuple[Any, Any]:  # fmt: skip
    """Train ``epochs`` epochs, any number up to ``room``, keeping the reports of some seeds.

    Returns:
      Parameters and state after the last epoch; the reports of the first ``kept`` seeds, leaves
      (room, kept), of which the first ``epochs`` are filled.
    """
    how, evaluate = plan.method(threshold), evaluation(tuple(targets))

    def epoch(at: Any) -> tuple[Any, Any]:
        packed, state, report = how.step(evaluate, *at)
        return (packed, state), jax.tree.map(lambda leaf: leaf[:kept], report)

    def train(at: Any) -> tuple[Any, Any]:
        def traced(e: jax.Array, carry: tuple[Any, Any]) -> tuple[Any, Any]:
            at, report = epoch(carry[0])
            return at, jax.tree.map(lambda trace, new: trace.at[e].set(new), carry[1], report)

        report = jax.eval_shape(epoch, at)[1]
        traces = jax.tree.map(lambda leaf: jnp.zeros((room, *leaf.shape), leaf.dtype), report)
        found: tuple[Any, Any] = jax.lax.fori_loop(0, epochs, traced, (at, traces))
        return found

    trained: tuple[Any, Any] = on_one_core(train, at)
    return trained


@jit
def gradient_norm(targets: jax.Array, packed: jax.Array) -> jax.Array:
    return model.gradient_norm(evaluation(tuple(targets)), packed)
