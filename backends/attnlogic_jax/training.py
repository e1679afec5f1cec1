"""Training as a pure function of the initial parameters.

``trainer`` gives ``train(params) -> Outcome``, for one seed or any batch of them, to be jitted,
vmapped and differentiated at will. The backend's fast path (``backend``) runs the very same epochs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from attnlogic import optimizers
from attnlogic.backend import Training, checked
from attnlogic.optimizers import Optimizer
from attnlogic.outcomes import Outcome
from attnlogic.problems import (
    ROWS,
    Gate,
    Params,
    gates,
    invariant,
    mean_squared_error,
    pack,
    predict,
    unpack,
)
from attnlogic_jax import streaming
from attnlogic_jax.method import GRADIENT, LOSS, Evaluate, Method, State, stored
from attnlogic_jax.optimizers import method
from attnlogic_jax.streaming import Streaming

UNROLL = {"gpu": 4}
"""Epochs that are compiled into one step of the loop. A GPU then keeps the state in registers for
so many (seen in compiled H100 code; for eight no longer); a CPU gains nothing."""


class Carry(NamedTuple):
    """Training under way: ``epoch`` () counts the epochs done, ``packed`` is (6, …)."""

    epoch: jax.Array
    packed: jax.Array
    state: State
    seen: Streaming


def evaluation(targets: Sequence[Any]) -> Evaluate:
    """The loss of ``attnlogic.problems.model``, its gradient and C, stacked: (6, …) to (8, …).

    Each of these rows has a loop of its own in XLA's CPU code, and each would compute all outputs
    anew: so the outputs are stored first, and differentiated in two steps. C is made here so that
    nothing else reads the parameters before they are updated in their place.
    """

    def outputs(rows: tuple[jax.Array, ...]) -> list[jax.Array]:
        return [predict(unpack(rows), x) for x in ROWS]

    def total(outs: tuple[jax.Array, ...]) -> tuple[jax.Array, jax.Array]:
        each = mean_squared_error(outs, targets)
        return jnp.sum(each), each  # seeds do not mix: the sum's gradient is each seed's own

    def evaluate(packed: jax.Array) -> jax.Array:
        rows = tuple(packed)
        outs, pullback = jax.vjp(outputs, rows)
        (_, each), slopes = jax.value_and_grad(total, has_aux=True)(tuple(stored(outs)))
        (gradient,) = pullback(list(slopes))
        return stored([each, *gradient, invariant(unpack(rows))])

    return evaluate


def start(method: Method, packed: jax.Array) -> Carry:
    """Before the first epoch."""
    return Carry(jnp.zeros((), jnp.int32), packed, method.init(packed), streaming.start(packed))


def advance(method: Method, evaluate: Evaluate, threshold: jax.Array, carry: Carry) -> Carry:
    """Train one epoch, and fold it into what has been seen."""
    packed, state, report = method.step(evaluate, carry.packed, carry.state)
    seen = streaming.fold(carry.seen, carry.epoch, report, threshold)
    return Carry(carry.epoch + 1, packed, state, seen)


def unroll() -> int:
    """Epochs a step of the loop, on JAX's default device."""
    return UNROLL.get(jax.default_backend(), 1)


def finish(
    method: Method, evaluate: Evaluate, threshold: jax.Array, initial: jax.Array, carry: Carry,
    *, until_hit: bool,
) -> Outcome:  # fmt: skip
    """The outcome after the last epoch."""
    return streaming.finish(
        carry.seen,
        initial,
        evaluate(initial)[LOSS],
        carry.packed,
        gradient_norm(evaluate, carry.packed),
        carry.epoch,
        threshold,
        counted=method.counts_evaluations,
        until_hit=until_hit,
    )


def gradient_norm(evaluate: Evaluate, packed: jax.Array) -> jax.Array:
    """‖∇loss‖ over the six parameters: (6, …) to (…)."""
    # Written out: XLA sums a long row in another order than a short one.
    return jnp.sqrt(sum(g * g for g in evaluate(packed)[GRADIENT]))


def trainer(
    gate: str | Gate,
    optimizer: str | Optimizer,
    *,
    epochs: int | None = None,
    threshold: float = 1e-4,
    until: str = "budget",
) -> Callable[[Params], Outcome]:
    """A pure function that trains from given parameters.

    Args:
      gate: what is to be learnt, such as ``"xor"``.
      optimizer: by what, such as ``"adamw(lr=0.01)"``.
      epochs: the budget; None for the optimizer's usual one.
      threshold: the loss at or below which a run has hit.
      until: ``"budget"``, or ``"hit"``: a run ends at its first hit (and then stands still).

    Returns:
      ``train(params) -> Outcome``. The leaves of ``params`` share one shape S and one floating
      dtype, in which all is computed; S is () for one seed. The outcome's leaves have shape S. It
      can be jitted, vmapped and differentiated, in reverse as well. It raises ``AssertionError``,
      when traced, for leaves of several shapes or of whole numbers.

    Raises:
      InputError: something asked for does not exist.

    Example:
      >>> train = trainer("xor", "adamw", epochs=400)
      >>> outcomes = jax.jit(jax.vmap(train))(params)  # leaves of shape (N,)
    """
    by = optimizers.optimizer(optimizer)
    budget = by.epochs if epochs is None else epochs
    training = checked(Training(gates.gate(gate), by, budget, threshold, until=until))
    evaluate, until_hit = evaluation(training.gate.targets), until == "hit"
    method(by)  # refuses now what it would refuse then

    def train(params: Params) -> Outcome:
        import chex  # here, because the command line has no use for it

        leaves = [jnp.asarray(leaf) for leaf in pack(params)]
        chex.assert_equal_shape(leaves)
        chex.assert_type(leaves, float)
        initial = jnp.stack(leaves)
        limit = jnp.asarray(threshold, initial.dtype)
        how = method(by, limit if until_hit else None)

        def epoch(carry: Carry, _: None) -> tuple[Carry, None]:
            return advance(how, evaluate, limit, carry), None

        began = start(how, initial)
        carry = jax.lax.scan(epoch, began, None, length=budget, unroll=min(unroll(), budget))[0]
        return finish(how, evaluate, limit, initial, carry, until_hit=until_hit)

    return train
