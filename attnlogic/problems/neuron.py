"""The notebook's neuron, as arithmetic, and its variations: the family of models ``attention``.

Six parameters on two scalar tokens: raw scores (no softmax, no scaling), a residual, a linear
readout. The functions use only ``+ - * / **`` (softmax: ``exp`` too) on whatever they are given, so
they run on floats, ``Fraction``, NumPy arrays, JAX tracers, torch tensors and SymPy symbols, and
broadcast over any batch of seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import product
from typing import Any, NamedTuple

from attnlogic.problems.architecture import Tensor, Value, mean_squared_error, names


class Params(NamedTuple):
    """The trainable scalars. Each is a number or an array of one shape, one entry a seed.

    Attributes:
      wq, wk, wv: the query, key and value weights (bias-free maps from one scalar to one); with
        several heads a tuple of one each.
      w: the readout's weights, one a token: (w1, w2).
      b: the readout's bias; None for a model without.
    """

    wq: Value
    wk: Value
    wv: Value
    w: tuple[Value, ...]
    b: Value


def tensors(inputs: int, *, bias: bool = True, heads: int = 1) -> tuple[Tensor, ...]:
    """What is trained, in the order in which torch's module draws it; torch's names."""
    found = []
    for head in range(heads):
        where = "raw_attention." if heads == 1 else f"heads.{head}."
        mark = "" if heads == 1 else str(head + 1)
        found += [
            Tensor(f"{where}W{role}.weight", (1, 1), (f"w{role}{mark}",), fan_in=1)
            for role in "qkv"
        ]
    readout = tuple(f"w{i + 1}" for i in range(inputs))
    found.append(Tensor("attn_out.weight", (1, inputs), readout, fan_in=inputs))
    if bias:
        found.append(Tensor("attn_out.bias", (1,), ("b",), fan_in=inputs))
    return tuple(found)


NAMES = names(tensors(2))
"""The notebook's parameters in the order in which they are drawn, packed and printed: wq, wk, wv,
w1, w2, b."""

SIGNS = tuple("".join(signs) for signs in product("+-", repeat=3))
"""The signs that (wq, wk, wv) may have: ``"++-"``. Four go with C > 0, four with C < 0."""


def pack(params: Params) -> tuple[Value, ...]:
    """The notebook's six parameters in the order of ``NAMES``."""
    return (params.wq, params.wk, params.wv, *params.w, params.b)


def unpack(values: Sequence[Value], *, bias: bool = True, heads: int = 1) -> Params:
    """``Params`` from all scalars in order; of the notebook's six, the inverse of ``pack``."""
    if heads == 1:
        wq, wk, wv, *rest = values
    else:
        wq, wk, wv = (tuple(values[role : 3 * heads : 3]) for role in range(3))
        rest = [*values[3 * heads :]]
    b = rest.pop() if bias else None
    return Params(wq, wk, wv, tuple(rest), b)


def _heads(params: Params) -> list[tuple[Value, Value, Value]]:
    """(wq, wk, wv) of each head."""
    if isinstance(params.wq, tuple):
        return [*zip(params.wq, params.wk, params.wv, strict=True)]
    return [(params.wq, params.wk, params.wv)]


def invariant(params: Params) -> Value:
    """C = wq·wk·wv, the only combination of the three through which the output depends on them.

    With several heads it is the sum of theirs.
    """
    return _total([wq * wk * wv for wq, wk, wv in _heads(params)])


def attend(params: Params, x: Sequence[Value], xp: Any = None, scores: str = "raw") -> list[Value]:
    """Attention on scalar tokens: ``attended_i = Σ_j s(q_i k_j) v_j`` with q = wq x, and so on.

    Args:
      params: the parameters.
      x: the tokens, one value each.
      xp: the array namespace, for softmax.
      scores: ``"raw"``: s is the product itself; ``"softmax"``: over j.

    Returns:
      One attended value a token; with several heads their sum.
    """
    by_head = []
    for wq, wk, wv in _heads(params):
        queries, keys, values = ([weight * xi for xi in x] for weight in (wq, wk, wv))
        if scores == "raw":
            by_head.append(
                [sum(q * k * v for k, v in zip(keys, values, strict=True)) for q in queries]
            )
        else:
            by_head.append([_mixed([q * k for k in keys], values, xp) for q in queries])
    return [_total(heads) for heads in zip(*by_head, strict=True)]


def _mixed(scores: Sequence[Value], values: Sequence[Value], xp: Any) -> Value:
    """The values' mean with the weights ``softmax(scores)``; the largest is subtracted first."""
    largest = reduce(xp.maximum, scores)
    weights = [xp.exp(score - largest) for score in scores]
    return sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)


def _total(terms: Sequence[Value]) -> Value:
    """The sum, without the 0 that ``sum`` begins with."""
    first, *rest = terms
    return sum(rest, first)


def predict(
    params: Params,
    x: Sequence[Value],
    xp: Any = None,
    *,
    residual: bool = True,
    scores: str = "raw",
) -> Value:
    """The model's output: the readout ``w·(attended + x) + b``.

    With raw scores it equals ``(w·x)(C Σx² + 1) + b``; on two inputs in {0, 1} that is
    ``w1(C+1) x1 + w2(C+1) x2 + C(w1+w2) x1x2 + b``.

    Args:
      params: the parameters; scalars of shape S.
      x: the tokens, one value each.
      xp: the array namespace, for softmax.
      residual: whether the tokens are added to what was attended.
      scores: see ``attend``.

    Returns:
      The output, of shape S.
    """
    attended = attend(params, x, xp, scores)
    if residual:
        attended = [a + xi for a, xi in zip(attended, x, strict=True)]
    readout = sum(w * a for w, a in zip(params.w, attended, strict=True))
    return readout if params.b is None else readout + params.b


def loss(params: Params, rows: Sequence[Sequence[Value]], targets: Sequence[Value]) -> Value:
    """Mean squared error of the notebook's neuron over the rows of a truth table.

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
