"""What is handed to the compiler: training on many seeds, as a few jitted functions.

Structure is compiled, numbers are data: model, inputs, the optimizer's structure, whether runs end
at their first hit, and the chunk's size are compiled in; targets, hyperparameters, threshold and
budget are arguments, so one compilation serves them all.

On a CPU the epochs are compiled for one core. It takes a small group of seeds through all of them,
then the next: their state stays in the core's own cache, and no core waits for another after each
array. The other cores train other chunks meanwhile (see ``parallel``).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from attnlogic.backend import Training
from attnlogic.optimizers import Structure
from attnlogic.outcomes import NONE, Outcome
from attnlogic.problems import Problem
from attnlogic_jax import method, model, optimizers, paces, training
from attnlogic_jax.groups import (
    Given,
    by_device,
    by_group,
    each_group,
    of_group,
    one_a_seed,
    regrouped,
)
from attnlogic_jax.method import Evaluate, Method
from attnlogic_jax.platforms import Platform
from attnlogic_jax.training import Carry
from attnlogic_jax.xla import jit, on_one_core


class Plan(NamedTuple):
    """What of a training is compiled in.

    Attributes:
      problem: the problem without its targets.
      optimizer: the optimizer's structure.
      until_hit: whether runs end at their first hit.
      platform: what it is compiled for.
    """

    problem: Problem
    optimizer: Structure
    until_hit: bool
    platform: Platform

    @classmethod
    def of(cls, training: Training, platform: Platform) -> Plan:
        """That of a training, and of all trainings of its kind."""
        problem = model.without_targets(training.problem)
        how = optimizers.structure(training.optimizer)
        return cls(problem, how, training.until == "hit", platform)

    @property
    def record(self) -> optimizers.JaxOptimizer:
        """How the optimizer is built."""
        return optimizers.record(self.optimizer, self.problem)

    def on_one_core(self, function: Callable[[Any], Any], tree: Any) -> Any:
        """Call a function, compiled for one core on a CPU, where the optimizer allows it."""
        one_core = self.platform.by_core and self.record.one_core
        return on_one_core(function, tree) if one_core else function(tree)

    def method(self, given: Given) -> Method:
        """The optimizer's functions."""
        goal = given.threshold if self.until_hit else None
        return optimizers.method(self.optimizer, given.numbers, goal, self.problem)

    def evaluation(self, given: Given, *, drop_zeros: bool = False) -> Evaluate:
        """What is evaluated at some parameters; see ``model.evaluation``."""
        return model.evaluation(self.problem, given.targets, self.platform, drop_zeros=drop_zeros)

    def ending(self, given: Given) -> Ending:
        """What of it the outcome needs; the numbers may be NumPy's."""
        counted = self.method(of_group(0, given)).counts_evaluations
        one_core = self.platform.by_core and self.record.one_core
        return Ending(self.problem, self.until_hit, self.platform, one_core, counted)


class Ending(NamedTuple):
    """What of a plan is compiled into the outcome: one code for all optimizers that have it alike.

    Attributes:
      problem, until_hit, platform: the plan's.
      one_core: whether a CPU computes it by one function for one core.
      counted: whether the optimizer counts its evaluations.
    """

    problem: Problem
    until_hit: bool
    platform: Platform
    one_core: bool
    counted: bool


@partial(jit, static="plan")
def start(plan: Plan, given: Given, packed: jax.Array) -> Carry:
    def share(both: tuple[Given, jax.Array]) -> Carry:
        given, packed = both
        # All seeds at once: a state begins with copies of numbers, which nothing rounds.
        numbers = one_a_seed(given, packed.shape[-1])
        return training.start(plan.method(numbers), plan.problem, packed)

    def on_a_core(given: Given, packed: jax.Array) -> Carry:
        began: Carry = plan.on_one_core(share, (given, packed))
        return began

    carry: Carry = by_device(plan.platform, on_a_core, given, packed)
    return carry


