"""One run, epoch by epoch, in parts of about half a second."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from attnlogic.backend import OnProgress, Training
from attnlogic.history import History
from attnlogic.outcomes import NONE
from attnlogic_jax import compiled
from attnlogic_jax.compiled import Plan
from attnlogic_jax.contexts import captured
from attnlogic_jax.devices import here
from attnlogic_jax.given import given as numbers
from attnlogic_jax.method import LANES, Report
from attnlogic_jax.pacing import PROBE_EPOCHS, next_epochs

TARGET_PART_SECONDS = 0.5
"""How long the work on one part should take."""

MAX_PART_EPOCHS = 2**19
"""Epochs of a part at most: room for so many is made in each call, some megabytes."""


def history(
    training: Training, initial: npt.NDArray[Any], on_progress: OnProgress | None
) -> Iterator[History]:
    """Train one seed, giving its history in parts; see ``Backend.history``.

    The caller's settings of JAX are those at this call.
    """
    platform = here()
    plan, settings = Plan.of(training, platform), captured(training.precision, platform)
    return _parts(plan, training, initial, on_progress, settings)


def _parts(
    plan: Plan,
    training: Training,
    initial: npt.NDArray[Any],
    on_progress: OnProgress | None,
    settings: Callable[[], AbstractContextManager[None]],
) -> Iterator[History]:
    budget, dtype = training.epochs, np.dtype(training.precision)
    goal = float(dtype.type(training.threshold)) if plan.until_hit else -math.inf
    # The settings end before a part is given: between two parts those of the caller hold.
    with settings():
        packed = jnp.asarray(np.repeat(initial[:, None], LANES, axis=1), dtype)
        given = jax.tree.map(jnp.asarray, numbers([training]))
        at = packed, compiled.state(plan, given, packed)
    start = initial.astype(dtype)
    done, epochs, ended = 0, min(budget, PROBE_EPOCHS), False
    while not ended:
        began = time.perf_counter()
        with settings():
            at, traces = compiled.trace(plan, given, at, epochs, room=MAX_PART_EPOCHS, kept=1)
            report = jax.tree.map(lambda leaf, n=epochs: np.asarray(leaf)[:n, 0], traces)
            final = np.asarray(at[0])[:, 0]
            norm = np.asarray(compiled.gradient_norm(plan, given, at[0]))[0]
        part = _until_its_end(report, goal)
        ended = part.ended or done + epochs == budget
        if on_progress is not None:
            on_progress((budget - done if ended else epochs) / budget)
        yield History(
            losses=part.losses,
            quantities=part.quantities,
            initial=start,
            final=final,
            stopped_at=done + len(part.losses) - 1 if part.stopped else NONE,
            evaluations=part.evaluations,
            gradient_norm=norm,
        )
        done += epochs
        epochs = next_epochs(epochs, time.perf_counter() - began, TARGET_PART_SECONDS)
        epochs = min(epochs, budget - done, MAX_PART_EPOCHS)


class _Part(NamedTuple):
    """The epochs of a part up to the one that ended the run, arrays (E,); and what ended it."""

    losses: npt.NDArray[Any]
    quantities: dict[str, npt.NDArray[Any]]
    evaluations: npt.NDArray[np.int32]
    ended: bool
    stopped: bool


def _until_its_end(report: Report, goal: float) -> _Part:
    """Cut reports, leaves (E,), at the epoch that ended the run, if there is one."""
    losses = np.asarray(report.loss)
    stopped = np.zeros(len(losses), bool) if report.stopped is None else np.asarray(report.stopped)
    spent = np.ones(len(losses), np.int32) if report.evaluations is None else report.evaluations
    hit = losses <= goal
    ends = np.flatnonzero(stopped | hit | ~np.isfinite(losses))
    last = int(ends[0]) if ends.size else len(losses) - 1
    # Copies: a cut would keep all the room that was made for it.
    losses, spent = np.array(losses[: last + 1]), np.array(spent[: last + 1])
    own = {name: np.array(trace[: last + 1]) for name, trace in report.quantities.items()}
    return _Part(
        losses, own, spent, ended=ends.size > 0, stopped=bool(stopped[last]) and not hit[last]
    )
