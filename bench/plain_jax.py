"""What a good JAX user writes at once: ``jit(vmap(scan))``, optax, a pytree of parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from attnlogic.backend import Training
from attnlogic.optimizers import Optimizer
from attnlogic.problems import ROWS, Params, pack
from bench.work import Result, SkippedError

Tree = dict[str, jax.Array]


def predict(params: Tree, x: jax.Array) -> jax.Array:
    """One seed's outputs, (rows,), for tokens of shape (rows, 2)."""
    q, k, v = x * params["wq"], x * params["wk"], x * params["wv"]
    scores = q[:, :, None] * k[:, None, :]
    attended = jnp.einsum("rij,rj->ri", scores, v)
    return (attended + x) @ params["w"] + params["b"]


def transformation(optimizer: Optimizer) -> optax.GradientTransformation:
    """optax's own; ``optax.polyak_sgd`` caps its step, so that one is written out."""
    s: dict[str, Any] = optimizer.settings
    match optimizer.name:
        case "adamw":
            return optax.adamw(s["lr"], s["beta1"], s["beta2"], s["eps"],
                               weight_decay=s["weight_decay"])  # fmt: skip
        case "adam":
            return optax.adam(s["lr"], s["beta1"], s["beta2"], s["eps"])
        case "sgd":
            return optax.sgd(s["lr"])
        case "polyak":
            return _polyak(s["f_min"], s["tolerance"])
    raise SkippedError("optax.lbfgs is another algorithm than torch's")


def _polyak(f_min: float, tolerance: float) -> optax.GradientTransformationExtraArgs:
    def update(gradient: Tree, state: Any, params: Any = None, *, value: jax.Array) -> Any:
        square = optax.tree.norm(gradient, squared=True)
        rate = jnp.where(square < tolerance, 0.0, (value - f_min) / square)
        return jax.tree.map(lambda g: -rate * g, gradient), state

    return optax.GradientTransformationExtraArgs(lambda params: optax.EmptyState(), update)


def prepare(training: Training, initial: Params) -> Callable[[], Result]:
    """Compile, and give what trains these seeds; see ``work.Contender``."""
    how = optax.with_extra_args_support(transformation(training.optimizer))
    x, targets = jnp.array(ROWS, jnp.float32), jnp.array(training.problem.data.targets, jnp.float32)

    def loss(params: Tree) -> jax.Array:
        return jnp.mean((predict(params, x) - targets) ** 2)

    def train(params: Tree) -> jax.Array:
        """One seed's first hit."""

        def epoch(carry: Any, number: jax.Array) -> tuple[Any, None]:
            params, state, first_hit = carry
            value, gradient = jax.value_and_grad(loss)(params)
            updates, state = how.update(gradient, state, params, value=value)
            hits = (value <= training.threshold) & (first_hit < 0)
            first_hit = jnp.where(hits, number, first_hit)
            return (optax.apply_updates(params, updates), state, first_hit), None

        carry = (params, how.init(params), jnp.array(-1))
        return jax.lax.scan(epoch, carry, jnp.arange(training.epochs))[0][2]

    wq, wk, wv, w1, w2, b = map(jnp.asarray, pack(initial))
    start = {"wq": wq, "wk": wk, "wv": wv, "w": jnp.stack([w1, w2], axis=1), "b": b}
    compiled = jax.jit(jax.vmap(train)).lower(start).compile()
    return lambda: Result(np.asarray(compiled(start)), len(b) * training.epochs)
