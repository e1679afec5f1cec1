"""Optimizers whose step of a parameter depends on that parameter alone, on packed parameters.

The formulas are torch's, a few lines each (``adam_rules``, ``rules``). optax's transformations are
not used here: given a number as an array they derive others from it in the training's precision
(``1 - 0.999`` loses three of float32's seven digits), and several differ from torch's. Tests hold
each rule to torch's own optimizer, and to optax's where the formulas are one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp

from attnlogic.optimizers import Structure
from attnlogic_jax.method import Evaluate, Method, Report
from attnlogic_jax.rates import learning_rate

Numbers = Mapping[str, jax.Array]
"""An optimizer's numbers by name, of the training's dtype: each () or, one for each seed, (N,)."""

Kept = Any
"""What a rule keeps from epoch to epoch: arrays (P, …), or of a number's shape."""


class At(NamedTuple):
    """Where a step is taken.

    Attributes:
      packed: the parameters before it; (P, …).
      lr: the learning rate of this epoch; () or (1, N).
      t: the number of the step, from 1, as a number of the training's dtype; ().
    """

    packed: jax.Array
    lr: jax.Array
    t: jax.Array


class Rule(NamedTuple):
    """An elementwise optimizer without its weight decay.

    Attributes:
      init: ``init(packed, lr)`` is what it keeps before the first epoch.
      direction: ``direction(gradient, kept, at)`` is what it steps against, (P, …), and what it
        keeps: the parameters become ``packed - lr·direction``.
      includes_lr: whether the direction is multiplied by a rate already.
    """

    init: Callable[[jax.Array, jax.Array], Kept]
    direction: Callable[[jax.Array, Kept, At], tuple[jax.Array, Kept]]
    includes_lr: bool = False


Decay = Literal["l2", "decoupled"]
"""How weight decay enters: added to the gradient, or to the direction (AdamW)."""


class State(NamedTuple):
    """``epoch`` () counts the epochs done; the rest is the rule's own."""

    epoch: jax.Array
    kept: Kept


def elementwise(
    rule: Callable[[Structure, Numbers], Rule], how: Structure, numbers: Numbers, decay: Decay
) -> Method:
    """The method of a rule: with its learning rate of each epoch, and its weight decay."""
    n = {name: over_parameters(number) for name, number in numbers.items()}
    init_kept, direction_of, includes_lr = rule(how, n)
    decays = "weight_decay" in how.enabled

    def init(packed: jax.Array) -> State:
        epoch = jnp.zeros((), jnp.int32)
        return State(epoch, init_kept(packed, learning_rate(how, n, epoch)))

    def step(
        evaluate: Evaluate, packed: jax.Array, state: State
    ) -> tuple[jax.Array, State, Report]:
        here = evaluate(packed)
        gradient = here.gradient
        epoch = state.epoch + 1
        at = At(packed, learning_rate(how, n, state.epoch), epoch.astype(packed.dtype))
        if decays and decay == "l2":
            gradient = gradient + n["weight_decay"] * packed
        direction, kept = direction_of(gradient, state.kept, at)
        if decays and decay == "decoupled":
            direction = direction + n["weight_decay"] * packed
        moved = packed - (direction if includes_lr else at.lr * direction)
        return moved, State(epoch, kept), Report(here.loss, here.quantities)

    return Method(init, step)


def over_parameters(number: jax.Array) -> jax.Array:
    """A number, () or (N,), in a shape that meets packed parameters (P, N): () or (1, N)."""
    return number[None] if number.ndim else number
