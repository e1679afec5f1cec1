"""Inputs that are 0: every product with one is the same number, and is computed once.

The compiler may not drop ``0·w``, which is NaN where w is not finite. Here such a product stands
for ``nothing``, an array of a group of seeds that holds 0, or NaN where a parameter is not finite:
it is added where the product would be, forwards and backwards, so that sums round as with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from attnlogic_jax.method import stored
from attnlogic_jax.platforms import Platform


@jax.custom_vjp
def _product(factor: jax.Array, zero: jax.Array) -> jax.Array:
    return zero


# Either factor's derivative is again a product with a zero.
_product.defvjp(lambda factor, zero: (zero, zero), lambda zero, slope: (zero, zero))


class Zero:
    """A number that is 0: ``value`` has the shape of a parameter."""

    def __init__(self, value: jax.Array) -> None:
        self.value = value

    def __mul__(self, other: Any) -> Zero:
        if isinstance(other, Zero | int | float):
            return self
        return Zero(_product(other, self.value))

    def __add__(self, other: Any) -> Any:
        if isinstance(other, Zero):
            return Zero(_product(other.value, self.value))
        if isinstance(other, int) and other == 0:  # with which Python's sum begins
            return self
        return other + self.value

    __rmul__, __radd__ = __mul__, __add__

    def __sub__(self, other: Any) -> Any:
        return self.value - number(other)

    def __rsub__(self, other: Any) -> Any:
        return other - self.value

    def __truediv__(self, other: Any) -> Any:
        return self.value / other


def number(value: Any) -> Any:
    """The value, as an array if it is a ``Zero``."""
    return value.value if isinstance(value, Zero) else value


class _Namespace:
    """``jax.numpy``, whose functions take a ``Zero`` too."""

    def __getattr__(self, name: str) -> Callable[..., jax.Array]:
        function = getattr(jnp, name)
        return lambda *values: function(*map(number, values))


NAMESPACE = _Namespace()


def nothing(platform: Platform, rows: Sequence[jax.Array]) -> Zero:
    """0 as an array of the parameters' shape; NaN where one of them is not finite."""
    zero = sum((row * 0 for row in rows[1:]), rows[0] * 0)
    # Two rows: XLA would compute a single one anew in each of its readers.
    return Zero(jax.lax.stop_gradient(stored(platform, [zero, zero])[0]))