@partial(jit, static="plan", donated="carry")
def advance(plan: Plan, given: Given, carry: Carry, epochs: jax.Array) -> Carry:
    """Train ``epochs`` epochs: any number, compiled once."""
    unroll = plan.platform.unroll

    def train(given: Given, carry: Carry) -> Carry:
        how, evaluate = plan.method(given), plan.evaluation(given, drop_zeros=True)
        if how.iterations is not None:
            return paces.advance(how.iterations, evaluate, given.threshold, carry, epochs)

        def several(count: int, carry: Carry) -> Carry:
            for _ in range(count):
                carry = training.advance(how, evaluate, given.threshold, carry)
            return carry

        loops = [(epochs // unroll, unroll)]
        if unroll > 1:
            loops.append((epochs % unroll, 1))
        for times, count in loops:
            carry = jax.lax.fori_loop(0, times, lambda _, c, n=count: several(n, c), carry)
        return carry

    def share(given: Given, carry: Carry) -> Carry:
        seeds = carry.packed.shape[-1]
        trained: Carry = plan.on_one_core(
            partial(by_group, plan.platform, train, seeds), (given, carry)
        )
        return trained

    trained: Carry = by_device(plan.platform, share, given, carry)
    return trained


@partial(jit, static="ending")
def finish(ending: Ending, given: Given, initial: jax.Array, carry: Carry) -> Outcome:
    """The outcome after the last epoch. The optimizer's numbers and state may be left out."""

    def ends(given: Given, initial: jax.Array, final: jax.Array) -> Any:
        evaluate = model.evaluation(ending.problem, given.targets, ending.platform)
        return training.at_both_ends(evaluate, initial, final)

    def share(trees: tuple[Given, jax.Array, Carry]) -> Outcome:
        given, initial, carry = trees
        size = initial.shape[-1]
        found = each_group(ending.platform, ends, size, given, initial, carry.packed)
        return training.finish(
            ending.problem, found, given.threshold[0], initial, carry,
            counted=ending.counted, until_hit=ending.until_hit,
        )  # fmt: skip

    def on_a_core(*trees: Any) -> Outcome:
        # As epochs are: XLA would round a gradient's norm otherwise, and take longer to compile.
        found: Outcome = on_one_core(share, trees) if ending.one_core else share(trees)
        return found

    found: Outcome = by_device(ending.platform, on_a_core, given, initial, carry)
    return found


@partial(jit, static="plan")
def state(plan: Plan, given: Given, packed: jax.Array) -> Any:
    """The optimizer's state before the first epoch of one group."""
    return plan.method(of_group(0, given)).init(packed)


@jax.jit
def going(carry: Carry) -> jax.Array:
    """Which runs have not ended, where a hit ends one: (N,)."""
    seen = carry.seen
    return (seen.first_hit == NONE) & (seen.diverged_at == NONE) & (seen.stopped_at == NONE)


take = jax.jit(method.take)

regroup = jax.jit(regrouped, static_argnames="size")


@partial(jit, static=("plan", "room", "kept"))
def trace(
    plan: Plan, given: Given, at: Any, epochs: jax.Array, room: int, kept: int
) -> tuple[Any, Any]:
    """Train ``epochs`` epochs, any number up to ``room``, keeping the reports of some seeds.

    Returns:
      Parameters and state after the last epoch; the reports of the first ``kept`` seeds, leaves
      (room, kept), of which the first ``epochs`` are filled.
    """
    given = of_group(0, given)
    how, evaluate = plan.method(given), plan.evaluation(given)

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

    trained: tuple[Any, Any] = plan.on_one_core(train, at)
    return trained


@partial(jit, static="plan")
def gradient_norm(plan: Plan, given: Given, packed: jax.Array) -> jax.Array:
    def norm(at: tuple[Given, jax.Array]) -> jax.Array:
        return model.gradient_norm(plan.evaluation(of_group(0, at[0])), at[1])

    found: jax.Array = plan.on_one_core(norm, (given, packed))  # as in ``finish``
    return found
