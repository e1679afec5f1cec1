"""What is handed to the compiler: training on many seeds, as a few jitted functions.

The optimizer, with its hyperparameters, whether runs end at their first hit, and the chunk's size
are compiled in; gate, threshold and budget are not, so one compilation serves them all.

On a CPU the epochs are compiled for one core. It takes a small group of seeds through all of them,
then the next: their state stays in the core's own cache, and no core waits for another after each
array. The other cores train other chunks meanwhile (see ``batches``).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.experimental.xla_metadata import set_xla_metadata
from jax.sharding import AxisType, PartitionSpec

from attnlogic.backend import Training
from attnlogic.optimizers import Optimizer
from attnlogic.outcomes import NONE, Outcome
from attnlogic_jax import method, optimizers, training
from attnlogic_jax.method import LANES, Method
from attnlogic_jax.training import BLOCK, Carry

jit = partial(jax.jit, compiler_options={"xla_cpu_prefer_vector_width": 512})
"""XLA's CPU compiler keeps to vectors of 256 bits if not told otherwise; where the processor has
wider ones training is a third faster with them. Other devices do not heed it."""

GROUP = {"lbfgs": 64}
USUAL_GROUP = 512
"""Seeds that a core trains at once, at most. L-BFGS keeps a history for each, and loops until the
last of them is done."""


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


def _by_device(function: Callable[..., Any], *trees: Any) -> Any:
    """Call a function of seeds (their axis trails; what has no axis is the same for all seeds).

    With several devices each does its share of the seeds by itself, and so waits for no other.
    """
    devices = jax.local_devices()
    if len(devices) == 1:
        return function(*trees)

    def spec(leaf: Any) -> PartitionSpec:
        axes = [*[None] * (leaf.ndim - 1), "seeds"] if leaf.ndim else []
        return PartitionSpec(*axes)  # type: ignore[no-untyped-call]  # JAX annotates it not

    mesh = jax.make_mesh((len(devices),), ("seeds",), axis_types=(AxisType.Auto,), devices=devices)
    into = jax.tree.map(spec, trees)
    out = jax.tree.map(spec, jax.eval_shape(function, *trees))
    return jax.shard_map(function, mesh=mesh, in_specs=into, out_specs=out, check_vma=False)(*trees)


def _by_core(plan: Plan, train: Callable[[Any], Any], tree: Any) -> Any:
    """Call a function of seeds; on a CPU group by group, and compiled as a whole for one core.

    The attributes are XLA's: ``xla_cpu_small_call`` makes a call one function without threads
    within, and ``inlineable`` keeps it a call until then. Without them this is as right, but slow.
    """
    if jax.default_backend() != "cpu":
        return train(tree)

    def grouped(tree: Any) -> Any:
        count = groups(plan, tree)
        if count == 1:
            return train(tree)
        return jax.tree.map(_joined, jax.lax.map(train, jax.tree.map(partial(_split, count), tree)))

    trained = jax.jit(grouped)(tree)
    attributes = {"xla_cpu_small_call": "true", "inlineable": "false"}
    return set_xla_metadata(trained, **attributes)  # type: ignore[no-untyped-call]  # JAX's own


def groups(plan: Plan, tree: Any) -> int:
    """How many groups of one size the seeds are split into, that size a multiple of ``LANES``."""
    seeds = max(leaf.shape[-1] for leaf in jax.tree.leaves(tree) if leaf.ndim)
    most = GROUP.get(plan.optimizer.name, USUAL_GROUP)
    fewest = -(-seeds // most)
    return next((n for n in range(fewest, seeds // LANES + 1) if seeds % (n * LANES) == 0), 1)


def _split(count: int, leaf: jax.Array) -> jax.Array:
    """(…, N) to (count, …, N/count); what has no axis is the same for all seeds."""
    if not leaf.ndim:
        return jnp.broadcast_to(leaf, (count,))
    return jnp.moveaxis(leaf.reshape(*leaf.shape[:-1], count, -1), -2, 0)


def _joined(leaf: jax.Array) -> jax.Array:
    """The inverse of ``_split``."""
    if leaf.ndim == 1:
        return leaf[0]
    apart = jnp.moveaxis(leaf, 0, -2)
    return apart.reshape(*apart.shape[:-2], -1)


@partial(jit, static_argnames="plan")
def start(plan: Plan, threshold: jax.Array, packed: jax.Array) -> Carry:
    carry: Carry = _by_device(partial(training.start, plan.method(threshold)), packed)
    return carry


@partial(jit, static_argnames="plan", donate_argnames="carry")
def advance(
    plan: Plan, targets: jax.Array, threshold: jax.Array, carry: Carry, blocks: jax.Array,
    rest: jax.Array,
) -> Carry:  # fmt: skip
    """``blocks`` blocks of epochs, then ``rest`` single epochs: any budget, compiled once."""
    how, evaluate = plan.method(threshold), training.evaluation(tuple(targets))

    def train(carry: Carry) -> Carry:
        for count, length in ((blocks, BLOCK), (rest, 1)):
            carry = jax.lax.fori_loop(
                0, count, lambda _, c, n=length: training.advance(how, evaluate, threshold, c, n),
                carry,
            )  # fmt: skip
        return carry

    trained: Carry = _by_device(partial(_by_core, plan, train), carry)
    return trained


@partial(jit, static_argnames="plan")
def finish(
    plan: Plan, targets: jax.Array, threshold: jax.Array, initial: jax.Array, carry: Carry
) -> Outcome:
    how, evaluate = plan.method(threshold), training.evaluation(tuple(targets))
    finish = partial(training.finish, how, evaluate, threshold, until_hit=plan.until_hit)
    outcome: Outcome = _by_device(finish, initial, carry)
    return outcome


@jax.jit
def going(carry: Carry) -> jax.Array:
    """Which runs have not ended, where a hit ends one: (N,)."""
    seen = carry.seen
    return (seen.first_hit == NONE) & (seen.diverged_at == NONE) & (seen.stopped_at == NONE)


take = jax.jit(method.take)


@partial(jit, static_argnames=("plan", "blocks", "length"))
def trace(
    plan: Plan, targets: jax.Array, threshold: jax.Array, at: Any, blocks: int, length: int
) -> tuple[Any, Any]:
    """``blocks`` blocks of ``length`` epochs, keeping what each told: (blocks, length, …).

    In blocks, as the fast path trains, so that the same code is compiled and rounds the same.
    """
    how, evaluate = plan.method(threshold), training.evaluation(tuple(targets))

    def train(at: Any) -> tuple[Any, Any]:
        return jax.lax.scan(
            lambda at, _: training.epochs(how, evaluate, at, length), at, None, length=blocks
        )

    trained: tuple[Any, Any] = _by_core(plan, train, at)
    return trained


@jit
def gradient_norm(targets: jax.Array, packed: jax.Array) -> jax.Array:
    return training.gradient_norm(training.evaluation(tuple(targets)), packed)
