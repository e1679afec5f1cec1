"""Training as a pure function of the initial parameters.

``trainer`` gives ``train(params) -> Outcome``, for one seed or any batch of them, to be jitted,
vmapped and differentiated at will. The backend's fast path (``backend``) runs the very same epochs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from attnlogic import optimizers
from attnlogic.backend import Training, checked
from attnlogic.optimizers import Optimizer
from attnlogic.outcomes import Outcome
from attnlogic.problems import Data, Gate, Model, Problem, problem
from attnlogic_jax import streaming
from attnlogic_jax.devices import here
from attnlogic_jax.method import Evaluate, Method, State
from attnlogic_jax.model import evaluation, gradient_norm, without_targets
from attnlogic_jax.optimizers import as_arrays, method, numbers, record, structure
from attnlogic_jax.platforms import named
from attnlogic_jax.streaming import Streaming


class Carry(NamedTuple):
    """Training under way: ``epoch`` () counts the epochs done, ``packed`` is (P, …)."""

    epoch: jax.Array
    packed: jax.Array
    state: State
    seen: Streaming


def start(method: Method, problem: Problem, packed: jax.Array) -> Carry:
    """Before the first epoch."""
    seen = streaming.start(packed, [own.name for own in problem.own])
    return Carry(jnp.zeros((), jnp.int32), packed, method.init(packed), seen)


def advance(method: Method, evaluate: Evaluate, threshold: jax.Array, carry: Carry) -> Carry:
    """Train one epoch, and fold it into what has been seen."""
    packed, state, report = method.step(evaluate, carry.packed, carry.state)
    # What is computed from numbers alone is one for all seeds of a group, and is kept one a seed.
    state = jax.tree.map(_of_shape, state, carry.state)
    seen = streaming.fold(carry.seen, carry.epoch, report, threshold)
    return Carry(carry.epoch + 1, packed, state, seen)


def _of_shape(new: jax.Array, old: jax.Array) -> jax.Array:
    return new if new.shape == old.shape else jnp.broadcast_to(new, old.shape)


def at_both_ends(
    evaluate: Evaluate, initial: jax.Array, final: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The loss at the initial parameters, and the gradient's norm at the final ones."""
    return evaluate(initial).loss, gradient_norm(evaluate, final)


def finish(
    problem: Problem, ends: tuple[jax.Array, jax.Array], threshold: jax.Array,
    initial: jax.Array, carry: Carry, *, counted: bool, until_hit: bool,
) -> Outcome:  # fmt: skip
    """The outcome after the last epoch; its evaluations as words (see ``streaming``).

    Args:
      ends: see ``at_both_ends``.
      counted: whether the method counts its evaluations.
    """
    initial_loss, norm = ends
    return streaming.finish(
        carry.seen,
        initial,
        initial_loss,
        carry.packed,
        norm,
        carry.epoch,
        threshold,
        problem.quantities,
        counted=counted,
        until_hit=until_hit,
    )


def trainer(
    gate: str | Gate | Data | Problem,
    optimizer: str | Optimizer,
    *,
    model: str | Model = "attention",
    epochs: int | None = None,
    threshold: float = 1e-4,
    until: str = "budget",
    platform: str | None = None,
) -> Callable[[Any], Outcome]:
    """A pure function that trains from given parameters.

    Args:
      gate: what is to be learnt, such as ``"xor"``; or a whole ``Problem``.
      model: what learns it, such as ``"attention(residual=False)"``.
      optimizer: by what, such as ``"adamw(lr=0.01)"``.
      epochs: the budget; None for the optimizer's usual one.
      threshold: the loss at or below which a run has hit.
      until: ``"budget"``, or ``"hit"``: a run ends at its first hit (and then stands still).
      platform: what it will be compiled for, by JAX's name, such as ``"cuda"`` or ``"tpu"``; None
        for where it is traced. Any is right on all of them, and fast on its own.

    Returns:
      ``train(params) -> Outcome``. The leaves of the model's parameters share one shape S and one
      floating dtype, in which all is computed; S is () for one seed. The outcome's leaves
      have shape S, and the dtypes of ``attnlogic.outcomes``; its ``initial`` and ``final`` are
      parameters as they were given. Without JAX's x64 mode evaluations are int32, and
      2^31 − 1 stands for more. NaN stands for what does not exist, such as ``C_first_hit`` without
      a hit: ``jax.debug_nans`` finds these, too. It can be jitted, vmapped and differentiated, in
      reverse as well. It raises ``AssertionError``, when traced, for leaves of several shapes or of
      whole numbers.

    Raises:
      InputError: something asked for does not exist.

    Example:
      >>> from attnlogic.problems import initial_params
      >>> train = trainer("xor", "adamw", epochs=400)
      >>> outcomes = jax.jit(jax.vmap(train))(initial_params(range(32)))
      >>> outcomes.first_hit.shape
      (32,)
    """
    by = optimizers.optimizer(optimizer)
    budget = by.epochs if epochs is None else epochs
    training = checked(Training(problem(gate, model), by, budget, threshold, until=until))
    what, until_hit = training.problem, training.until == "hit"
    chosen_platform = None if platform is None else named(platform)
    how, chosen, kind = structure(by), numbers(by), without_targets(what)
    record(how, kind)  # refuses now what it would refuse then

    def train(params: Any) -> Outcome:
        import chex  # here, because the command line has no use for it

        on = chosen_platform or here()
        evaluate = evaluation(what, what.data.targets, on)
        leaves = [jnp.asarray(leaf) for leaf in what.pack(params)]
        chex.assert_equal_shape(leaves)
        chex.assert_type(leaves, float)
        initial = jnp.stack(leaves)
        limit = jnp.asarray(training.threshold, initial.dtype)
        goal = limit if until_hit else None
        by_which = method(how, as_arrays(chosen, initial.dtype), goal, kind)

        def epoch(carry: Carry, _: None) -> tuple[Carry, None]:
            return advance(by_which, evaluate, limit, carry), None

        began = start(by_which, what, initial)
        carry = jax.lax.scan(
            epoch, began, None, length=training.epochs, unroll=min(on.unroll, training.epochs)
        )[0]
        ends = at_both_ends(evaluate, initial, carry.packed)
        outcome = finish(
            what, ends, limit, initial, carry,
            counted=by_which.counts_evaluations, until_hit=until_hit,
        )  # fmt: skip
        return outcome._replace(
            initial=params,
            final=what.unpack(tuple(outcome.final)),
            evaluations=streaming.joined(outcome.evaluations),
            evaluations_first_hit=streaming.joined(outcome.evaluations_first_hit),
        )

    return train
