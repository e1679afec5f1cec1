"""The models in ordinary array code over a pytree, as a JAX user writes one seed's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from attnlogic.problems import Model, Problem
from bench.work import SkippedError

Tree = Any
"""One seed's parameters: arrays nested in a dict."""


class ArrayCode(NamedTuple):
    """A model in array code.

    Attributes:
      params: ``params(packed)``, one seed's parameters, from its P scalars (P,).
      loss: ``loss(params)``, the mean squared error over all rows; ().
    """

    params: Callable[[jax.Array], Tree]
    loss: Callable[[Tree], jax.Array]


def array_code(problem: Problem) -> ArrayCode:
    """A problem's model in array code; of a user's own loss that loss itself.

    Raises:
      SkippedError: there is none for its family.
    """
    x = jnp.array(problem.data.inputs, jnp.float32)
    targets = jnp.array(problem.data.targets, jnp.float32)
    model = problem.model
    if not isinstance(model, Model):
        return ArrayCode(problem.unpack, lambda params: model.loss(params, x, targets))
    if model.family not in FAMILIES:
        raise SkippedError(f"there is no array code of {model}")
    params, predict = FAMILIES[model.family](**dict(model.settings))
    by_name = partial(_tree, params, problem)
    return ArrayCode(by_name, lambda tree: jnp.mean((predict(tree, x) - targets) ** 2))


def _tree(params: Callable[[Any], Tree], problem: Problem, packed: jax.Array) -> Tree:
    return jax.tree.map(jnp.asarray, params(problem.unpack(tuple(packed))))


Family = tuple[Callable[[Any], Tree], Callable[[Tree, jax.Array], jax.Array]]
"""A seed's tree from the parameters as attnlogic's model takes them, nested in tuples; and the
outputs (rows,) of that tree for inputs (rows, n)."""


def attention(residual: bool, bias: bool, scores: str, heads: int) -> Family:
    """Attention on scalar tokens; the heads side by side, with ``vmap``."""

    def params(own: Any) -> Tree:
        tree = {
            "heads": {
                name: jnp.stack(getattr(own, name)) if heads > 1 else getattr(own, name)
                for name in ("wq", "wk", "wv")
            },
            "w": jnp.stack(own.w),
        }
        return {**tree, "b": own.b} if bias else tree

    def attend(head: Tree, x: jax.Array) -> jax.Array:
        q, k, v = x * head["wq"], x * head["wk"], x * head["wv"]
        weights = q[:, :, None] * k[:, None, :]
        if scores == "softmax":
            weights = jax.nn.softmax(weights, axis=-1)
        return jnp.einsum("rij,rj->ri", weights, v)

    def predict(tree: Tree, x: jax.Array) -> jax.Array:
        if heads == 1:
            attended = attend(tree["heads"], x)
        else:
            attended = jax.vmap(attend, in_axes=(0, None))(tree["heads"], x).sum(axis=0)
        out = (attended + x if residual else attended) @ tree["w"]
        outputs: jax.Array = out + tree["b"] if bias else out
        return outputs

    return params, predict


def linear() -> Family:
    """A linear readout of the inputs."""

    def params(own: Any) -> Tree:
        return {"w": jnp.stack(own["weight"][0]), "b": own["bias"][0]}

    return params, lambda tree, x: x @ tree["w"] + tree["b"]


ACTIVATIONS: dict[str, Callable[[jax.Array], jax.Array]] = {
    "tanh": jnp.tanh, "relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "identity": lambda x: x,
}  # fmt: skip


def mlp(hidden: int, activation: str) -> Family:
    """A network with one hidden layer."""
    f = ACTIVATIONS[activation]

    def params(own: Any) -> Tree:
        return {
            "v": jnp.stack([jnp.stack(row) for row in own["hidden.weight"]]),
            "c": jnp.stack(own["hidden.bias"]),
            "w": jnp.stack(own["out.weight"][0]),
            "b": own["out.bias"][0],
        }

    return params, lambda tree, x: f(x @ tree["v"].T + tree["c"]) @ tree["w"] + tree["b"]


FAMILIES: dict[str, Callable[..., Family]] = {
    "attention": attention, "linear": linear, "mlp": mlp,
}  # fmt: skip
