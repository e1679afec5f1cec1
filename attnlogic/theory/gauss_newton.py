"""The exact solution next to a point, by Gauss and Newton's steps.

SymPy is imported when the function is first called.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from attnlogic.problems import ROWS, Gate, Params, pack, predict, unpack

STEPS = 20
"""Steps at most; from a loss of 1e-4 five are enough for every digit of float64."""


@lru_cache
def _outputs_and_jacobian() -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The model's four outputs, and their derivatives by the six parameters, as NumPy functions."""
    import sympy

    parameters = sympy.symbols("wq wk wv w1 w2 b")
    outputs = [predict(unpack(parameters), row) for row in ROWS]
    jacobian = [[sympy.diff(output, p) for p in parameters] for output in outputs]
    return (
        sympy.lambdify(parameters, outputs, "numpy", cse=True),
        sympy.lambdify(parameters, jacobian, "numpy", cse=True),
    )


def _stacked(entries: Any, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Nested lists of scalars and (N,) arrays as one array, N first: shape (N, *shape)."""
    flat = [e for row in entries for e in (row if isinstance(row, list) else [row])]
    n = max(np.size(e) for e in flat)
    columns = [np.broadcast_to(np.asarray(e, np.float64), n) for e in flat]
    return np.stack(columns, axis=-1).reshape(n, *shape)


def nearest_solution(gate: Gate, params: Params) -> Params:
    """The point of zero loss that the shortest steps lead to.

    Each step is the smallest change of all six parameters after which the outputs, linearised,
    equal the targets. Near a solution the steps converge quadratically, and to a point at about the
    distance of the nearest one.

    Args:
      gate: the gate.
      params: leaves of shape (N,), finite.

    Returns:
      Leaves of shape (N,), float64; where the steps do not converge the loss there is not 0.

    Reference: Nocedal and Wright, "Numerical Optimization", section 10.3.
    """
    outputs, jacobian = _outputs_and_jacobian()
    targets = np.asarray(gate.targets, np.float64)
    at = np.stack([np.asarray(leaf, np.float64) for leaf in pack(params)], axis=-1)
    for _ in range(STEPS):
        residuals = _stacked(outputs(*at.T), (4,)) - targets
        if not np.abs(residuals).max(initial=0.0) > 1e-14:
            break
        steps = np.linalg.pinv(_stacked(jacobian(*at.T), (4, 6))) @ residuals[..., None]
        at = at - steps[..., 0]
    return unpack([*at.T])
