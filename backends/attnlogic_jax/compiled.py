"""What is handed to the compiler: training on many seeds, as a few jitted functions.

The optimizer's structure, whether runs end at their first hit, and the chunk's size are compiled
in; targets, threshold, budget and the optimizer's numbers are not, so one compilation serves all.

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
from attnlogic.optimizers import Structure, structure
from attnlogic.outcomes import NONE, Outcome
from attnlogic_jax import method, model, optimizers, training
from attnlogic_jax.devices import devices, platform
from attnlogic_jax.elementwise import Numbers
from attnlogic_jax.method import LANES, Method
from attnlogic_jax.model import evaluation
from attnlogic_jax.sizes import Sizes
from attnlogic_jax.training import Carry
from attnlogic_jax.xla import jit, on_one_core


class Plan(NamedTuple):
    """What of a training is compiled in."""

    optimizer: Structure
    until_hit: bool

    @classmethod
    def of(cls, training: Training) -> Plan:
        """That of a training."""
        return cls(structure(training.optimizer), training.until == "hit")

    @property
    def sizes(self) -> Sizes:
        """How many seeds are trained at once."""
        return optimizers.record(self.optimizer.name).sizes

    def on_one_core(self, function: Callable[[Any], Any], tree: Any) -> Any:
        """Call a function, compiled for one core where the optimizer allows."""
        one_core = optimizers.record(self.optimizer.name).one_core
        return on_one_core(function, tree) if one_core else function(tree)

    @property
    def group(self) -> int:
        """Seeds that a core trains at once, at most."""
        return self.sizes.of_group(platform())

    def method(self, data: Data) -> Method:
        """The optimizer's functions."""
        goal = data.threshold if self.until_hit else None
        return optimizers.method(self.optimizer, data.numbers, goal)


class Data(NamedTuple):
    """What of a training is an argument: each number is (), or (N,) where seeds have their own.

    Attributes:
      targets: the wanted output of each row.
      threshold: the loss at or below which a run has hit.
      numbers: the optimizer's.
    """

    targets: tuple[jax.Array, ...]
    threshold: jax.Array
    numbers: Numbers

    @classmethod
    def of(cls, training: Training) -> Data:
        """That of a training, one number for all seeds."""
        dtype = training.precision
        return cls(
            targets=tuple(jnp.asarray(target, dtype) for target in training.gate.targets),
            threshold=jnp.asarray(training.threshold, dtype),
            numbers=optimizers.as_arrays(optimizers.numbers(training.optimizer), dtype),
        )


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


def _by_group(count: int, train: Callable[[Data, Carry], Carry], at: tuple[Data, Carry]) -> Carry:
    """Train the seeds in ``count`` groups, one after the other."""
    data, carry = at
    if count == 1:
        return train(data, carry)
    size = carry.packed.shape[-1] // count

    def one(k: jax.Array, whole: Carry) -> Carry:
        def some(before: jax.Array, now: jax.Array) -> jax.Array:
            # What has no axis, such as the epoch, is as it was before the first group.
            return jax.lax.dynamic_slice_in_dim(now, k * size, size, -1) if now.ndim else before

        def put(now: jax.Array, new: jax.Array) -> jax.Array:
            at = (0,) * (now.ndim - 1)
            return jax.lax.dynamic_update_slice(now, new, (*at, k * size)) if now.ndim else new

        own = jax.tree.map(some, data, data)
        now: Carry = jax.tree.map(put, whole, train(own, jax.tree.map(some, carry, whole)))
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
def start(plan: Plan, data: Data, packed: jax.Array) -> Carry:
    def share(data: Data, packed: jax.Array) -> Carry:
        return training.start(plan.method(data), packed)

    carry: Carry = _by_device(share, data, packed)
    return carry


@partial(jit, static="plan", donated="carry")
def advance(plan: Plan, data: Data, carry: Carry, epochs: jax.Array) -> Carry:
    """Train ``epochs`` epochs: any number, compiled once."""
    unroll = training.unroll()

    def train(data: Data, carry: Carry) -> Carry:
        how, evaluate = plan.method(data), evaluation(data.targets)

        def several(count: int, carry: Carry) -> Carry:
            for _ in range(count):
                carry = training.advance(how, evaluate, data.threshold, carry)
            return carry

        loops = [(epochs // unroll, unroll)]
        if unroll > 1:
            loops.append((epochs % unroll, 1))
        for times, count in loops:
            carry = jax.lax.fori_loop(0, times, lambda _, c, n=count: several(n, c), carry)
        return carry

    def share(data: Data, carry: Carry) -> Carry:
        count = groups(plan, carry.packed.shape[-1])
        trained: Carry = plan.on_one_core(partial(_by_group, count, train), (data, carry))
        return trained

    trained: Carry = _by_device(share, data, carry)
    return trained


@partial(jit, static="plan")
def finish(plan: Plan, data: Data, initial: jax.Array, carry: Carry) -> Outcome:
    def share(data: Data, initial: jax.Array, carry: Carry) -> Outcome:
        how, evaluate = plan.method(data), evaluation(data.targets)
        return training.finish(
            how, evaluate, data.threshold, initial, carry, until_hit=plan.until_hit
        )

    outcome: Outcome = _by_device(share, data, initial, carry)
    return outcome


@jax.jit
def going(carry: Carry) -> jax.Array:
    """Which runs have not ended, where a hit ends one: (N,)."""
    seen = carry.seen
    return (seen.first_hit == NONE) & (seen.diverged_at == NONE) & (seen.stopped_at == NONE)


take = jax.jit(method.take)


@partial(jit, static=("plan", "room", "kept"))
def trace(
    plan: Plan, data: Data, at: Any, epochs: jax.Array, room: int, kept: int
) -> tuple[Any, Any]:
    """Train ``epochs`` epochs, any number up to ``room``, keeping the reports of some seeds.

    Returns:
      Parameters and state after the last epoch; the reports of the first ``kept`` seeds, leaves
      (room, kept), of which the first ``epochs`` are filled.
    """

    def train(given: tuple[Data, Any]) -> tuple[Any, Any]:
        data, at = given
        how, evaluate = plan.method(data), evaluation(data.targets)

        def epoch(at: Any) -> tuple[Any, Any]:
            packed, state, report = how.step(evaluate, *at)
            return (packed, state), jax.tree.map(lambda leaf: leaf[:kept], report)

        def traced(e: jax.Array, carry: tuple[Any, Any]) -> tuple[Any, Any]:
            at, report = epoch(carry[0])
            return at, jax.tree.map(lambda trace, new: trace.at[e].set(new), carry[1], report)

        report = jax.eval_shape(epoch, at)[1]
        traces = jax.tree.map(lambda leaf: jnp.zeros((room, *leaf.shape), leaf.dtype), report)
        found: tuple[Any, Any] = jax.lax.fori_loop(0, epochs, traced, (at, traces))
        return found

    trained: tuple[Any, Any] = plan.on_one_core(train, (data, at))
    return trained


@jit
def gradient_norm(data: Data, packed: jax.Array) -> jax.Array:
    return model.gradient_norm(evaluation(data.targets), packed)
