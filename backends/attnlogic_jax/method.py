"""What an optimizer is here: two pure functions on packed parameters.

Six parameters of N seeds are one array of shape (6, N), or (6,) for one seed: seeds trail, so that
each row is contiguous and elementwise work runs over seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp

from attnlogic_jax.devices import platform

State = Any
Tree = TypeVar("Tree")
"""Arrays nested in any way."""

Evaluate = Callable[[jax.Array], jax.Array]
"""Packed parameters (6, …) to the loss, its six derivatives and C = wq·wk·wv, stacked: (8, …)."""

LOSS, GRADIENT, INVARIANT = 0, slice(1, 7), 7
"""Which rows those are."""


LANES = 32
"""Fewest seeds that are trained together, and what a device's share of a chunk is a multiple of.
XLA's CPU code for fewer seeds is scalar and rounds otherwise; from here on a run is the same, bit
for bit, whatever seeds stand beside it. An odd number of seeds takes three times as long."""


class Report(NamedTuple):
    """What a step reports of its epoch; each of shape (…), one entry a seed.

    Attributes:
      loss: the loss before the update.
      C: wq·wk·wv at that loss.
      evaluations: how many evaluations the step took; None where it is always one.
      stopped: whether the method's own rule has ended the run; None where it has no such rule.
    """

    loss: jax.Array
    C: jax.Array
    evaluations: jax.Array | None = None
    stopped: jax.Array | None = None


Goal = jax.Array | None
"""The loss at or below which a run ends, before that epoch's update; None for no such end."""


class Method(NamedTuple):
    """An optimizer.

    Attributes:
      init: ``init(packed)`` is the state before the first epoch.
      step: ``step(evaluate, packed, state)`` is one epoch: the parameters and the state after it,
        and its report.
      counts_evaluations: whether its report says how many evaluations an epoch took.
    """

    init: Callable[[jax.Array], State]
    step: Callable[[Evaluate, jax.Array, State], tuple[jax.Array, State, Report]]
    counts_evaluations: bool = False


def take(tree: Tree, chosen: jax.Array) -> Tree:
    """Some of the seeds, whose axis trails; what has no axis is the same for all and stays."""
    some: Tree = jax.tree.map(lambda leaf: leaf[..., chosen] if leaf.ndim else leaf, tree)
    return some


def stored(rows: Sequence[jax.Array]) -> jax.Array:
    """Rows stacked into an array that is made once: without a barrier XLA's CPU compiler makes them
    anew for each of its readers. Other devices' compilers choose for themselves."""
    stacked = jnp.stack(rows)
    if platform() != "cpu":
        return stacked
    array: jax.Array = jax.lax.optimization_barrier(  # type: ignore[no-untyped-call]  # JAX's own
        stacked
    )
    return array
