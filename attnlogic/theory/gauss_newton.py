"""The exact solution next to a point, by Gauss and Newton's steps."""

from __future__ import annotations

import numpy as np

from attnlogic.problems import Gate, Params
from attnlogic.theory.derivatives import outputs
from attnlogic.theory.form import NOTEBOOK, Form

STEPS = 20
"""Steps at most; from a loss of 1e-4 five are enough for every digit of float64."""


def nearest_solution(gate: Gate, params: Params, form: Form = NOTEBOOK) -> Params:
    """The point of zero loss that the shortest steps lead to.

    Each step is the smallest change of all parameters after which the outputs, linearised, equal
    the targets. Near a solution the steps converge quadratically, and to a point at about the
    distance of the nearest one.

    Args:
      gate: the gate.
      params: leaves of shape (N,), finite.
      form: of the model.

    Returns:
      Leaves of shape (N,), float64; where the steps do not converge the loss there is not 0.

    Raises:
      InputError: no such encoding.

    Reference: Nocedal and Wright, "Numerical Optimization", section 10.3.
    """
    leaves = (params.wq, params.wk, params.wv, *params.w, *([params.b] if form.bias else []))
    at = np.stack([np.asarray(leaf, np.float64) for leaf in leaves], axis=-1)
    for _ in range(STEPS):
        here = outputs(gate, _unpacked(at, gate.n, params.b), form)
        if not np.abs(here.residuals).max(initial=0.0) > 1e-14:
            break
        steps = np.linalg.pinv(here.first) @ here.residuals[..., None]
        at = at - steps[..., 0]
    return _unpacked(at, gate.n, params.b)


def _unpacked(at: np.ndarray, n: int, b: object) -> Params:
    wq, wk, wv, *rest = at.T
    return Params(wq, wk, wv, tuple(rest[:n]), rest[n] if rest[n:] else b)
