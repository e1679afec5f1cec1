"""The fast path: many seeds in chunks, each chunk in pieces of about half a second.

All chunks of a training have one size, so that one compilation serves them, and every gate,
threshold and budget. On a CPU each core trains a chunk of its own, in a thread of its own; on other
devices one chunk at a time keeps all of them busy. A piece is a call into compiled code, after
which progress is told, and the end of the work is heard.
"""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from threading import Event, Lock
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from attnlogic.backend import OnProgress, Training, checked
from attnlogic.errors import InputError
from attnlogic.outcomes import NONE, History, Outcome, from_leaves, leaves_of
from attnlogic.problems import Params, pack, unpack
from attnlogic_jax import compiled
from attnlogic_jax.compiled import Plan
from attnlogic_jax.method import LANES
from attnlogic_jax.optimizers import check

CHUNK = {"cpu": 16_384, "gpu": 1_048_576, "tpu": 1_048_576}
"""Seeds a chunk, for each device: on a CPU so many that what Python adds to each is little."""

LBFGS_CHUNK = {"cpu": 512, "gpu": 65_536, "tpu": 65_536}
"""With L-BFGS, whose history is a hundred times the parameters."""

FEWER = 4
"""Where runs end at their first hit, those that go on are trained by themselves once they are at
most one in so many."""

MANY = 1024
"""Only a chunk of so many seeds is worth compiling for fewer."""

PIECE = {"budget": 0.5, "hit": 0.05}
"""Seconds a call into compiled code should take, by when runs end."""

FIRST = 64
"""Epochs of a chunk's first call, which tells how long they take."""

TRACED = 1000
"""Epochs a call, where every loss is kept."""


@contextmanager
def _precision(name: str) -> Iterator[Any]:
    """The dtype of a precision; float64 is allowed within, and nowhere else."""
    with jax.enable_x64(name == "float64"):
        yield np.dtype(name)


class JaxBackend:
    """Trains seeds side by side with jit-compiled code. See ``attnlogic.backend.Backend``."""

    name = "jax"
    seeds = 1000

    def devices(self) -> list[str]:
        """The devices of JAX's default platform."""
        cores = f" ({_cores()} cores)"
        return [
            d.device_kind + (cores if d.platform == "cpu" else f" ({d.platform}:{d.id})")
            for d in jax.devices()
        ]

    def versions(self) -> dict[str, str]:
        """JAX's and optax's."""
        return {name: version(name) for name in ("jax", "jaxlib", "optax")}

    def check(self, training: Training, jobs: int) -> None:
        """Refuse what makes no sense, what optax lacks, and more than one job.

        JAX itself uses every core.
        """
        checked(training)
        check(training.optimizer)
        if type(jobs) is not int or jobs != 1:
            raise InputError(
                f"the jax backend uses all cores in one process, got --jobs {jobs}: leave it out"
            )

    def chunk(self, training: Training, seeds: int) -> int:
        """How many seeds to train at once: chunks of one size, none much emptier than another.

        There are as many chunks as keep all cores busy, and each device trains its share of one.
        """
        sizes = LBFGS_CHUNK if training.optimizer.name == "lbfgs" else CHUNK
        devices = jax.local_device_count()
        at_once = _workers() * devices
        rounds = max(1, math.ceil(seeds / at_once / sizes.get(jax.default_backend(), CHUNK["gpu"])))
        return devices * compiled.fitting(Plan.of(training), math.ceil(seeds / rounds / at_once))

    def train(
        self,
        training: Training,
        initial: Params,
        *,
        jobs: int = 1,
        on_progress: OnProgress | None = None,
    ) -> Iterator[Outcome]:
        """Train each seed, giving the outcomes chunk by chunk; see ``Backend.train``."""
        self.check(training, jobs)
        return self._train(training, np.stack(pack(initial)), on_progress)

    def _train(
        self, training: Training, start: npt.NDArray[Any], on_progress: OnProgress | None
    ) -> Iterator[Outcome]:
        seeds = start.shape[1]
        size = self.chunk(training, seeds)
        ended, telling = Event(), Lock()
        failures: list[BaseException] = []

        def tell(runs: int, share: float) -> None:
            if ended.is_set():
                raise CancelledError
            if on_progress is not None:
                with telling:
                    on_progress(runs * share)

        def chunk(first: int) -> Outcome:
            real = min(size, seeds - first)
            # The last chunk is filled up with its own last seed, whose copies are dropped.
            chosen = np.minimum(np.arange(first, first + size), seeds - 1)
            try:
                with _precision(training.precision) as dtype:
                    packed = start[:, chosen].astype(dtype)
                    outcome = _train_chunk(training, packed, partial(tell, real))
            except BaseException as error:
                failures.append(error)
                ended.set()
                raise
            return from_leaves([leaf[:real] for leaf in leaves_of(outcome)])

        workers = _workers()
        with ThreadPoolExecutor(workers, "attnlogic") as pool:
            try:
                yield from _in_order(pool, chunk, range(0, seeds, size), 2 * workers)
            except CancelledError:  # of a chunk that was not to go on once another had failed
                raise failures[0] from None
            finally:  # closed or interrupted, too
                ended.set()

    def history(
        self, training: Training, initial: Params, *, on_progress: OnProgress | None = None
    ) -> Iterator[History]:
        """Train one seed, keeping every loss; see ``Backend.history``."""
        self.check(training, 1)
        yield self._history(training, initial, on_progress)

    def _history(
        self, training: Training, initial: Params, on_progress: OnProgress | None
    ) -> History:
        plan, budget = Plan.of(training), training.epochs
        with _precision(training.precision) as dtype:
            copies = np.repeat(np.stack(pack(initial))[:, None], LANES, axis=1)
            packed = jnp.asarray(copies, dtype)
            targets = jnp.asarray(training.gate.targets, dtype)
            threshold = jnp.asarray(training.threshold, dtype)
            at, told = (packed, plan.method(threshold).init(packed)), []
            for first in range(0, budget, TRACED):
                epochs = min(TRACED, budget - first)
                at, piece = compiled.trace(plan, targets, threshold, at, epochs)
                told.append(jax.tree.map(lambda leaf: np.asarray(leaf)[:, 0], piece))
                if on_progress is not None:
                    on_progress(epochs / budget)
            report = jax.tree.map(lambda *leaves: np.concatenate(leaves), *told)
            norm = np.asarray(compiled.gradient_norm(targets, at[0]))[0]
            final = unpack(tuple(np.asarray(at[0])[:, 0]))
        goal = dtype.type(training.threshold) if plan.until_hit else -math.inf
        return _history(initial, final, norm, report, goal)


