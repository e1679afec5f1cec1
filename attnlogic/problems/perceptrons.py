"""Networks to compare attention with: a linear readout of the inputs, and one hidden layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attnlogic.problems.architecture import Tensor, Value


def linear_tensors(inputs: int) -> tuple[Tensor, ...]:
    """What ``nn.Linear(inputs, 1)`` trains."""
    return _layer("", inputs, 1, [f"w{i + 1}" for i in range(inputs)], ["b"])


def linear(params: dict[str, Any], x: Sequence[Value], xp: Any = None) -> Value:
    """``w·x + b``.

    Args:
      params: a tensor's name -> its scalars, of shape S, nested in tuples.
      x: the inputs, one value each.
      xp: not needed.

    Returns:
      The output, of shape S.
    """
    return _affine(params["weight"][0], x, params["bias"][0])


def mlp_tensors(inputs: int, *, hidden: int) -> tuple[Tensor, ...]:
    """What two layers ``nn.Linear`` train, the first called ``hidden`` and the second ``out``."""
    units = range(1, hidden + 1)
    weights = [f"v{h}_{i + 1}" for h in units for i in range(inputs)]
    return (
        *_layer("hidden.", inputs, hidden, weights, [f"c{h}" for h in units]),
        *_layer("out.", hidden, 1, [f"w{h}" for h in units], ["b"]),
    )


def mlp(
    params: dict[str, Any], x: Sequence[Value], xp: Any = None, *, activation: str = "tanh"
) -> Value:
    """``Σ_h w_h f(v_h·x + c_h) + b``.

    Args:
      params: a tensor's name -> its scalars, of shape S, nested in tuples.
      x: the inputs, one value each.
      xp: the array namespace.
      activation: the name of f, a key of ``ACTIVATIONS``.

    Returns:
      The output, of shape S.
    """
    f = ACTIVATIONS[activation]
    layer = zip(params["hidden.weight"], params["hidden.bias"], strict=True)
    units = [f(_affine(weights, x, bias), xp) for weights, bias in layer]
    return _affine(params["out.weight"][0], units, params["out.bias"][0])


def _tanh(x: Value, xp: Any) -> Value:
    return xp.tanh(x)


def _relu(x: Value, xp: Any) -> Value:
    # As torch's: the derivative at 0 is 0, and what is NaN stays so.
    return xp.where(x <= 0, 0, x)


def _sigmoid(x: Value, xp: Any) -> Value:
    return (xp.tanh(x / 2) + 1) / 2  # 1/(1 + exp(-x)), whose exp and derivative overflow


def _identity(x: Value, xp: Any) -> Value:
    return x


ACTIVATIONS: dict[str, Callable[[Value, Any], Value]] = {
    "tanh": _tanh,
    "relu": _relu,
    "sigmoid": _sigmoid,
    "identity": _identity,
}
"""What a hidden unit does to its input, by name."""


def _layer(
    name: str, inputs: int, outputs: int, weights: Sequence[str], biases: Sequence[str]
) -> tuple[Tensor, Tensor]:
    """The tensors of an ``nn.Linear``, in the order in which torch draws them."""
    return (
        Tensor(f"{name}weight", (outputs, inputs), tuple(weights), fan_in=inputs),
        Tensor(f"{name}bias", (outputs,), tuple(biases), fan_in=inputs),
    )


def _affine(weights: Sequence[Value], x: Sequence[Value], bias: Value) -> Value:
    return sum(w * xi for w, xi in zip(weights, x, strict=True)) + bias
