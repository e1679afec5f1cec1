"""A user's own arithmetic model, checked before it is trained."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from attnlogic.errors import InputError, described
from attnlogic.outside import users_code
from attnlogic.problems.architecture import Model, Tensor, names, nested
from attnlogic.problems.datasets import Data
from attnlogic.problems.namespaces import FLOATS


def check_model(model: Model, data: Data) -> None:
    """Try a model with floats: its tensors, and its output for the first row of the data.

    Raises:
      InputError: a tensor's entries do not fit its shape, two have one name, ``predict`` or
        ``unpack`` raises, or the output is not one real number.
    """
    what = f"model '{model}'"
    with users_code(f"{what}: tensors({data.n})"):
        tensors = tuple(model.tensors(data.n))
    for tensor in tensors:
        if not isinstance(tensor, Tensor):
            raise InputError(f"{what}: tensors: expected a Tensor, got {described(tensor)}")
        _check_tensor(what, tensor)
    scalars = names(tensors)
    if not scalars:
        raise InputError(f"{what} has no parameters to train")
    for kind, found in (("tensors", [t.name for t in tensors]), ("entries", scalars)):
        twice = [name for name, count in Counter(found).items() if count > 1]
        if twice:
            raise InputError(f"{what}: two {kind} are called '{twice[0]}': give each its own name")
    with users_code(f"{what}: predict"):
        output = _output(model, tensors, data.inputs[0], len(scalars))
    try:
        float(output)
    except (TypeError, ValueError):
        raise InputError(
            f"{what}: expected one real number from predict, got {described(output)}"
        ) from None


def _output(model: Model, tensors: tuple[Tensor, ...], x: tuple[float, ...], size: int) -> Any:
    params = [0.25 + i / (2 * size) for i in range(size)]  # numbers that nothing cancels
    unpacked = model.unpack(params) if model.unpack else nested(tensors, params)
    for quantity in model.quantities:
        quantity.of(unpacked)
    return model.predict(unpacked, x, FLOATS)


def _check_tensor(what: str, tensor: Tensor) -> None:
    size = math.prod(tensor.shape)
    if len(tensor.entries) != size:
        raise InputError(
            f"{what}: the tensor '{tensor.name}' of shape {tensor.shape} has {size} scalars: "
            f"expected as many names, got {len(tensor.entries)}"
        )
    if not tensor.fan_in > 0:
        raise InputError(
            f"{what}: the tensor '{tensor.name}' has fan_in {tensor.fan_in}: expected the number "
            "of inputs of its layer, from 1"
        )
