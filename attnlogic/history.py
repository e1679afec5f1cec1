"""A run epoch by epoch, and the definition of what is kept of it.

The definition is the reference: slow, obvious, in NumPy, on one run at a time. A backend that folds
these numbers as it trains is held equal to it by a test.

A run's history has one loss for each epoch, taken before that epoch's update, up to the budget or
to the epoch that ended the run: its optimizer's stopping rule, its first loss that is not finite
or, with ``until="hit"``, its first hit. A loss that is not finite counts as infinite: greater than
the threshold and than any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from attnlogic.outcomes import LADDER, NONE, NUMBERS, Outcome
from attnlogic.problems import Problem, Value
from attnlogic.words import counted


class History(NamedTuple):
    """One run, epoch by epoch.

    Attributes:
      losses: the loss of each epoch, before its update; shape (E,), E at least 1.
      quantities: the model's own numbers by name, of the parameters that gave those losses; shape
        (E,).
      initial: the parameters before the first epoch; packed, (P,).
      final: the parameters after the last epoch's update; (P,).
      stopped_at: the epoch at which the optimizer's own rule ended the run, or ``NONE``.
      evaluations: evaluations of loss and gradient spent in each epoch; shape (E,).
      gradient_norm: ‖∇loss‖ over all parameters at ``final``.
    """

    losses: npt.NDArray[Any]
    quantities: dict[str, npt.NDArray[Any]]
    initial: npt.NDArray[Any]
    final: npt.NDArray[Any]
    stopped_at: int
    evaluations: npt.NDArray[Any]
    gradient_norm: Value

    def __repr__(self) -> str:
        losses = self.losses
        return f"History({counted(len(losses), 'epoch')}: loss {losses[0]:.3g} … {losses[-1]:.3g})"


def join(parts: Sequence[History]) -> History:
    """One history of consecutive parts of a run (see ``Backend.history``), at least one."""
    losses, evaluations = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("losses", "evaluations")
    )
    quantities = {
        name: np.concatenate([part.quantities[name] for part in parts])
        for name in parts[-1].quantities
    }
    return parts[-1]._replace(losses=losses, quantities=quantities, evaluations=evaluations)


def outcome(history: History, threshold: float, problem: Problem) -> Outcome:
    """The outcome of one run, from its whole history: the definition of every number.

    Args:
      history: the run.
      problem: what was trained; it has the model's own numbers.
      threshold: the loss at or below which a run counts as having hit; rounded to the losses'
        dtype before it is compared with them.

    Returns:
      An ``Outcome`` of NumPy scalars of the declared dtypes.

    Example:
      >>> from attnlogic.problems import problem
      >>> losses, start = np.array([0.5, 1e-5, 2e-5, 0.1, 3e-6]), np.zeros(6)
      >>> run = History(losses, {"C": losses}, start, start, NONE, np.ones(5, int), 0.0)
      >>> found = outcome(run, 1e-4, problem("xor"))
      >>> found.first_hit, found.sustained_from, found.rises, found.exits
      (np.int32(1), np.int32(4), np.int32(2), np.int32(1))
    """
    dtype = history.losses.dtype
    losses = np.where(np.isfinite(history.losses), history.losses, np.inf)
    below = losses <= dtype.type(threshold)
    hits, misses = np.flatnonzero(below), np.flatnonzero(~below)
    after = losses[hits[0] + 1 :] if hits.size else losses[:0]
    before = losses[hits[0] : -1] if hits.size else losses[:0]
    diverged = np.flatnonzero(np.isinf(losses))
    initial = np.asarray(history.initial, dtype)
    final = np.full_like(initial, np.nan) if diverged.size else np.asarray(history.final, dtype)
    with np.errstate(over="ignore", invalid="ignore"):  # a start or an update may be huge
        start, end = (
            {name: dtype.type(value) for name, value in problem.quantities(tuple(packed)).items()}
            for packed in (initial, final)
        )
    at_hit = {
        name: dtype.type(trace[hits[0]] if hits.size else np.nan)
        for name, trace in history.quantities.items()
    }
    numbers = {
        "first_hit": _first(below),
        "sustained_from": (misses[-1] + 1 if misses.size else 0) if below[-1] else NONE,
        "stopped_at": history.stopped_at,
        "diverged_at": diverged[0] if diverged.size else NONE,
        "rises": np.sum(after > before),
        "exits": np.sum(below[:-1] & ~below[1:]),
        "evaluations": history.evaluations.sum(dtype=np.int64),
        "evaluations_first_hit": (
            history.evaluations[: hits[0]].sum(dtype=np.int64) + 1 if hits.size else NONE
        ),
        "initial_loss": losses[0],
        "final_loss": losses[-1],
        "min_loss": losses.min(),
        "worst_after_hit": after.max() if after.size else np.nan,
        "gradient_norm": np.nan if diverged.size else history.gradient_norm,
    }
    typed = {name: NUMBERS[name].kind.dtype(dtype).type(value) for name, value in numbers.items()}
    rungs = tuple(np.int32(_first(losses <= dtype.type(rung))) for rung in LADDER)
    return Outcome(
        initial=initial,
        final=final,
        ladder=rungs,
        quantities_initial=start,
        quantities_first_hit=at_hit,
        quantities=end,
        **typed,
    )


def _first(true: npt.NDArray[np.bool_]) -> int:
    """The first epoch at which it is true, or ``NONE``."""
    return int(true.argmax()) if true.any() else NONE


def rises(losses: npt.NDArray[Any], first_hit: int) -> npt.NDArray[np.int64]:
    """The epochs after ``first_hit`` whose loss is greater than the loss just before.

    Args:
      losses: shape (E,).
      first_hit: an epoch, or ``NONE``: then there are none.

    Example:
      >>> rises(np.array([4, 1, 3, 2, 5]), first_hit=1)
      array([2, 4])
    """
    if first_hit == NONE:
        return np.empty(0, np.int64)
    losses = np.where(np.isfinite(losses), losses, np.inf)
    return np.flatnonzero(losses[first_hit + 1 :] > losses[first_hit:-1]) + first_hit + 1
