"""The models and gates on which attnlogic is compared with plain JAX."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from attnlogic.backend import Training
from attnlogic.optimizers import optimizer
from attnlogic.problems import OwnLoss, problem


def own_mlp(hidden: int, inputs: int = 2) -> OwnLoss:
    """The network ``mlp``, as a user of attnlogic writes it in array code.

    Its starts are standard normal weights, and no biases.
    """

    def init(key: jax.Array) -> dict[str, Any]:
        v, w = jax.random.split(key)
        return {
            "v": jax.random.normal(v, (hidden, inputs)), "c": jnp.zeros(hidden),
            "w": jax.random.normal(w, (hidden,)), "b": jnp.zeros(()),
        }  # fmt: skip

    return OwnLoss(init, _loss, f"own loss: mlp(hidden={hidden})")


def _loss(params: dict[str, Any], x: jax.Array, y: jax.Array) -> jax.Array:
    outputs = jnp.tanh(x @ params["v"].T + params["c"]) @ params["w"] + params["b"]
    return jnp.mean((outputs - y) ** 2)


OWN = own_mlp(2)

WORK: tuple[tuple[Any, str, float], ...] = (
    ("attention", "xor", 1e-4),
    ("attention", "parity3", 0.251),
    ("attention", "parity4", 0.251),
    ("attention(residual=False)", "xor", 0.2223),
    ("attention(scores=softmax)", "xor", 1e-4),
    ("attention(heads=2)", "xor", 1e-4),
    ("mlp", "xor", 1e-4),
    ("mlp", "parity3", 1e-4),
    ("mlp(hidden=4)", "parity3", 1e-4),
    ("linear", "xor", 0.251),
    (OWN, "xor", 1e-4),
)
"""Model, gate and threshold: 1e-4, or where the model cannot solve the gate a little more than the
least loss that it finds: 1/4 or, without the residual, 2/9."""


def trainings(epochs: int) -> list[Training]:
    """AdamW on each."""
    return [
        Training(problem(gate, model), optimizer("adamw"), epochs, threshold)
        for model, gate, threshold in WORK
    ]
