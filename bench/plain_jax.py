"""What a good JAX user writes at once: ``jit(vmap(scan))``, optax, a pytree of parameters."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from attnlogic.backend import Training
from bench.plain_models import Tree, array_code
from bench.work import Result, SkippedError, Starts


def transformation(name: str, s: dict[str, Any]) -> optax.GradientTransformation:
    """optax's own; ``optax.polyak_sgd`` caps its step, so that one is written out.

    Args:
      name: the optimizer.
      s: its hyperparameters.

    Raises:
      SkippedError: optax has another one.
    """
    match name:
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


def one_seed(training: Training) -> Callable[[dict[str, Any], Tree], jax.Array]:
    """A function from the optimizer's numbers and one seed's parameters to its first hit."""
    loss = array_code(training.problem).loss

    def train(settings: dict[str, Any], params: Tree) -> jax.Array:
        how = optax.with_extra_args_support(transformation(training.optimizer.name, settings))

        def epoch(carry: Any, number: jax.Array) -> tuple[Any, None]:
            params, state, first_hit = carry
            value, gradient = jax.value_and_grad(loss)(params)
            updates, state = how.update(gradient, state, params, value=value)
            hits = (value <= training.threshold) & (first_hit < 0)
            first_hit = jnp.where(hits, number, first_hit)
            return (optax.apply_updates(params, updates), state, first_hit), None

        carry = (params, how.init(params), jnp.array(-1))
        return jax.lax.scan(epoch, carry, jnp.arange(training.epochs))[0][2]

    return train


def prepare(training: Training, initial: Starts) -> Callable[[], Result]:
    """Compile, and give what trains these seeds; see ``work.Contender``."""
    train = partial(one_seed(training), training.optimizer.settings)
    params_of = array_code(training.problem).params
    start = jax.vmap(params_of, in_axes=-1)(jnp.asarray(initial))
    compiled = jax.jit(jax.vmap(train)).lower(start).compile()
    return lambda: Result(np.asarray(compiled(start)), initial.shape[1] * training.epochs)
