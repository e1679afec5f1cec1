"""The models and gates on which attnlogic is compared with plain JAX."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from attnlogic.backend import Training
from attnlogic.optimizers import optimizer
from attnlogic.problems import OwnLoss, problem

HIDDEN = 2


def _init(key: jax.Array) -> dict[str, Any]:
    """The starts of ``OWN``: standard normal weights, no biases; two inputs."""
    v, w = jax.random.split(key)
    return {
        "v": jax.random.normal(v, (HIDDEN, 2)), "c": jnp.zeros(HIDDEN),
        "w": jax.random.normal(w, (HIDDEN,)), "b": jnp.zeros(()),
    }  # fmt: skip


def _loss(params: dict[str, Any], x: jax.Array, y: jax.Array) -> jax.Array:
    outputs = jnp.tanh(x @ params["v"].T + params["c"]) @ params["w"] + params["b"]
    return jnp.mean((outputs - y) ** 2)


OWN = OwnLoss(_init, _loss, "own loss: mlp")
"""The same network as ``mlp``, as a user of attnlogic writes it in array code."""

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