JAX = JaxBackend()


def _workers() -> int:
    """How many chunks are trained side by side."""
    alone = jax.default_backend() == "cpu" and jax.local_device_count() == 1
    return _cores() if alone else 1


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_order(
    pool: ThreadPoolExecutor, work: Callable[[int], Outcome], items: range, most: int
) -> Iterator[Outcome]:
    """The results of the work on each item, in order; at most so many are begun ahead of it."""
    under_way: deque[Future[Outcome]] = deque()
    try:
        for item in items:
            under_way.append(pool.submit(work, item))
            if len(under_way) > most:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        for future in under_way:
            future.cancel()


def _train_chunk(training: Training, initial: Any, tell: OnProgress) -> Outcome:
    """Train seeds of one chunk, packed (6, N); the outcome's leaves are NumPy arrays (N,).

    ``tell`` hears the share of the work that has been done since it last heard, and may raise.
    """
    plan, budget, piece = Plan.of(training), training.epochs, PIECE[training.until]
    packed = jnp.asarray(initial)
    targets = jnp.asarray(training.gate.targets, packed.dtype)
    threshold = jnp.asarray(training.threshold, packed.dtype)
    carry = compiled.start(plan, threshold, packed)
    seeds, told, devices = np.arange(packed.shape[1]), [], jax.local_device_count()
    grouped = compiled.groups(plan, seeds.size // devices) > 1
    uneven = grouped and plan.method(threshold).counts_evaluations
    left, epochs = budget, min(budget, FIRST)
    while left:
        began = time.perf_counter()
        carry = compiled.advance(plan, targets, threshold, carry, epochs)
        carry.epoch.block_until_ready()
        spent = time.perf_counter() - began
        left -= epochs
        going = np.flatnonzero(compiled.going(carry)) if plan.until_hit else seeds
        if not going.size:
            epochs, left = epochs + left, 0
        tell(epochs / budget)
        few = devices * compiled.fitting(plan, seeds.size // FEWER // devices)
        chosen = None
        if seeds.size >= MANY and going.size <= few and left:
            told.append((seeds, compiled.finish(plan, targets, threshold, packed, carry)))
            chosen = np.resize(going, few)  # filled up with copies
        elif uneven and left:
            # A group goes on until its last seed is done: those that take as long stand together.
            chosen = np.argsort(np.asarray(carry.seen.evaluations), kind="stable")
        if chosen is not None:
            carry, packed = compiled.take((carry, packed), chosen)
            seeds = seeds[chosen]
        # At most eightfold: the first call also compiled, and so says little.
        epochs = min(left, max(1, min(8 * epochs, int(epochs * piece / spent))))
    told.append((seeds, compiled.finish(plan, targets, threshold, packed, carry)))
    return _assembled(told)


def _assembled(ended: list[tuple[npt.NDArray[Any], Outcome]]) -> Outcome:
    """What became of each seed, from what was told of all, then of some: the last counts."""
    (seeds, first), *_ = ended
    leaves = [np.empty(seeds.size, leaf.dtype) for leaf in leaves_of(first)]
    for seeds, outcome in ended:
        for leaf, told in zip(leaves, leaves_of(outcome), strict=True):
            leaf[seeds] = told
    return from_leaves(leaves)


def _history(initial: Params, final: Params, norm: Any, report: Any, goal: float) -> History:
    """Cut what was told at the epoch at which the run ended."""
    losses = report.loss
    stops = np.flatnonzero(report.stopped) if report.stopped is not None else np.empty(0, int)
    ends = np.flatnonzero(~np.isfinite(losses))
    hits = np.flatnonzero(losses <= goal)
    last = min([len(losses) - 1, *stops[:1], *ends[:1], *hits[:1]])
    stopped_at = int(stops[0]) if stops.size and not hits.size else NONE
    counts = report.evaluations
    return History(
        losses=losses[: last + 1],
        C=report.C[: last + 1],
        initial=initial,
        final=final,
        stopped_at=stopped_at,
        evaluations=np.ones(last + 1, int) if counts is None else counts[: last + 1],
        gradient_norm=norm,
    )
