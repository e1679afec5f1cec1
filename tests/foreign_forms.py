"""What the tests of other packages' optimizers share: plain loops of the frameworks themselves."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib
import torch
from helpers import XOR, condition

from attnlogic.optimizers import factory_of, optimizer
from attnlogic_torch import RawAttentionWithTopNeuron
from attnlogic_torch.modules import load, read

NAMES = ("raw_attention.Wq.weight", "raw_attention.Wk.weight", "raw_attention.Wv.weight",
         "attn_out.weight", "attn_out.bias")  # fmt: skip
SHAPES = ((1, 1), (1, 1), (1, 1), (1, 2), (1,))


def transformations(module):
    """The names of all functions of optax that make a transformation."""
    for name, function in sorted(vars(module).items()):
        if name.startswith("_") or not inspect.isfunction(function):
            continue
        if "GradientTransformation" in str(inspect.signature(function).return_annotation):
            yield name, function


def tensors(packed):
    """The module's tensors by torch's names, from six numbers."""
    ends = np.cumsum([np.prod(shape) for shape in SHAPES])[:-1]
    parts = jnp.split(packed, ends)
    return {n: part.reshape(shape) for n, part, shape in zip(NAMES, parts, SHAPES, strict=True)}


def vector(tree):
    return jnp.concatenate([tree[name].reshape(-1) for name in NAMES])


def xor_loss(tree):
    """The notebook's neuron on XOR, in matrices."""
    wq, wk, wv, w, b = (tree[name] for name in NAMES)
    x = jnp.asarray(XOR.data.inputs, w.dtype)[..., None]
    attended = (x @ wq.T) @ jnp.swapaxes(x @ wk.T, 1, 2) @ (x @ wv.T) + x
    outputs = attended[..., 0] @ w.T + b
    return jnp.mean((outputs[:, 0] - jnp.asarray(XOR.data.targets, w.dtype)) ** 2)


def optax_loop(by, start, epochs, *, extras=True):
    """Losses (epochs,) and final parameters (6,) of optax's own loop, in float64.

    Args:
      by: the name of an optimizer with its settings, or a transformation.
      start: packed parameters, (6,).
      extras: whether it takes value, grad and value_fn.
    """
    chosen = optimizer(by)
    found = factory_of(chosen)
    with jax.enable_x64(True), jax.numpy_rank_promotion("allow"):
        made = found(**chosen.settings) if callable(found) else found
        made = optax.with_extra_args_support(made)
        params = tensors(jnp.asarray(start, "float64"))
        state, losses = made.init(params), []

        @jax.jit
        def step(params, state):
            value, grad = jax.value_and_grad(xor_loss)(params)
            extra = {"value": value, "grad": grad, "value_fn": xor_loss} if extras else {}
            updates, state = made.update(grad, state, params, **extra)
            return optax.apply_updates(params, updates), state, value

        for _ in range(epochs):
            params, state, value = step(params, state)
            losses.append(float(value))
        return np.array(losses), np.asarray(vector(params))


def torch_loop(make, start, epochs, module=None, schedule=lambda made: None):
    """Losses (epochs,) and final parameters of torch's own loop, in float64.

    Args:
      make: makes the optimizer from parameters.
      start: packed parameters.
      module: two inputs to one output; the notebook's if None.
      schedule: from the optimizer to torch's scheduler.
    """
    module = (module or RawAttentionWithTopNeuron()).double()
    load(module, start)
    made = make(module.parameters())
    scheduler, losses = schedule(made), []
    x, y = (torch.tensor(v, dtype=torch.float64) for v in (XOR.data.inputs, XOR.data.targets))

    def closure():
        made.zero_grad()
        loss = torch.nn.functional.mse_loss(module(x).squeeze(-1), y)
        loss.backward()
        return loss

    for _ in range(epochs):
        losses.append(float(closure().detach()))
        made.step(closure)
        if scheduler is not None:
            scheduler.step()
    return np.array(losses), read(module)


def in_float64(by, epochs):
    return condition("xor", by, epochs, precision="float64")
