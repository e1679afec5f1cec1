"""The outputs' and the loss's derivatives by the parameters, derived from the model by SymPy.

No framework is needed for them: the model is arithmetic, so SymPy differentiates the same functions
that the backends train, once for each number of inputs and form. NumPy does the rest. SymPy is
imported when a function is first called.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from attnlogic.problems import Gate, Params
from attnlogic.theory.form import NOTEBOOK, Form, inputs
from attnlogic.theory.formulas import output

Array = npt.NDArray[np.float64]


class Outputs(NamedTuple):
    """What the model gives on the R rows of a gate, and its derivatives by the P parameters.

    Attributes:
      residuals: outputs minus targets, shape (N, R).
      first: shape (N, R, P), parameters in the order wq wk wv w1 w2 … b.
      second: shape (N, R, P, P).
    """

    residuals: Array
    first: Array
    second: Array


def outputs(gate: Gate, params: Params, form: Form = NOTEBOOK) -> Outputs:
    """The outputs with their derivatives at many points.

    Args:
      gate: the gate.
      params: leaves of shape (N,); without a bias b is left out of account.
      form: of the model.

    Raises:
      InputError: no such encoding.
    """
    leaves = [params.wq, params.wk, params.wv, *params.w, *([params.b] if form.bias else [])]
    at = [np.asarray(leaf, np.float64)[:, None] for leaf in leaves]
    x = np.array(inputs(gate, form), np.float64).T[:, None]
    rows, P = (len(at[0]), len(gate.targets)), len(at)
    flat = [np.broadcast_to(entry, rows) for entry in _derivatives(gate.n, form)(*at, *x)]
    values, first, second = flat[0], flat[1 : P + 1], flat[P + 1 :]
    return Outputs(
        values - np.array(gate.targets),
        np.stack(first, axis=-1),
        np.stack(second, axis=-1).reshape(*rows, P, P),
    )


def gradient(gate: Gate, params: Params, form: Form = NOTEBOOK) -> Array:
    """The loss's gradient at many points.

    Args:
      gate, params, form: see ``outputs``.

    Returns:
      Shape (N, P), in the order of ``Outputs``.

    Example:
      >>> from attnlogic.problems import gate, unpack
      >>> gradient(gate("xor"), unpack(np.array([[0.0], [0], [0], [0], [0], [1]])))
      array([[0. , 0. , 0. , 0.5, 0.5, 1. ]])
    """
    there = outputs(gate, params, form)
    found: Array = np.einsum("nr,nrp->np", there.residuals, there.first)
    return found * (2 / len(gate.targets))


def hessian(gate: Gate, params: Params, form: Form = NOTEBOOK) -> Array:
    """The loss's Hessian at many points.

    Args:
      gate, params, form: see ``outputs``.

    Returns:
      Shape (N, P, P), in the order of ``Outputs``.
    """
    there = outputs(gate, params, form)
    squares: Array = np.einsum("nrp,nrq->npq", there.first, there.first)
    curved: Array = np.einsum("nr,nrpq->npq", there.residuals, there.second)
    return (squares + curved) * (2 / len(gate.targets))


@lru_cache
def _derivatives(n: int, form: Form) -> Callable[..., Any]:
    """The output, its P first and its P² second derivatives, of P parameters and n inputs."""
    import sympy

    attention, w = sympy.symbols("wq wk wv"), sympy.symbols(f"w1:{n + 1}")
    b, x = sympy.Symbol("b"), sympy.symbols(f"x1:{n + 1}")
    wq, wk, wv = attention
    value = output(Params(wq, wk, wv, w, b), x, form)
    parameters = [*attention, *w, *([b] if form.bias else [])]
    first = [sympy.diff(value, p) for p in parameters]
    second = [sympy.diff(slope, p) for slope in first for p in parameters]
    every: Callable[..., Any] = sympy.lambdify(
        [*parameters, *x], [value, *first, *second], "numpy", cse=True
    )
    return every
