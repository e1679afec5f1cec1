"""Inputs that are 0: every product with one is the same number, and is computed once.

A compiler may not drop ``0·w``, which is NaN where w is not finite: each would be multiplied, and
added to a sum, in each row of the data and again in its derivative. Here all of them are one stored
array, ``Zero``: it holds 0 for each seed, or NaN where one of its parameters is not finite, and is
added wherever a product would be, forwards and backwards.

That is exact. Adding 0 changes no number; but it decides which product of a sum the processor adds
without rounding it first (a fused multiply-add). So the sums stay, and only the products go. Where
all numbers are finite they are the same, but for the sign of a zero. Where a product overflows at
finite parameters, a derivative may be infinite, or even finite, that would be NaN: 0 times infinity
is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax

from attnlogic.problems import Model, Problem
from attnlogic_jax.method import stored
from attnlogic_jax.platforms import Platform


def can_be_dropped(problem: Problem) -> bool:
    """Whether it is exact and saves time: for attention with raw scores on inputs of 0 and 1.

    With other inputs the products that are left would be rounded otherwise; so they are, too, with
    softmax, and in a layer with relu. A linear readout and a layer with tanh gain next to nothing.
    A model of a user's own may ask anything of its inputs.
    """
    model = problem.model
    if not isinstance(model, Model) or model.family != "attention":
        return False
    bits = all(value in {0, 1} for row in problem.data.inputs for value in row)
    return bits and dict(model.settings)["scores"] == "raw"


@jax.custom_vjp
def _product(factor: jax.Array, zero: jax.Array) -> jax.Array:
    return zero


# Either factor's derivative is again a product with a zero.
_product.defvjp(lambda factor, zero: (zero, zero), lambda zero, slope: (zero, zero))


class Zero:
    """A number that is 0, in sums and products: ``value`` has the shape of a parameter."""

    def __init__(self, value: jax.Array) -> None:
        self.value = value

    def __mul__(self, other: Any) -> Zero:
        return Zero(_product(number(other), self.value))

    def __add__(self, other: Any) -> Any:
        if isinstance(other, Zero):
            return Zero(_product(other.value, self.value))
        if isinstance(other, int) and other == 0:  # with which Python's sum begins
            return self
        return other + self.value

    __rmul__, __radd__ = __mul__, __add__


def number(value: Any) -> Any:
    """The value, as an array if it is a ``Zero``."""
    return value.value if isinstance(value, Zero) else value


def nothing(platform: Platform, rows: Sequence[jax.Array]) -> Zero:
    """0 as an array of the parameters' shape; NaN where one of them is not finite."""
    zero = sum((row * 0 for row in rows[1:]), rows[0] * 0)
    # Two rows: XLA would compute a single one anew in each of its readers.
    return Zero(jax.lax.stop_gradient(stored(platform, [zero, zero])[0]))
