"""torch's L-BFGS, without or with its line search, for many seeds side by side.

One step is torch's ``LBFGS.step``: up to ``max_iter`` iterations, each with its own direction, step
and evaluation, ended by the same tests. In ``step`` a seed whose tests say so is masked out until
the next epoch, and the loop goes on while any seed is active. Most end early and few take all the
iterations, so ``paces`` trains many seeds by the same iterations, each at its own pace.

Reference: Nocedal and Wright, "Numerical Optimization", algorithms 7.4 and 7.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from attnlogic.optimizers import Structure
from attnlogic_jax.lbfgs_memory import Memory, Pairs, empty, remember
from attnlogic_jax.line_search import Point, strong_wolfe
from attnlogic_jax.method import (
    Evaluate,
    Evaluated,
    Goal,
    Iterations,
    Method,
    Report,
    Within,
)
from attnlogic_jax.rates import learning_rate

CURVATURE = 1e-10
"""torch's own: a pair enters the history only where y·s is greater than this."""


class State(NamedTuple):
    """What is carried from epoch to epoch.

    Attributes:
      memory: the last pairs of a step and the gradients' difference.
      scale: the initial matrix is this times the identity; (…).
      direction, step, gradient: of the iteration before; (P, …), (…), (P, …).
      iterations: iterations so far over all epochs; (…).
      epoch: epochs so far; ().
    """

    memory: Memory
    scale: jax.Array
    direction: jax.Array
    step: jax.Array
    gradient: jax.Array
    iterations: jax.Array
    epoch: jax.Array


def _dot(a: jax.Array, b: jax.Array) -> jax.Array:
    return jnp.sum(a * b, axis=0)


def _largest(x: jax.Array) -> jax.Array:
    return jnp.max(jnp.abs(x), axis=0)


def _descent(state: State, gradient: jax.Array) -> jax.Array:
    """The two-loop recursion: minus the inverse Hessian's estimate times the gradient."""

    def newest_to_oldest(
        q: jax.Array, part: tuple[Pairs, jax.Array]
    ) -> tuple[jax.Array, jax.Array]:
        (s, y, rho), counts = part
        alpha = _dot(s, q) * rho
        return jnp.where(counts[None], q - alpha[None] * y, q), alpha

    def oldest_to_newest(
        r: jax.Array, part: tuple[Pairs, jax.Array, jax.Array]
    ) -> tuple[jax.Array, None]:
        (s, y, rho), counts, alpha = part
        beta = _dot(y, r) * rho
        return jnp.where(counts[None], r + (alpha - beta)[None] * s, r), None

    parts, q, alphas = state.memory.parts, -gradient, []
    for part in parts:
        q, alpha = jax.lax.scan(newest_to_oldest, q, part)
        alphas.append(alpha)
    r = q * state.scale[None]
    for part, alpha in zip(reversed(parts), reversed(alphas), strict=True):
        r = jax.lax.scan(oldest_to_newest, r, (*part, alpha), reverse=True)[0]
    return r


