"""Two optimizers written anew, slow and plain, which a backend's trajectories are held equal to.

Everything is computed in float64 by NumPy from the model's own arithmetic. Gradients come by the
complex step, which is exact up to rounding: f(p + ih) = f(p) + ih f'(p) + O(h²), and h is 1e-20
(Squire and Trapp, SIAM Review 40, 1998).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from attnlogic.backend import Training
from attnlogic.errors import InputError
from attnlogic.history import History
from attnlogic.optimizers import optimizer, structure
from attnlogic.outcomes import NONE
from attnlogic.problems import Problem, mean_squared_error

Array = npt.NDArray[np.float64]

STEP = 1e-20
"""The complex step: its square is nothing beside 1, and a product with a gradient is no zero."""


class Memory(NamedTuple):
    """What an optimizer remembers of earlier epochs: means of gradients and of their squares."""

    mean: Array
    squares: Array


def _sgd(
    settings: Mapping[str, Any], t: int, gradient: Array, memory: Memory
) -> tuple[Array, Memory]:
    return settings["lr"] * gradient, memory


def _adam(
    settings: Mapping[str, Any], t: int, gradient: Array, memory: Memory
) -> tuple[Array, Memory]:
    """Kingma and Ba, 2014, algorithm 1."""
    beta1, beta2 = settings["beta1"], settings["beta2"]
    mean = beta1 * memory.mean + (1 - beta1) * gradient
    squares = beta2 * memory.squares + (1 - beta2) * gradient**2
    root = np.sqrt(squares / (1 - beta2**t)) + settings["eps"]
    return settings["lr"] * (mean / (1 - beta1**t)) / root, Memory(mean, squares)


RULES = {"sgd": _sgd, "adam": _adam}
"""The optimizers that are written here, without momentum, decay or schedule: from the settings, the
number of the step (from 1), the gradient (P,) and the memory, what is subtracted from the
parameters, and the next memory."""


def evaluate(problem: Problem, packed: Array) -> tuple[float, Array]:
    """The loss and its gradient (P,), at packed parameters (P,)."""
    moved = packed[:, None] + 1j * STEP * np.eye(len(packed))
    outputs = [problem.predict(tuple(moved), x, np) for x in problem.data.inputs]
    values: npt.NDArray[np.complex128] = mean_squared_error(outputs, problem.data.targets)
    return float(values[0].real), values.imag / STEP


def reference_history(training: Training, initial: npt.NDArray[Any]) -> History:
    """Train one seed in float64, whatever the training's precision.

    Args:
      training: the condition; its optimizer has the structure of one of ``RULES``.
      initial: packed parameters (P,).

    Raises:
      InputError: another optimizer.

    Example:
      >>> from attnlogic.problems import problem
      >>> training = Training(problem("xor"), optimizer("adam"), epochs=3)
      >>> reference_history(training, training.problem.initial(0))
      History(3 epochs: loss 0.839 … 0.542)
    """
    by = training.optimizer
    if by.name not in RULES or structure(by) != structure(optimizer(by.name)):
        raise InputError(f"the reference has {' and '.join(RULES)} without extras, got {by}")
    problem, goal = training.problem, training.threshold if training.until == "hit" else -1
    start = packed = np.asarray(initial, np.float64)
    memory, losses, path = Memory(0 * start, 0 * start), [], []
    with np.errstate(all="ignore"):  # a run may diverge
        for t in range(1, training.epochs + 1):
            loss, gradient = evaluate(problem, packed)
            losses.append(loss)
            path.append(packed)
            if not np.isfinite(loss) or loss <= goal:
                break
            step, memory = RULES[by.name](by.settings, t, gradient, memory)
            packed = packed - step
        norm = float(np.linalg.norm(evaluate(problem, packed)[1]))
        quantities = problem.quantities(tuple(np.transpose(path)))
    ones = np.ones(len(losses), np.int32)
    return History(np.array(losses), quantities, start, packed, NONE, ones, norm)
