"""Models of a user's own, of every kind that ``--model package.module:factory`` accepts.

Each can be tried as it stands::

    attnlogic study xor -m attnlogic.examples.own_models:product -o adam
    attnlogic study xor -m 'attnlogic.examples.own_models:equinox_network(width=4)' -o adam
    attnlogic study xor -m attnlogic.examples.own_models:TorchNetwork -o adam --backend torch
"""

from __future__ import annotations

from typing import Any

import attnlogic


def product() -> attnlogic.Model:
    """Arithmetic on named scalars, for any number of inputs; it runs on both backends.

    ``predict`` may use ``+ - * / **`` and the functions of ``xp``; seed s draws the parameters as
    torch would.
    """

    def tensors(inputs: int) -> tuple[attnlogic.Tensor, ...]:
        weights = tuple(f"w{i + 1}" for i in range(inputs))
        return (
            attnlogic.Tensor("weight", (1, inputs), weights, fan_in=inputs),
            attnlogic.Tensor("gate", (1,), ("g",), fan_in=inputs),
            attnlogic.Tensor("bias", (1,), ("b",), fan_in=inputs),
        )

    def predict(params: Any, x: Any, xp: Any) -> Any:
        (weights,), (gate,), (bias,) = params["weight"], params["gate"], params["bias"]
        linear = sum(w * xi for w, xi in zip(weights, x, strict=True))
        every = x[0]
        for xi in x[1:]:
            every = every * xi
        return linear + gate * every + bias

    total = attnlogic.Quantity("total", "w1 + … + wn", lambda params: sum(params["weight"][0]))
    return attnlogic.Model("product", "w·x + g·Πx + b", tensors, predict, quantities=(total,))


def equinox_network(width: int = 2) -> attnlogic.OwnLoss:
    """An Equinox module: ``init`` makes one from a key, and the loss calls it on each row."""
    import equinox as eqx
    import jax

    class Network(eqx.Module):
        inner: Any
        outer: Any

        def __init__(self, key: Any) -> None:
            one, two = jax.random.split(key)
            self.inner = eqx.nn.Linear(2, width, key=one)
            self.outer = eqx.nn.Linear(width, 1, key=two)

        def __call__(self, x: Any) -> Any:
            return self.outer(jax.nn.tanh(self.inner(x)))

    return attnlogic.OwnLoss(lambda key: Network(key))


def flax_network(width: int = 2) -> Any:
    """A Flax module; its parameters come from its own ``init``."""
    from flax import linen

    return linen.Sequential([linen.Dense(width), linen.tanh, linen.Dense(1)])


def valley(curvature: float = 10.0) -> attnlogic.OwnLoss:
    """A loss of its parameters alone, without data: Rosenbrock's."""
    import jax

    def init(key: Any) -> dict[str, Any]:
        x, y = jax.random.normal(key, (2,))
        return {"x": x, "y": y}

    def loss(params: dict[str, Any]) -> Any:
        across = params["y"] - params["x"] ** 2
        return (1 - params["x"]) ** 2 + curvature * across**2

    return attnlogic.OwnLoss(init, loss)


def __getattr__(name: str) -> Any:
    """``TorchNetwork``, a torch module, defined once torch is asked for."""
    if name != "TorchNetwork":
        raise AttributeError(name)
    from torch import nn

    class TorchNetwork(nn.Module):
        """Two inputs, hidden units, one output; its loss is the mean squared error."""

        def __init__(self, width: int = 2) -> None:
            super().__init__()
            self.inner, self.outer = nn.Linear(2, width), nn.Linear(width, 1)

        def forward(self, x: Any) -> Any:
            return self.outer(self.inner(x).tanh())

    globals()[name] = TorchNetwork
    return TorchNetwork
