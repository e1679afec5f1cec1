"""The pairs that L-BFGS remembers, of many seeds side by side, each of which adds its own in turn.

To move a hundred pairs for each that is added takes longer than all else in an iteration. So the
newest few stand in a place of their own, and all are moved only once a seed has no room there.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

MOST_NEW = 4
"""The most pairs for which there is room beside the others. Each iteration looks at all of it."""


class Pairs(NamedTuple):
    """A step and what came of it; of several with a leading axis, newest first.

    Attributes:
      s, y: the step, and the gradients' difference; (P, …).
      rho: 1/(y·s); (…). Where it is 0 there is no pair.
    """

    s: jax.Array
    y: jax.Array
    rho: jax.Array


class Memory(NamedTuple):
    """The last H pairs of each seed.

    Attributes:
      new: the newest, at the end of the room that there is for them.
      added: how many these are; (…).
      old: the H before them, of which the oldest are forgotten: as many as there are new ones.
    """

    new: Pairs
    added: jax.Array
    old: Pairs

    @property
    def parts(self) -> tuple[tuple[Pairs, jax.Array], tuple[Pairs, jax.Array]]:
        """All pairs, newest first, and which of them are the last H."""
        room, size = len(self.new.rho), len(self.old.rho)
        added = self.added[None]
        return (
            (self.new, _places(room, added) >= room - added),
            (self.old, _places(size, added) < size - added),
        )


def _places(size: int, like: jax.Array) -> jax.Array:
    return jnp.arange(size, dtype=jnp.int32).reshape(-1, *[1] * (like.ndim - 1))


def empty(packed: jax.Array, size: int) -> Memory:
    """A memory of H pairs, none of which is there yet."""

    def none(size: int) -> Pairs:
        vectors = jnp.zeros((size, *packed.shape), packed.dtype)
        return Pairs(vectors, vectors, vectors[:, 0])

    room = max(1, min(MOST_NEW, size // 10))
    return Memory(none(room), jnp.zeros(packed.shape[1:], jnp.int32), none(size))


def remember(memory: Memory, where: jax.Array, pair: Pairs) -> Memory:
    """The memory with a pair more of these seeds, (…)."""
    room = len(memory.new.rho)
    full = jnp.any(where & (memory.added == room))
    old = _moved(full, memory.added, memory.new, memory.old)
    added = jnp.where(full, 0, memory.added) + where.astype(jnp.int32)
    here = where[None] & (_places(room, added[None]) == room - added[None])

    def put(leaf: jax.Array, one: jax.Array) -> jax.Array:
        return jnp.where(_like(here, leaf), one[None], leaf)

    return Memory(Pairs(*map(put, memory.new, pair)), added, old)


def _like(each: jax.Array, leaf: jax.Array) -> jax.Array:
    """What there is of each pair, (H, …), for each of its parameters."""
    return each if leaf.ndim == each.ndim else each[:, None]


def _shifted(added: jax.Array, new: Pairs, old: Pairs) -> Pairs:
    """The new pairs before the old ones, as many of whose oldest are dropped."""

    def shift(new: jax.Array, old: jax.Array) -> jax.Array:
        now = old
        for n in range(1, len(new) + 1):
            with_n = jnp.concatenate([new[len(new) - n :], old[:-n]])
            now = jnp.where(_like((added == n)[None], old), with_n, now)
        return now

    return Pairs(*map(shift, new, old))


@jax.custom_jvp
def _moved(full: jax.Array, added: jax.Array, new: Pairs, old: Pairs) -> Pairs:
    """``_shifted`` where some seed has no room any more, else the old pairs.

    A branch would copy them all. A loop of one iteration or none keeps them in their place, but has
    no reverse mode: so its derivative is written down, which is linear.
    """

    def move(carry: tuple[jax.Array, Pairs]) -> tuple[jax.Array, Pairs]:
        return jnp.zeros((), bool), _shifted(added, new, carry[1])

    return jax.lax.while_loop(lambda carry: carry[0], move, (full, old))[1]


@_moved.defjvp
def _moved_jvp(
    primals: tuple[jax.Array, jax.Array, Pairs, Pairs],
    tangents: tuple[jax.Array, jax.Array, Pairs, Pairs],
) -> tuple[Pairs, Pairs]:
    full, added, _, _ = primals
    return _moved(*primals), _shifted(jnp.where(full, added, 0), *tangents[2:])