def lbfgs(how: Structure, numbers: Mapping[str, jax.Array], goal: Goal = None) -> Method:
    """torch's ``LBFGS(lr, max_iter, …)``, its rate multiplied by gamma after each epoch."""
    tolerance_grad, tolerance_change = numbers["tolerance_grad"], numbers["tolerance_change"]
    max_iter, max_eval, history_size = (
        int(how.chosen[name]) for name in ("max_iter", "max_eval", "history_size")
    )
    searches = how.chosen["line_search"] == "strong_wolfe"

    def init(packed: jax.Array) -> State:
        one, zero = jnp.ones_like(packed[0]), jnp.zeros_like(packed[0])
        return State(
            memory=empty(packed, history_size), scale=one,
            direction=jnp.zeros_like(packed), step=zero, gradient=jnp.zeros_like(packed),
            iterations=jnp.zeros(packed.shape[1:], jnp.int32), epoch=jnp.zeros((), jnp.int32),
        )  # fmt: skip

    def iterate(
        evaluate: Evaluate, epoch: jax.Array, packed: jax.Array, state: State, within: Within
    ) -> tuple[jax.Array, State, Within]:
        here, evaluations, active, i = within
        lr_now = learning_rate(how, numbers, epoch)
        loss, gradient = here.loss, here.gradient
        first = state.iterations == 0
        y, s = gradient - state.gradient, state.direction * state.step[None]
        ys = _dot(y, s)
        curved = active & ~first & (ys > CURVATURE)
        pair = Pairs(s, y, 1 / jnp.where(curved, ys, 1))
        state = state._replace(
            memory=remember(state.memory, curved, pair),
            scale=jnp.where(curved, ys / jnp.where(curved, _dot(y, y), 1), state.scale),
        )
        one_norm = jnp.sum(jnp.abs(gradient), axis=0)
        start = jnp.minimum(1, 1 / jnp.where(first, one_norm, 1)) * lr_now
        state = state._replace(
            direction=jnp.where(active[None], _descent(state, gradient), state.direction),
            step=jnp.where(active, jnp.where(first, start, lr_now), state.step),
            gradient=jnp.where(active[None], gradient, state.gradient),
            iterations=state.iterations + active.astype(jnp.int32),
        )
        moves = active & ~(_dot(gradient, state.direction) > -tolerance_change)
        if searches:
            origin = Point(jnp.zeros_like(loss), here, _dot(gradient, state.direction))
            found, spent = strong_wolfe(
                evaluate, packed, state.direction, origin, state.step, moves,
                max_eval - evaluations, tolerance_change, length=max_eval,
            )  # fmt: skip
            state = state._replace(step=jnp.where(moves, found.t, state.step))
        move = state.step[None] * state.direction
        packed = jnp.where(moves[None], packed + move, packed)
        may_go_on = i < max_iter - 1
        # The last is for the bits: where each seed's own number alone chooses an evaluation, XLA
        # compiles it otherwise for a CPU, and it rounds otherwise than it always has.
        goes_on = moves & may_go_on & jnp.any(may_go_on)
        if searches:
            here = jax.tree.map(partial(jnp.where, moves[None]), found.here, here)
            evaluations = evaluations + jnp.where(moves, spent, 0)
        else:  # the last iteration leaves the evaluation to the next epoch
            here = jax.tree.map(partial(jnp.where, goes_on[None]), evaluate(packed), here)
            evaluations = evaluations + goes_on.astype(jnp.int32)
        active = (
            goes_on
            & (evaluations < max_eval)
            & ~(_largest(here.gradient) <= tolerance_grad)
            & ~(_largest(move) <= tolerance_change)
            & ~(jnp.abs(here.loss - loss) < tolerance_change)
        )
        return packed, state, Within(here, evaluations, active, i + 1)

    def begin(here: Evaluated) -> Within:
        active = ~(_largest(here.gradient) <= tolerance_grad) & jnp.isfinite(here.loss)
        if goal is not None:
            active = active & ~(here.loss <= goal)
        none = jnp.zeros(here.loss.shape, jnp.int32)
        return Within(here, none + 1, active, none)

    def end(state: State, epochs: int | jax.Array) -> State:
        return state._replace(epoch=state.epoch + epochs)

    def step(
        evaluate: Evaluate, packed: jax.Array, state: State
    ) -> tuple[jax.Array, State, Report]:
        epoch, first = state.epoch, begin(evaluate(packed))

        def iteration(at: tuple[jax.Array, State, Within], _: None) -> tuple[Any, None]:
            # A scan with a branch, not a while loop: it ends as early, and has a reverse mode.
            go_on = partial(iterate, evaluate, epoch)
            return jax.lax.cond(jnp.any(at[2].active), go_on, lambda *at: at, *at), None

        at = (packed, state, first)
        (packed, state, last), _ = jax.lax.scan(iteration, at, None, length=max_iter)
        report = Report(first.here.loss, first.here.quantities, last.evaluations)
        return packed, end(state, 1), report

    return Method(init, step, counts_evaluations=True, iterations=Iterations(begin, iterate, end))
