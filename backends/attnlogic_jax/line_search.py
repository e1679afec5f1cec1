"""torch's strong Wolfe line search, for many seeds side by side.

Along a direction it looks for a step that lowers the loss enough and at which the slope is small
(the strong Wolfe conditions): first for a bracket around such a step, then within the bracket. The
seeds go from one phase to the next by themselves, with one evaluation of all of them at a time.

Source: ``torch.optim.lbfgs._strong_wolfe``; Nocedal and Wright, "Numerical Optimization",
algorithms 3.5 and 3.6, with a cubic's minimum for each trial.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from attnlogic_jax.method import Evaluate, Evaluated

SUFFICIENT_DECREASE, CURVATURE = 1e-4, 0.9
"""The constants of the two conditions, c₁ and c₂."""

BRACKETING, ZOOMING, DONE = 0, 1, 2
"""The phases."""


class Point(NamedTuple):
    """A step along the direction.

    Attributes:
      t: how long it is; (…).
      here: what was evaluated there.
      slope: the loss's derivative by t; (…).
    """

    t: jax.Array
    here: Evaluated
    slope: jax.Array

    @property
    def loss(self) -> jax.Array:
        """The loss there; (…)."""
        return self.here.loss


class Search(NamedTuple):
    """A search under way; each of shape (…), one entry a seed.

    Attributes:
      previous, new: the last two steps tried while bracketing.
      first, second: the bracket's ends, once there is one.
      first_is_low: whether the first end has the lower loss.
      stalled: whether the last trial was close to an end.
      trials: evaluations after the first.
      phase: which of the three.
    """

    previous: Point
    new: Point
    first: Point
    second: Point
    first_is_low: jax.Array
    stalled: jax.Array
    trials: jax.Array
    phase: jax.Array


def pick(mask: jax.Array, one: Point, other: Point) -> Point:
    """One point where the mask, (…), is true, the other elsewhere."""
    picked: Point = jax.tree.map(
        lambda a, b: jnp.where(mask if a.ndim == mask.ndim else mask[None], a, b), one, other
    )
    return picked


def strong_wolfe(
    evaluate: Evaluate,
    packed: jax.Array,
    direction: jax.Array,
    start: Point,
    t: jax.Array,
    active: jax.Array,
    max_trials: jax.Array,
    tolerance_change: jax.Array,
    length: int,
) -> tuple[Point, jax.Array]:
    """Search along a direction.

    Args:
      evaluate: see ``method``.
      packed, direction: where from and which way; (P, …).
      start: the point at t = 0.
      t: the first step to try; (…).
      active: which seeds search; (…).
      max_trials: evaluations after the first, at most; (…).
      tolerance_change: a bracket smaller than this, in any parameter, is not divided again.
      length: a number that is above every ``max_trials``.

    Returns:
      The point that was found, and how many evaluations it took, (…); of seeds that search.
    """
    size = jnp.max(jnp.abs(direction), axis=0)

    def at(t: jax.Array) -> Point:
        here = evaluate(packed + t[None] * direction)
        return Point(t, here, jnp.sum(here.gradient * direction, axis=0))

    def decreases_too_little(point: Point) -> jax.Array:
        return point.loss > start.loss + SUFFICIENT_DECREASE * point.t * start.slope

    def is_flat(point: Point) -> jax.Array:
        return jnp.abs(point.slope) <= -CURVATURE * start.slope

    def go_on(search: Search) -> Search:
        search = bracketed(search)
        narrow = jnp.abs(search.second.t - search.first.t) * size < tolerance_change
        ends = (search.phase == ZOOMING) & (narrow | (search.trials >= max_trials))
        search = search._replace(phase=jnp.where(ends, DONE, search.phase))
        zooming, brackets = search.phase == ZOOMING, search.phase == BRACKETING
        inside, stalled = within_bracket(search)
        trial = at(jnp.where(zooming, inside, beyond(search.previous, search.new)))
        search = search._replace(
            previous=pick(brackets, search.new, search.previous),
            new=pick(brackets, trial, search.new),
            stalled=jnp.where(zooming, stalled, search.stalled),
            trials=search.trials + (search.phase != DONE).astype(jnp.int32),
        )
        return narrowed(search, trial, zooming)

    def bracketed(search: Search) -> Search:
        """Seeds whose new step ends the bracketing: with a bracket, a good step or no trials."""
        previous, new = search.previous, search.new
        brackets = search.phase == BRACKETING
        spent = brackets & (search.trials >= max_trials)
        higher = decreases_too_little(new) | ((search.trials > 1) & (new.loss >= previous.loss))
        good = brackets & ~spent & ~higher & is_flat(new)
        around = brackets & ~spent & ~good & (higher | (new.slope >= 0))
        ended = spent | good | around
        first = pick(good, new, pick(spent, start, previous))
        return search._replace(
            first=pick(ended, first, search.first),
            second=pick(ended, new, search.second),
            first_is_low=jnp.where(ended, first.loss <= new.loss, search.first_is_low),
            phase=jnp.where(around, ZOOMING, jnp.where(ended, DONE, search.phase)),
        )

    def narrowed(search: Search, trial: Point, zooming: jax.Array) -> Search:
        """The bracket with one of its ends replaced by a trial."""
        first_is_low = search.first_is_low
        low = pick(first_is_low, search.first, search.second)
        high = pick(first_is_low, search.second, search.first)
        worse = decreases_too_little(trial) | (trial.loss >= low.loss)
        good = ~worse & is_flat(trial)
        turns = ~worse & ~good & (trial.slope * (high.t - low.t) >= 0)
        high = pick(worse, trial, pick(turns, low, high))
        low = pick(worse, low, trial)
        first, second = pick(first_is_low, low, high), pick(first_is_low, high, low)
        first_is_low = jnp.where(worse, first.loss <= second.loss, first_is_low)
        return search._replace(
            first=pick(zooming, first, search.first),
            second=pick(zooming, second, search.second),
            first_is_low=jnp.where(zooming, first_is_low, search.first_is_low),
            phase=jnp.where(zooming & good, DONE, search.phase),
        )

    def iteration(search: Search, _: None) -> tuple[Search, None]:
        # A scan with a branch, as in ``lbfgs``: it ends early, and has a reverse mode.
        return jax.lax.cond(jnp.any(search.phase != DONE), go_on, lambda s: s, search), None

    new, no = at(t), jnp.zeros_like(active)
    count = jnp.zeros(active.shape, jnp.int32)
    search = Search(
        start, new, start, new, no, no, count, jnp.where(active, BRACKETING, DONE) + count
    )
    search = jax.lax.scan(iteration, search, None, length=length)[0]
    return pick(search.first_is_low, search.first, search.second), search.trials + 1


def beyond(previous: Point, new: Point) -> jax.Array:
    """The next step to try while there is no bracket: longer, by ten times at most."""
    shortest = new.t + 0.01 * (new.t - previous.t)
    return cubic_minimum(previous, new, shortest, new.t * 10)


def within_bracket(search: Search) -> tuple[jax.Array, jax.Array]:
    """The next step to try in a bracket, and whether it is close to an end.

    The second time in a row it is moved away from the end by a tenth of the bracket.
    """
    low = jnp.minimum(search.first.t, search.second.t)
    high = jnp.maximum(search.first.t, search.second.t)
    t = cubic_minimum(search.first, search.second, low, high)
    margin = 0.1 * (high - low)
    close = jnp.minimum(high - t, t - low) < margin
    moves = close & (search.stalled | (t >= high) | (t <= low))
    away = jnp.where(jnp.abs(t - high) < jnp.abs(t - low), high - margin, low + margin)
    return jnp.where(moves, away, t), close & ~moves


def cubic_minimum(one: Point, other: Point, low: jax.Array, high: jax.Array) -> jax.Array:
    """The minimum of the cubic through two points with their slopes, kept within bounds.

    Where the cubic has none, the middle of the bounds.
    """
    ordered = one.t <= other.t
    a, b = pick(ordered, one, other), pick(ordered, other, one)
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    exists = square >= 0
    d2 = jnp.sqrt(jnp.where(exists, square, 1))
    t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return jnp.where(exists, jnp.minimum(jnp.maximum(t, low), high), (low + high) / 2)
