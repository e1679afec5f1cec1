"""Training as a pure function of the initial parameters.

``trainer`` gives ``train(params) -> Outcome``, for one seed or any batch of them, to be jitted,
vmapped and differentiated at will. The backend's fast path (``batches``) runs the very same epochs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from attnlogic import gates, optimizers
from attnlogic.backend import Training, checked
from attnlogic.gates import ROWS, Gate
from attnlogic.model import Params, invariant, mean_squared_error, pack, predict, unpack
from attnlogic.optimizers import Optimizer
from attnlogic.outcomes import Outcome
from attnlogic_jax import streaming
from attnlogic_jax.method import GRADIENT, LOSS, Evaluate, Method, Report, State, stored
from attnlogic_jax.optimizers import method
from attnlogic_jax.streaming import Streaming

BLOCK = 8
"""Epochs trained before their losses are folded: their statistics then cost one pass over the
seeds instead of eight, and the block's losses still fit a core's cache."""


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
    """The loss of ``attnlogic.model``, its gradient and C, stacked: (6, …) to (8, …).

    Each of these rows has a loop of its own in XLA's CPU code, and each would compute all outputs
    anew: so the outputs are stored first, and differentiated in two steps.
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


def epochs(
    method: Method, evaluate: Evaluate, at: tuple[jax.Array, State], count: int
) -> tuple[tuple[jax.Array, State], Report]:
    """Train ``count`` epochs (a static number) from ``at``, keeping what each told.

    Returns:
      The parameters and the state after them; the steps' reports, leaves (count, …).
    """

    def epoch(at: tuple[jax.Array, State], _: None) -> tuple[tuple[jax.Array, State], Report]:
        packed, state, report = method.step(evaluate, *at)
        return (packed, state), report

    unroll = UNROLL.get(jax.default_backend(), 1)
    return jax.lax.scan(epoch, at, None, length=count, unroll=min(unroll, count))


def advance(
    method: Method, evaluate: Evaluate, threshold: jax.Array, carry: Carry, count: int
) -> Carry:
    """Train ``count`` epochs (a static number), then fold them into what has been seen."""
    at, told = epochs(method, evaluate, (carry.packed, carry.state), count)
    seen, lowest = carry.seen, []
    for k in range(count):
        report = jax.tree.map(lambda leaf, k=k: leaf[k], told)
        seen = streaming.fold(seen, carry.epoch + k, report, threshold)
        lowest.append(seen.min_loss)
    return Carry(carry.epoch + count, *at, streaming.climb(seen, lowest))


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
    blocks, rest = divmod(budget, BLOCK)

    def train(params: Params) -> Outcome:
        import chex  # here, because the command line has no use for it

        leaves = [jnp.asarray(leaf) for leaf in pack(params)]
        chex.assert_equal_shape(leaves)
        chex.assert_type(leaves, float)
        initial = jnp.stack(leaves)
        limit = jnp.asarray(threshold, initial.dtype)
        how = method(by, limit if until_hit else None)

        def block(carry: Carry, _: None) -> tuple[Carry, None]:
            return advance(how, evaluate, limit, carry, BLOCK), None

        carry = jax.lax.scan(block, start(how, initial), None, length=blocks)[0]
        if rest:
            carry = advance(how, evaluate, limit, carry, rest)
        return finish(how, evaluate, limit, initial, carry, until_hit=until_hit)

    return train
