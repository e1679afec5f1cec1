"""The loss's gradient and Hessian as NumPy functions, derived from the model itself by SymPy.

For two-bit gates and the notebook's model.

No framework is needed for them: the model is arithmetic, so SymPy differentiates the same functions
that the backends train. SymPy is imported when a function is first called.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from attnlogic.problems import ROWS, Gate, Params, loss, pack, unpack


@lru_cache
def gradient_and_hessian() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Gradient and Hessian of the loss as functions of its six parameters and four targets.

    Returns:
      Two functions of ten numbers or arrays of one shape, in the order of ``problems.NAMES`` and of
      the gate's rows. The gradient is a list of six, the Hessian a list of six lists of six.

    Example:
      >>> gradient, _ = gradient_and_hessian()
      >>> gradient(0, 0, 0, 0, 0, 1, *(0, 1, 1, 0))  # XOR where the output is 1 on every row
      [0.0, 0.0, 0.0, 0.5, 0.5, 1.0]
    """
    import sympy

    parameters, targets = sympy.symbols("wq wk wv w1 w2 b"), sympy.symbols("t:4")
    value = loss(unpack(parameters), ROWS, targets)
    gradient = [sympy.diff(value, p) for p in parameters]
    hessian = [[sympy.diff(g, p) for p in parameters] for g in gradient]
    arguments = [*parameters, *targets]
    return (
        sympy.lambdify(arguments, gradient, "numpy", cse=True),
        sympy.lambdify(arguments, hessian, "numpy", cse=True),
    )


def hessian(gate: Gate, params: Params) -> npt.NDArray[np.float64]:
    """The loss's Hessian at many points.

    Args:
      gate: the gate.
      params: leaves of shape (N,).

    Returns:
      Shape (N, 6, 6), in the order of ``problems.NAMES``.
    """
    leaves = [np.asarray(leaf, np.float64) for leaf in pack(params)]
    rows = gradient_and_hessian()[1](*leaves, *gate.targets)
    entries = [[np.broadcast_to(entry, leaves[0].shape) for entry in row] for row in rows]
    return np.moveaxis(np.array(entries), -1, 0)
