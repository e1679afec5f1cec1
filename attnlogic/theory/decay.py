"""How weight decay λ shifts the solution: the points at which an optimizer comes to rest.

For the gates that the notebook's model solves.

With g the gradient of the loss and θ any of the parameters, every rule here has the form
``g = -λ S θ``: a solution pulled towards the shortest one, with a strength S for each parameter.

- L2 (SGD, Adam), which adds λθ to the gradient: S = 1, the minimum of ``loss + λ/2 ‖θ‖²``.
- AdamW at its fixed point has m̂ = g and √v̂ = |g|, so ``g/(|g| + eps) = -λθ``: S = eps/(1 - λ|θ|).
  The shift is tiny, and runs never show it: steps divided by so small a √v̂ are unstable.
- AdamW as it runs: ⟨m̂⟩/√v̂ = -λθ, so S = √v̂ + eps, and √v̂ is the smallest that keeps steps stable.
  Adam is at that edge when ``H s = μ √v̂ s`` for a swing s with the Hessian H and
  ``μ = 2 (1 + beta1)/((1 - beta1) lr)`` (Cohen et al., "Adaptive gradient methods at the edge of
  stability", arXiv:2207.14484). The gradients are then those of the swing, ``√v̂ ∝ |√v̂ s|``: all
  entries of s are ±1, and ``√v̂ = |H s|/μ``, which has no constant that would have to be measured.

Decay also makes a true minimum of the linear plateau's wq = wk = wv = 0, however small λ is. Where
the solution has C = 0, decay lets the attention weights die out.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from attnlogic.errors import InputError
from attnlogic.optimizers import OPTIMIZERS, Optimizer
from attnlogic.problems import Gate, Params, loss, predict, unpack
from attnlogic.theory.derivatives import gradient, hessian
from attnlogic.theory.exact_solutions import solution

Vector = npt.NDArray[np.float64]

MAX_ROUNDS = 100
"""Rounds in which S and the point are made to agree; ten are enough where it is found at all."""


class ShiftedSolution(NamedTuple):
    """Where an optimizer with weight decay comes to rest.

    Attributes:
      C: wq·wk·wv there.
      shift: C minus the exact solution's; None for the constant gates.
      params: the parameters, floats, with |wq| = |wk| = |wv|.
      loss: the loss there, without the decay.
      strength: S for each parameter in the order wq wk wv w1 w2 … b.
    """

    C: float
    shift: float | None
    params: Params
    loss: float
    strength: tuple[float, ...]


def fixed_point(gate: Gate, optimizer: Optimizer) -> ShiftedSolution | None:
    """The fixed point of the optimizer's rule nearest the solution.

    Returns:
      The point; None where the decay is so strong that none is left near the solution.

    Raises:
      InputError: the optimizer has no weight decay, or the gate no exact solution.

    Example:
      >>> from attnlogic.optimizers import optimizer
      >>> from attnlogic.problems import gate
      >>> round(fixed_point(gate("xor"), optimizer("sgd(weight_decay=0.01)")).C, 4)
      -0.5086
    """
    decay = _weight_decay(optimizer)
    if optimizer.record.weight_decay == "l2":
        return _settle(gate, decay, lambda θ: np.ones(len(θ)))
    eps = float(optimizer.settings["eps"])
    with np.errstate(divide="ignore"):
        return _settle(gate, decay, lambda θ: eps / (1 - decay * np.abs(θ)))


def edge_of_stability(gate: Gate, optimizer: Optimizer) -> ShiftedSolution | None:
    """Where AdamW stays on average as it runs: its √v̂ hovers at the edge of stability.

    An estimate: in runs √v̂ is 1 to 3 % larger for wq, wk, wv, and 5 to 20 % for the readout (more
    for a weight near 0), which other swings shake as well. The shift of C agrees with runs within a
    tenth on AND and NAND, where it is largest, and within a third elsewhere.

    Returns:
      The point; None where the decay is so strong that none is left near the solution.

    Raises:
      InputError: not AdamW, or with amsgrad or a schedule, which never comes to an edge; or the
        gate has no exact solution.
    """
    settings, decay = optimizer.settings, _weight_decay(optimizer)
    decoupled = optimizer.record.weight_decay == "decoupled_adam"
    if not decoupled or optimizer.enabled("amsgrad", "gamma", "schedule"):
        raise InputError(f"{optimizer}: expected adamw with amsgrad=False and no schedule")
    limit = stability_limit(float(settings["beta1"]), float(settings["lr"]))

    def strength(θ: Vector) -> Vector:
        if decay * np.abs(θ).max() >= 1:
            return np.full(len(θ), np.nan)
        H: Vector = hessian(gate, unpack([*θ[:, None]]))[0]
        return np.abs(H @ _swing(H)) / limit + float(settings["eps"])

    return _settle(gate, decay, strength)


def stability_limit(beta1: float, lr: float) -> float:
    """The largest curvature, divided by √v̂, at which Adam's momentum is stable: μ of the module.

    Source: Cohen et al., arXiv:2207.14484, for a v̂ that stays constant.
    """
    return 2 * (1 + beta1) / ((1 - beta1) * lr)


def _settle(
    gate: Gate, decay: float, strength: Callable[[Vector], Vector]
) -> ShiftedSolution | None:
    """Alternate S and the point g = -λSθ until they agree, from the shortest exact solution."""
    exact = solution(gate)
    start = 0.0 if exact.C is None else float(exact.C)
    w = exact.w or ((exact.w_sum or Fraction(0)) / gate.n,) * gate.n
    θ = _balanced(start, np.array([*map(float, w), float(exact.b)]))
    for _ in range(MAX_ROUNDS):
        S = strength(θ)
        # None or below 0: AdamW holds every parameter within 1/λ, and the solution is outside.
        C = _invariant(gate, start, decay * S) if np.isfinite(S).all() and S.min() > 0 else None
        if C is None:
            return None
        before, θ = θ, _balanced(C, _ridge(gate, C, decay * S[3:]))
        # A pull of 1e-10 leaves 1e-11 of rounding in a direction that it alone fixes.
        if np.allclose(θ, before, rtol=1e-10, atol=1e-12):
            params = unpack(list(map(float, θ)))
            shift = None if exact.C is None else C - start
            there = float(loss(params, gate.rows, gate.targets))
            return ShiftedSolution(C, shift, params, there, tuple(map(float, S)))
    return None


def _invariant(gate: Gate, start: float, pull: Vector) -> float | None:
    """The C at which g = -pull·θ holds for |wq| = |wk| = |wv|: ∂loss/∂C = -pull sign(C)/∛|C|."""
    from scipy.optimize import brentq

    if start == 0 or not pull.any():
        return start  # where two of the three are 0, so is their gradient

    def force(C: float) -> float:
        at = np.array([C, 1.0, 1.0, *_ridge(gate, C, pull[3:])])
        slope = gradient(gate, unpack([*at[:, None]]))[0, 0]  # ∂loss/∂C
        return float(slope + pull[0] / np.cbrt(C))

    first, step = force(start), 1e-15
    while force(start - np.sign(first) * step) * first > 0:
        step *= 2
        if step > abs(start):
            return None
    return float(brentq(force, start, start - np.sign(first) * step, xtol=1e-16))


def _ridge(gate: Gate, C: float, pull: Vector) -> Vector:
    """The readout (w1, w2, …, b) at which its gradient is -pull·θ: a ridge regression."""
    units = [unpack([C, 1, 1, *unit]) for unit in np.eye(gate.n + 1)]
    A = np.array([[predict(unit, x) for x in gate.rows] for unit in units], np.float64).T
    # Stacked, not squared: a pull of 1e-10 would be lost in rounding.
    mean = np.sqrt(2 / len(gate.rows))
    rows = np.vstack([A * mean, np.diag(np.sqrt(pull))])
    targets = np.concatenate([np.array(gate.targets) * mean, np.zeros(gate.n + 1)])
    return np.asarray(np.linalg.lstsq(rows, targets, rcond=None)[0])


def _balanced(C: float, readout: Vector) -> Vector:
    c = np.cbrt(abs(C))
    return np.array([c, c, np.copysign(c, C), *readout])


def _swing(H: Vector) -> Vector:
    """The s of ±1 with s = sign(Hs) that the sharpest direction leads to."""
    s = np.where(np.linalg.eigh(H)[1][:, -1] < 0, -1.0, 1.0)
    for _ in range(MAX_ROUNDS):
        s = np.where(H @ s < 0, -1.0, 1.0)
    return s


def _weight_decay(optimizer: Optimizer) -> float:
    known = [n for n, r in OPTIMIZERS.items() if r.weight_decay in ("l2", "decoupled_adam")]
    if optimizer.name not in known:
        what = "no weight decay" if optimizer.record.weight_decay is None else "one of its own kind"
        raise InputError(f"{optimizer} has {what}: expected {', '.join(known)}")
    return float(optimizer.settings["weight_decay"])
