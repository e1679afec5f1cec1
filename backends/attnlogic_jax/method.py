"""What an optimizer is here: two pure functions on packed parameters.

P parameters of N seeds are one array of shape (P, N), or (P,) for one seed: seeds trail, so that
each row is contiguous and elementwise work runs over seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp

from attnlogic_jax.platforms import Platform

State = Any
Tree = TypeVar("Tree")
"""Arrays nested in any way."""


@partial(jax.tree_util.register_dataclass, data_fields=["stacked"], meta_fields=["names"])
@dataclass(frozen=True)
class Evaluated:
    """What is evaluated at packed parameters (P, …), in one array.

    Attributes:
      stacked: the loss, its P derivatives and the model's Q own numbers; (1 + P + Q, …).
      names: the names of those numbers.
    """

    stacked: jax.Array
    names: tuple[str, ...]

    @property
    def loss(self) -> jax.Array:
        """The loss; (…)."""
        return self.stacked[0]

    @property
    def gradient(self) -> jax.Array:
        """Its derivatives; (P, …)."""
        return self.stacked[1 : self.stacked.shape[0] - len(self.names)]

    @property
    def quantities(self) -> dict[str, jax.Array]:
        """The model's own numbers by name; each (…)."""
        first = self.stacked.shape[0] - len(self.names)
        return {name: self.stacked[first + i] for i, name in enumerate(self.names)}


Evaluate = Callable[[jax.Array], Evaluated]

LANES = 32
"""Fewest seeds that are trained together, and what a device's share of a chunk is a multiple of.
XLA's CPU code for fewer seeds is scalar and rounds otherwise; from here on a run is the same, bit
for bit, whatever seeds stand beside it. An odd number of seeds takes three times as long."""


class Report(NamedTuple):
    """What a step reports of its epoch; each of shape (…), one entry a seed.

    Attributes:
      loss: the loss before the update.
      quantities: the model's own numbers at that loss, by name.
      evaluations: how many evaluations the step took; None where it is always one.
      stopped: whether the method's own rule has ended the run; None where it has no such rule.
    """

    loss: jax.Array
    quantities: dict[str, jax.Array]
    evaluations: jax.Array | None = None
    stopped: jax.Array | None = None


Goal = jax.Array | None
"""The loss at or below which a run ends, before that epoch's update; None for no such end."""


class Within(NamedTuple):
    """How far seeds are within an epoch of several iterations.

    Attributes:
      here: what was evaluated at the parameters.
      evaluations: so far in this epoch; (…).
      active: whether the epoch goes on; (…).
      i: the iterations done in it, where it goes on; (…).
    """

    here: Evaluated
    evaluations: jax.Array
    active: jax.Array
    i: jax.Array


class Iterations(NamedTuple):
    """An epoch in pieces, for an optimizer of which some seeds need few iterations and others many.

    Attributes:
      begin: ``begin(here)``, after the first evaluation.
      iterate: ``iterate(evaluate, epoch, packed, state, within)``: one more iteration of the seeds
        whose epoch goes on: parameters and state after it, and how far they are. Each seed may be
        in an epoch of its own: () or (…).
      end: ``end(state, epochs)``: the state once so many epochs more are done.
    """

    begin: Callable[[Evaluated], Within]
    iterate: Callable[
        [Evaluate, jax.Array, jax.Array, State, Within], tuple[jax.Array, State, Within]
    ]
    end: Callable[[State, int | jax.Array], State]


class Method(NamedTuple):
    """An optimizer.

    Attributes:
      init: ``init(packed)`` is the state before the first epoch.
      step: ``step(evaluate, packed, state)`` is one epoch: the parameters and the state after it,
        and its report.
      counts_evaluations: whether its report says how many evaluations an epoch took.
      iterations: what ``step`` does, in pieces; None where all seeds take as long.
    """

    init: Callable[[jax.Array], State]
    step: Callable[[Evaluate, jax.Array, State], tuple[jax.Array, State, Report]]
    counts_evaluations: bool = False
    iterations: Iterations | None = None


def take(tree: Tree, chosen: jax.Array) -> Tree:
    """Some of the seeds, whose axis trails; what has no axis is the same for all and stays."""
    some: Tree = jax.tree.map(lambda leaf: leaf[..., chosen] if leaf.ndim else leaf, tree)
    return some


def stored(platform: Platform, rows: Sequence[jax.Array]) -> jax.Array:
    """Rows stacked into an array that is made once."""
    return made_once(platform, jnp.stack(rows))


def made_once(platform: Platform, tree: Tree) -> Tree:
    """Arrays that are made once, whoever reads them."""
    if not platform.needs_barriers:
        return tree
    same: Tree = jax.lax.optimization_barrier(tree)  # type: ignore[no-untyped-call]  # JAX's own
    return same
