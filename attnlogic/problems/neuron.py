"""The model, as arithmetic.

A six-parameter attention neuron on two scalar tokens: raw scores (no softmax, no scaling), a
residual, a linear readout. The functions use only ``+ - * / **`` on whatever they are given, so the
same three run on floats, ``Fraction``, NumPy arrays, JAX tracers, torch tensors and SymPy symbols,
and broadcast over any batch of seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

Value = Any
"""A number in any arithmetic: all that is asked of it is ``+ - * / **``."""


class Params(NamedTuple):
    """The six trainable scalars. Each leaf is a number or an array of one shape, one entry a seed.

    Attributes:
      wq, wk, wv: the query, key and value weights (bias-free maps from one scalar to one).
      w: the readout's two weights (w1, w2).
      b: the readout's bias.
    """

    wq: Value
    wk: Value
    wv: Value
    w: tuple[Value, Value]
    b: Value


NAMES = ("wq", "wk", "wv", "w1", "w2", "b")
"""The parameters in the order in which they are drawn, packed and printed."""


SIGNS = tuple("".join(signs) for signs in product("+-", repeat=3))
"""The signs that (wq, wk, wv) may have: ``"++-"``. Four go with C > 0, four with C < 0."""


def pack(params: Params) -> tuple[Value, ...]:
    """The six parameters in the order of ``NAMES``."""
    return (params.wq, params.wk, params.wv, *params.w, params.b)


def unpack(values: Sequence[Value]) -> Params:
    """``Params`` from six values in the order of ``NAMES``: the inverse of ``pack``."""
    wq, wk, wv, w1, w2, b = values
    return Params(wq, wk, wv, (w1, w2), b)


def invariant(params: Params) -> Value:
    """C = wq·wk·wv, the only combination of the three through which the output depends on them."""
    return params.wq * params.wk * params.wv


def attend(params: Params, x: Sequence[Value]) -> tuple[Value, ...]:
    """Raw attention: ``attended_i = Σ_j (q_i k_j) v_j`` with q = wq x, k = wk x, v = wv x.

    Args:
      params: the parameters.
      x: the tokens, one value each.

    Returns:
      One attended value a token.
    """
    queries = [params.wq * xi for xi in x]
    keys = [params.wk * xi for xi in x]
    values = [params.wv * xi for xi in x]
    return tuple(sum(q * k * v for k, v in zip(keys, values, strict=True)) for q in queries)


def predict(params: Params, x: Sequence[Value]) -> Value:
    """The model's output: the readout ``w·(attended + x) + b``.

    On inputs in {0, 1} it equals ``w1(C+1) x1 + w2(C+1) x2 + C(w1+w2) x1x2 + b``.
    """
    attended = attend(params, x)
    readout = sum(w * (a + xi) for w, a, xi in zip(params.w, attended, x, strict=True))
    return readout + params.b


def mean_squared_error(outputs: Sequence[Value], targets: Sequence[Value]) -> Value:
    """The mean over the rows of ``(output - target)²``.

    Args:
      outputs: one value a row; of shape S.
      targets: likewise.

    Returns:
      The mean, of shape S.
    """
    squares = ((output - t) ** 2 for output, t in zip(outputs, targets, strict=True))
    return sum(squares) / len(outputs)


def loss(params: Params, rows: Sequence[Sequence[Value]], targets: Sequence[Value]) -> Value:
    """Mean squared error over the rows of a truth table.

    Args:
      params: the parameters; leaves of shape S.
      rows: the inputs, one sequence of tokens a row (``gates.ROWS`` for a two-bit gate).
      targets: one value a row.

    Returns:
      The loss, of shape S.
    """
    return mean_squared_error([predict(params, x) for x in rows], targets)


class Coefficients(NamedTuple):
    """The output on inputs in {0, 1} as a polynomial: ``x1·x1 + x2·x2 + x1x2·x1x2 + bias``."""

    x1: Value
    x2: Value
    x1x2: Value
    bias: Value


def coefficients(params: Params) -> Coefficients:
    """The four coefficients of the expanded form on {0, 1}, where x² = x.

    ``out = w1(C+1) x1 + w2(C+1) x2 + C(w1+w2) x1x2 + b``.
    """
    c = invariant(params)
    w1, w2 = params.w
    return Coefficients(w1 * (c + 1), w2 * (c + 1), c * (w1 + w2), params.b)
