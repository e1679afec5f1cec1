"""What is kept of a run, and its definition on a whole loss history.

The definition here is the reference: slow, obvious, in NumPy, on one run at a time. A backend that
folds these statistics as it trains is held equal to it by a test.

A run's history has one loss an epoch, taken before that epoch's update, up to the budget or to the
epoch at which the run ended by itself: its optimizer's stopping rule, its first loss that is not
finite or, where asked for, its first hit. A loss that is not finite counts as infinite: greater
than the threshold and than any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from attnlogic.problems import Params, Value, invariant, pack, unpack

NONE = -1
"""An epoch that does not exist: never reached, never left, never stopped."""

LADDER = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10)
"""Losses whose first hits are kept besides the threshold's, from high to low."""

STATUSES = ("solved", "lost", "unsolved", "diverged")


class Outcome(NamedTuple):
    """What is kept of one run, or of N runs: each leaf has shape () or (N,).

    Epochs and counts are int32, losses and C have the training's dtype. ``NONE`` stands for an
    epoch and NaN for a number that does not exist.

    Attributes:
      initial: the parameters before the first epoch.
      final: the parameters after the last epoch's update; NaN for a run that diverged.
      initial_loss: the loss of epoch 0.
      final_loss: the last loss of the history.
      min_loss: the smallest loss of the history.
      first_hit: the first epoch whose loss ≤ threshold.
      sustained_from: the first epoch from which every later loss ≤ threshold.
      rises: epochs after first_hit whose loss is greater than the loss just before.
      exits: times the loss went from ≤ threshold to > threshold.
      worst_after_hit: the largest loss after first_hit; NaN if there is none.
      stopped_at: the epoch at which the optimizer's own stopping rule ended the run.
      diverged_at: the epoch of the first loss that is not finite.
      evaluations: evaluations of loss and gradient spent.
      evaluations_first_hit: those spent up to and with the one that showed first_hit.
      gradient_norm: ‖∇loss‖ over the six parameters at ``final``.
      C_first_hit: wq·wk·wv at the parameters that gave the loss of first_hit.
      C: wq·wk·wv of ``final``.
      ladder: the first epoch whose loss ≤ each of ``LADDER``; ten leaves.
    """

    initial: Params
    final: Params
    initial_loss: Value
    final_loss: Value
    min_loss: Value
    first_hit: Value
    sustained_from: Value
    rises: Value
    exits: Value
    worst_after_hit: Value
    stopped_at: Value
    diverged_at: Value
    evaluations: Value
    evaluations_first_hit: Value
    gradient_norm: Value
    C_first_hit: Value
    C: Value
    ladder: tuple[Value, ...]


class History(NamedTuple):
    """One run, epoch by epoch.

    Attributes:
      losses: the loss of each epoch, before its update; shape (E,), E at least 1.
      C: wq·wk·wv of the parameters that gave those losses; shape (E,).
      initial: the parameters before the first epoch; scalars.
      final: the parameters after the last epoch's update; scalars.
      stopped_at: the epoch at which the optimizer's own rule ended the run, or ``NONE``.
      evaluations: evaluations of loss and gradient spent in each epoch; shape (E,).
      gradient_norm: ‖∇loss‖ over the six parameters at ``final``.
    """

    losses: npt.NDArray[Any]
    C: npt.NDArray[Any]
    initial: Params
    final: Params
    stopped_at: int
    evaluations: npt.NDArray[Any]
    gradient_norm: Value


def join(parts: Sequence[History]) -> History:
    """One history of consecutive parts of a run (see ``Backend.history``), at least one."""
    losses, C, evaluations = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("losses", "C", "evaluations")
    )
    return parts[-1]._replace(losses=losses, C=C, evaluations=evaluations)


