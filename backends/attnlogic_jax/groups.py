"""Seeds side by side: groups of one size, each under one condition, on a core or on all devices.

On a CPU a core takes one group through all its epochs, then the next: a group's state stays in the
core's cache, and the numbers of its condition are scalars. Other devices take all groups at once,
and each seed has its condition's numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import AxisType, PartitionSpec

from attnlogic_jax.platforms import Platform

Array = Any
"""An array of JAX's, or of NumPy's on the way to it."""


class Given(NamedTuple):
    """The numbers of training: of G groups (G,), or of one group ().

    A number of the optimizer's may differ from seed to seed: then it is (n, G), or (n,) of a group
    of n seeds.

    Attributes:
      targets: one a row of the problem's data.
      numbers: the optimizer's, by name.
      threshold: the loss at or below which a run has hit.
    """

    targets: tuple[Array, ...]
    numbers: dict[str, Array]
    threshold: Array

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return int(self.threshold.shape[0])


def by_device(platform: Platform, function: Callable[..., Any], *trees: Any) -> Any:
    """Call a function of seeds or groups (their axis trails; what has no axis is the same for all).

    With several devices each does its share by itself, and so waits for no other.
    """
    if platform.shares == 1:
        return function(*trees)

    def spec(leaf: Any) -> PartitionSpec:
        axes = [*[None] * (leaf.ndim - 1), "seeds"] if leaf.ndim else []
        return PartitionSpec(*axes)  # type: ignore[no-untyped-call]  # JAX annotates it not

    mesh = jax.make_mesh(
        (platform.shares,), ("seeds",), axis_types=(AxisType.Auto,), devices=platform.devices
    )
    into = jax.tree.map(spec, trees)
    out = jax.tree.map(spec, jax.eval_shape(function, *trees))
    return jax.shard_map(function, mesh=mesh, in_specs=into, out_specs=out, check_vma=False)(*trees)


def of_group(group: int | jax.Array, given: Given) -> Given:
    """The numbers of one group."""
    one: Given = jax.tree.map(lambda leaf: leaf[..., group], given)
    return one


def _at_once(platform: Platform, given: Given, seeds: int) -> Given | None:
    """The numbers with which all groups can be taken at once; None if they are taken in turn."""
    if given.groups == 1:
        return of_group(0, given)
    return None if platform.by_core else one_a_seed(given, seeds)


def one_a_seed(given: Given, seeds: int) -> Given:
    """The numbers of each seed: (N,)."""
    shape = (given.groups, seeds // given.groups)

    def spread(leaf: jax.Array) -> jax.Array:
        if leaf.ndim == 2:
            return leaf.T.reshape(seeds)
        # jnp.repeat would have XLA look up each seed's group, and take half a minute to compile.
        return jnp.broadcast_to(leaf[:, None], shape).reshape(seeds)

    each: Given = jax.tree.map(spread, given)
    return each


def regrouped(given: Given, chosen: jax.Array, size: int) -> Given:
    """The numbers of seeds that are laid out anew.

    Args:
      given: those of G groups of n seeds.
      chosen: seeds by their places among the G·n: (G', n'), those of a row from equal conditions.
      size: n.
    """

    def some(leaf: jax.Array) -> jax.Array:
        return leaf[chosen[:, 0] // size] if leaf.ndim == 1 else leaf.T.reshape(-1)[chosen].T

    now: Given = jax.tree.map(some, given)
    return now


def by_group(
    platform: Platform,
    train: Callable[[Given, Any], Any],
    seeds: int,
    given_and_carry: tuple[Given, Any],
) -> Any:
    """Train the seeds of each group, whose state is changed in its place.

    Args:
      platform: what it is compiled for.
      train: from the numbers and the state of some seeds to their new state, of the same shapes.
      seeds: how many seeds there are in all groups.
      given_and_carry: numbers and state; the seeds' axis trails, and what has none is the same for
        all.

    Returns:
      The new state.
    """
    given, carry = given_and_carry
    numbers = _at_once(platform, given, seeds)
    if numbers is not None:
        return train(numbers, carry)
    size = seeds // given.groups

    def one(k: jax.Array, whole: Any) -> Any:
        def some(before: jax.Array, now: jax.Array) -> jax.Array:
            # What has no axis, such as the epoch, is as it was before the first group.
            return jax.lax.dynamic_slice_in_dim(now, k * size, size, -1) if now.ndim else before

        def put(now: jax.Array, new: jax.Array) -> jax.Array:
            at = (0,) * (now.ndim - 1)
            return jax.lax.dynamic_update_slice(now, new, (*at, k * size)) if now.ndim else new

        trained = train(of_group(k, given), jax.tree.map(some, carry, whole))
        return jax.tree.map(put, whole, trained)

    return jax.lax.fori_loop(0, given.groups, one, carry)


def each_group(
    platform: Platform, function: Callable[..., Any], seeds: int, given: Given, *trees: Any
) -> Any:
    """The results of a function for each group, joined.

    Args:
      platform: what it is compiled for.
      function: from the numbers and the trees of some seeds to a tree with leaves (…, n).
      seeds: how many seeds there are in all groups.
      given: the numbers.
      trees: leaves (…, N).
    """
    numbers = _at_once(platform, given, seeds)
    if numbers is not None:
        return function(numbers, *trees)
    size = seeds // given.groups

    def one(k: jax.Array) -> Any:
        def some(leaf: jax.Array) -> jax.Array:
            return jax.lax.dynamic_slice_in_dim(leaf, k * size, size, -1)

        return function(of_group(k, given), *jax.tree.map(some, trees))

    def joined(leaf: jax.Array) -> jax.Array:  # (G, …, n) to (…, N)
        return jnp.moveaxis(leaf, 0, -2).reshape(*leaf.shape[1:-1], seeds)

    return jax.tree.map(joined, jax.lax.map(one, jnp.arange(given.groups)))
