"""What a model is: the tensors that it trains, its output, and the numbers that are its own.

A model is arithmetic. ``predict`` uses ``+ - * / **`` and, where it needs more, the functions of
the array namespace that it is handed, on one scalar parameter after the other. So it runs on
floats, ``Fraction``, NumPy arrays, JAX tracers, torch tensors and SymPy symbols, and broadcasts
over any batch of seeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from attnlogic.grammar import Value as Setting

Value = Any
"""A number in any arithmetic: all that is asked of it is ``+ - * / **``."""


class Tensor(NamedTuple):
    """A trainable tensor, as torch's module of the model has it.

    Attributes:
      name: torch's name for it in the module: ``"attn_out.weight"``.
      shape: torch's shape: (outputs, inputs) for a weight, (outputs,) for a bias.
      entries: the names of its scalars, in the order in which they are drawn (row by row).
      fan_in: the inputs of its layer: torch draws each entry uniformly in ±1/√fan_in.
    """

    name: str
    shape: tuple[int, ...]
    entries: tuple[str, ...]
    fan_in: int


class Quantity(NamedTuple):
    """A number that a model has at given parameters, such as C = wq·wk·wv.

    Attributes:
      name: the name of its column.
      meaning: a few words or a formula.
      of: its value, from the parameters as ``Model.unpack`` gives them.
    """

    name: str
    meaning: str
    of: Callable[[Any], Value]


@dataclass(frozen=True, repr=False)
class Model:
    """A model for inputs of any number: a value, made of pure functions.

    Attributes:
      name: how it is written: ``"attention(residual=False)"``.
      formula: its output, in one line for a person.
      tensors: what it trains when it has n inputs, in the order in which torch's module draws it.
      predict: ``predict(params, x, xp)``, the output for the inputs ``x``, one value each; ``xp``
        has the functions of an array namespace (``exp``, ``tanh``, ``maximum``, ``where``).
      unpack: the parameters as ``predict`` takes them, from all scalars in order. Without it they
        are a dict: a tensor's name -> its scalars, nested in tuples as its shape has it.
      quantities: the numbers that are its own.
      family, settings: where it comes from, for whom the theory asks; a model of a user's own has
        neither.
    """

    name: str
    formula: str
    tensors: Callable[[int], tuple[Tensor, ...]]
    predict: Callable[[Any, Sequence[Value], Any], Value]
    unpack: Callable[[Sequence[Value]], Any] | None = None
    quantities: tuple[Quantity, ...] = ()
    family: str = ""
    settings: tuple[tuple[str, Setting], ...] = ()

    def __repr__(self) -> str:
        return f"<model {self.name}: {self.formula}>"

    def __str__(self) -> str:
        return self.name


def names(tensors: Sequence[Tensor]) -> tuple[str, ...]:
    """The names of all scalars, in order."""
    return tuple(name for tensor in tensors for name in tensor.entries)


def flat(params: Any) -> tuple[Value, ...]:
    """All scalars of parameters that are nested in tuples and dicts, in order."""
    if isinstance(params, dict):
        params = tuple(params.values())
    if not isinstance(params, tuple):
        return (params,)
    return tuple(scalar for inner in params for scalar in flat(inner))


def nested(tensors: Sequence[Tensor], scalars: Sequence[Value]) -> dict[str, Any]:
    """A dict of tensors, each nested in tuples as its shape has it, from all scalars in order.

    Example:
      >>> nested([Tensor("w", (2, 1), ("w1", "w2"), 1), Tensor("b", (), ("b",), 1)], [1, 2, 3])
      {'w': ((1,), (2,)), 'b': 3}
    """
    found, at = {}, 0
    for tensor in tensors:
        size = math.prod(tensor.shape)
        found[tensor.name] = _shaped(tensor.shape, tuple(scalars[at : at + size]))
        at += size
    return found


def _shaped(shape: tuple[int, ...], scalars: tuple[Value, ...]) -> Any:
    if not shape:
        return scalars[0]
    size = len(scalars) // shape[0] if shape[0] else 0
    return tuple(_shaped(shape[1:], scalars[i * size : (i + 1) * size]) for i in range(shape[0]))


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