def outcome(history: History, threshold: float) -> Outcome:
    """The outcome of one run, from its whole history: the definition of every field.

    Args:
      history: the run.
      threshold: the loss at or below which a run counts as having hit.

    Returns:
      An ``Outcome`` of NumPy scalars.
    """
    dtype = history.losses.dtype
    losses = np.where(np.isfinite(history.losses), history.losses, np.inf)
    below = losses <= threshold
    hits, misses = np.flatnonzero(below), np.flatnonzero(~below)
    first_hit = _first(below)
    after = losses[first_hit + 1 :] if hits.size else losses[:0]
    before = losses[first_hit:-1] if hits.size else losses[:0]
    diverged = np.flatnonzero(np.isinf(losses))
    final = unpack([np.where(diverged.size, np.nan, p).astype(dtype) for p in pack(history.final)])
    with np.errstate(over="ignore", invalid="ignore"):  # the last update may be huge
        C = invariant(final)
    return Outcome(
        initial=unpack([np.asarray(p, dtype) for p in pack(history.initial)]),
        final=final,
        initial_loss=losses[0],
        final_loss=losses[-1],
        min_loss=losses.min(),
        first_hit=first_hit,
        sustained_from=np.int32((misses[-1] + 1 if misses.size else 0) if below[-1] else NONE),
        rises=np.int32(np.sum(after > before)),
        exits=np.int32(np.sum(below[:-1] & ~below[1:])),
        worst_after_hit=after.max() if after.size else dtype.type(np.nan),
        stopped_at=np.int32(history.stopped_at),
        diverged_at=np.int32(diverged[0] if diverged.size else NONE),
        evaluations=np.int32(history.evaluations.sum()),
        evaluations_first_hit=np.int32(
            history.evaluations[:first_hit].sum() + 1 if hits.size else NONE
        ),
        gradient_norm=dtype.type(np.nan if diverged.size else history.gradient_norm),
        C_first_hit=history.C[first_hit] if hits.size else dtype.type(np.nan),
        C=C,
        ladder=tuple(_first(losses <= dtype.type(rung)) for rung in LADDER),
    )


def _first(true: npt.NDArray[np.bool_]) -> np.int32:
    """The first epoch at which it is so, or ``NONE``."""
    return np.int32(true.argmax() if true.any() else NONE)


def rung_name(loss: float) -> str:
    """A rung of the ladder as it is written: ``"1e-4"``."""
    return f"{loss:.0e}".replace("e-0", "e-")


def rises(losses: npt.NDArray[Any], first_hit: int) -> npt.NDArray[np.int64]:
    """The epochs after ``first_hit`` whose loss is greater than the loss just before.

    Args:
      losses: shape (E,).
      first_hit: an epoch, or ``NONE``: then there are none.
    """
    if first_hit == NONE:
        return np.empty(0, np.int64)
    losses = np.where(np.isfinite(losses), losses, np.inf)
    return np.flatnonzero(losses[first_hit + 1 :] > losses[first_hit:-1]) + first_hit + 1


def status(runs: Outcome) -> npt.NDArray[np.str_]:
    """``solved``, ``lost`` (reached, not solved), ``unsolved`` (never reached) or ``diverged``.

    Returns:
      An array of strings of the shape of the outcome's leaves.
    """
    first_hit, sustained = np.asarray(runs.first_hit), np.asarray(runs.sustained_from)
    return np.select(
        [np.asarray(runs.diverged_at) != NONE, sustained != NONE, first_hit != NONE],
        ["diverged", "solved", "lost"],
        "unsolved",
    )


def concatenate(parts: list[Outcome]) -> Outcome:
    """Outcomes of many runs from outcomes of some: leaves of shape (N_i,) to (ΣN_i,)."""
    leaves = [
        np.concatenate([np.atleast_1d(v) for v in same])
        for same in zip(*map(leaves_of, parts), strict=True)
    ]
    return from_leaves(leaves)


def leaves_of(runs: Outcome) -> list[Value]:
    """The outcome's arrays in a fixed order: the initial six, the final six, then the rest."""
    return [*pack(runs.initial), *pack(runs.final), *runs[2:-1], *runs.ladder]


def from_leaves(leaves: list[Value]) -> Outcome:
    """The inverse of ``leaves_of``."""
    end = len(leaves) - len(LADDER)
    params = unpack(leaves[:6]), unpack(leaves[6:12])
    return Outcome._make([*params, *leaves[12:end], tuple(leaves[end:])])
