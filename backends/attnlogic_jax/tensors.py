"""Packed parameters as the pytree that a transformation of optax's takes, and back."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from attnlogic.problems import Model, Problem


class Form(NamedTuple):
    """One seed's parameters as a transformation takes them.

    Attributes:
      unpack: from packed parameters (P,) to a pytree.
      pack: the way back.
    """

    unpack: Callable[[jax.Array], Any]
    pack: Callable[[Any], jax.Array]


PACKED = Form(lambda packed: packed, lambda packed: packed)
"""As they are: one vector."""


def form_of(problem: Problem) -> Form:
    """The model's own tensors: a dict by torch's names, with torch's shapes; a user's own pytree.

    Of that, as Equinox has it, only arrays are given: None stands for what is not trained.

    Example:
      >>> from attnlogic.problems import problem
      >>> tree = form_of(problem("xor")).unpack(jnp.arange(6.0))
      >>> {name: tensor.shape for name, tensor in tree.items()}["attn_out.weight"]
      (1, 2)
    """
    if not isinstance(problem.model, Model):
        return Form(lambda packed: _arrays(problem.unpack(packed)), _joined)
    tensors = problem.tensors

    def unpack(packed: jax.Array) -> dict[str, jax.Array]:
        found, at = {}, 0
        for tensor in tensors:
            size = math.prod(tensor.shape)
            found[tensor.name] = packed[at : at + size].reshape(tensor.shape)
            at += size
        return found

    return Form(unpack, lambda tree: _joined([tree[tensor.name] for tensor in tensors]))


def _arrays(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf if isinstance(leaf, jax.Array) else None, tree)


def _joined(tree: Any) -> jax.Array:
    return jnp.concatenate([leaf.reshape(-1) for leaf in jax.tree.leaves(tree)])
