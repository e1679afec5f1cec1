"""The outcomes of many runs, folded epoch by epoch: the streaming form of ``attnlogic.history``.

Nothing here grows with the number of epochs. A test holds it equal to the definition on whole
histories.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from attnlogic.outcomes import LADDER, NONE, Outcome
from attnlogic.problems import Problem


class Streaming(NamedTuple):
    """What is known of the epochs so far; of shape (N,), one entry a run, but for the last two.

    Attributes:
      loss: the last loss; inf if it is not finite, and before the first epoch.
      missed_at: the last epoch whose loss was above the threshold.
      worst_after_hit: -inf while there is no epoch after first_hit.
      initial_loss, min_loss, first_hit, rises, exits, stopped_at, diverged_at: the outcome's.
      above: how many epochs went by before the first at or below each of ``LADDER``; (10, N).
      at_hit: the parameters whose loss was the first hit, (N, P); (N, 0) where no one asks for
        them.
    """

    loss: Tensor
    initial_loss: Tensor
    min_loss: Tensor
    worst_after_hit: Tensor
    first_hit: Tensor
    missed_at: Tensor
    rises: Tensor
    exits: Tensor
    stopped_at: Tensor
    diverged_at: Tensor
    above: Tensor
    at_hit: Tensor


def start(packed: Tensor, problem: Problem) -> Streaming:
    """Nothing seen yet, for packed parameters (N, P)."""
    infinite = torch.full_like(packed[:, 0], torch.inf)
    none = torch.full_like(infinite, NONE, dtype=torch.int32)
    return Streaming(
        loss=infinite,
        initial_loss=infinite,
        min_loss=infinite,
        worst_after_hit=-infinite,
        first_hit=none,
        missed_at=none,
        rises=torch.zeros_like(none),
        exits=torch.zeros_like(none),
        stopped_at=none,
        diverged_at=none,
        above=none.new_zeros((len(LADDER), len(none))),
        at_hit=torch.full_like(packed if problem.own else packed[:, :0], torch.nan),
    )


def rungs(like: Tensor) -> Tensor:
    """``LADDER`` in a dtype and on a device, to be compared with losses (N,); (10, 1)."""
    return torch.tensor(LADDER, dtype=like.dtype, device=like.device)[:, None]


def fold(
    seen: Streaming, epoch: int, losses: Tensor, packed: Tensor, threshold: float, ladder: Tensor
) -> Streaming:
    """Add one epoch, before its update.

    A run that has ended is folded on: it stands still, so that its loss is the same again, or
    counts as infinite once it has diverged. ``finish`` takes out what that adds.

    Args:
      seen: the epochs before.
      epoch: the number of this one.
      losses: its losses, (N,).
      packed: the parameters that gave them, (N, P).
      threshold: the loss at or below which a run has hit, rounded to the losses' precision.
      ladder: see ``rungs``.
    """
    diverged = seen.diverged_at != NONE
    finite = losses.isfinite() & ~diverged
    loss = losses.where(finite, torch.inf)
    hit, after = loss <= threshold, seen.first_hit != NONE
    hits_first, own = hit & ~after, seen.at_hit.numel() > 0
    min_loss = seen.min_loss.minimum(loss)
    worst = seen.worst_after_hit
    return seen._replace(
        loss=loss,
        initial_loss=loss if epoch == 0 else seen.initial_loss,
        min_loss=min_loss,
        worst_after_hit=worst.maximum(loss).where(after, worst),
        first_hit=seen.first_hit.masked_fill(hits_first, epoch),
        missed_at=seen.missed_at.masked_fill(~hit, epoch),
        rises=seen.rises + (after & (loss > seen.loss)),
        exits=seen.exits + (after & ~hit & (seen.loss <= threshold)),
        diverged_at=seen.diverged_at.masked_fill(~(finite | diverged), epoch),
        above=seen.above + (min_loss > ladder),
        at_hit=packed.where(hits_first[:, None], seen.at_hit) if own else seen.at_hit,
    )


def stop(seen: Streaming, epoch: int, stopped: Tensor) -> Streaming:
    """Add to an epoch which runs the optimizer's own rule ended in it, (N,).

    It says so again of a run that has stopped, since that one stands still.
    """
    first = stopped & (seen.stopped_at == NONE) & (seen.diverged_at == NONE)
    return seen._replace(stopped_at=seen.stopped_at.masked_fill(first, epoch))


def going(seen: Streaming, *, until_hit: bool) -> Tensor:
    """Which runs have not ended, (N,)."""
    goes_on = (seen.diverged_at == NONE) & (seen.stopped_at == NONE)
    return goes_on & (seen.first_hit == NONE) if until_hit else goes_on


def finish(
    seen: Streaming,
    initial: npt.NDArray[Any],
    final: npt.NDArray[Any],
    gradient_norm: npt.NDArray[Any],
    problem: Problem,
    threshold: float,
    epochs: int,
    *,
    until_hit: bool,
) -> Outcome:
    """The outcomes, once all epochs are folded in.

    Args:
      seen: the epochs.
      initial, final: packed parameters before the first epoch and after the last; (P, N).
      gradient_norm: the gradient's at ``final``; (N,).
      problem: it has the model's own numbers.
      threshold: as in ``fold``.
      epochs: the budget.
      until_hit: whether runs ended at their first hit.
    """
    got: Any = Streaming(*(leaf.cpu().numpy() for leaf in seen))  # type: ignore[arg-type]
    hit, diverged = got.first_hit != NONE, got.diverged_at != NONE
    ended_by_hit = hit & until_hit
    stopped_at = np.where(ended_by_hit, np.int32(NONE), got.stopped_at)
    last = np.where(diverged, got.diverged_at, np.int64(epochs - 1))
    last = np.where(stopped_at != NONE, stopped_at, last)
    last = np.where(ended_by_hit, got.first_hit, last)
    final = np.where(diverged, final.dtype.type(np.nan), final)
    nothing_after = np.isneginf(got.worst_after_hit) | (last == got.first_hit)
    real = final.dtype.type
    with np.errstate(over="ignore", invalid="ignore"):  # a start or an update may be huge
        own = [problem.quantities(tuple(packed)) for packed in (initial, got.at_hit.T, final)]
    return Outcome(
        initial=initial,
        final=final,
        first_hit=got.first_hit,
        sustained_from=np.where(got.loss <= threshold, got.missed_at + 1, NONE).astype(np.int32),
        stopped_at=stopped_at,
        diverged_at=got.diverged_at,
        rises=got.rises,
        exits=got.exits,
        evaluations=last + 1,
        evaluations_first_hit=np.where(hit, got.first_hit + np.int64(1), NONE),
        ladder=tuple(
            np.where(got.min_loss <= real(rung), above, np.int32(NONE))
            for rung, above in zip(LADDER, got.above, strict=True)
        ),
        initial_loss=got.initial_loss,
        final_loss=got.loss,
        min_loss=got.min_loss,
        worst_after_hit=np.where(nothing_after, real(np.nan), got.worst_after_hit),
        gradient_norm=np.where(diverged, real(np.nan), gradient_norm),
        quantities_initial=own[0],
        quantities_first_hit=own[1],
        quantities=own[2],
    )
