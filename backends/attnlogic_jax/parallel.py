"""Many seeds side by side: chunks of them, in threads.

On a CPU each core trains a chunk of its own, in a thread of its own; on other devices one chunk at
a time keeps all of them busy.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from threading import Event, Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from attnlogic.backend import OnProgress, Training
from attnlogic.outcomes import Outcome, from_leaves, leaves_of
from attnlogic_jax.chunks import chunk_size, train_chunk
from attnlogic_jax.contexts import captured
from attnlogic_jax.devices import cores, devices, platform


def workers() -> int:
    """How many chunks are trained side by side."""
    return cores() if platform() == "cpu" and len(devices()) == 1 else 1


def train(
    training: Training,
    start: npt.NDArray[Any],
    on_progress: OnProgress | None = None,
    size: int | None = None,
) -> Iterator[Outcome]:
    """Train many seeds, giving the outcomes chunk by chunk in the seeds' order.

    The caller's settings of JAX are those at this call, in every thread.

    Args:
      training: what to do.
      start: packed parameters (6, N).
      on_progress: see ``Backend.train``.
      size: seeds in a chunk; None for ``chunk_size``'s.
    """
    settings, seeds, threads = captured(training.precision), start.shape[1], workers()
    size = chunk_size(training, seeds, threads) if size is None else size
    ended, reporting = Event(), Lock()

    def chunk(first: int) -> Outcome:
        real = min(size, seeds - first)

        def on_share(share: float) -> None:
            if ended.is_set():
                raise CancelledError
            if on_progress is not None:
                with reporting:
                    on_progress(real * share)

        # The last chunk is filled up with its own last seed, whose copies are dropped.
        chosen = np.minimum(np.arange(first, first + size), seeds - 1)
        with settings():
            outcome = train_chunk(training, start[:, chosen].astype(training.precision), on_share)
        return from_leaves([leaf[:real] for leaf in leaves_of(outcome)])

    return _side_by_side(threads, chunk, range(0, seeds, size), ended)


def _side_by_side(
    threads: int, work: Callable[[int], Outcome], items: range, ended: Event
) -> Iterator[Outcome]:
    """The results of the work on each item, in order; an error in one of them ends them all.

    ``ended`` is set once no more work is wanted; a work that hears it raises ``CancelledError``.
    """
    failures: list[BaseException] = []

    def attempt(item: int) -> Outcome:
        try:
            return work(item)
        except BaseException as error:
            failures.append(error)
            ended.set()
            raise

    with ThreadPoolExecutor(threads, "attnlogic") as pool:
        try:
            yield from _in_order(pool, attempt, items, 2 * threads)
        except CancelledError:  # of a work that was ended since another had failed
            raise failures[0] from None
        finally:  # closed or interrupted, too
            ended.set()


def _in_order(
    pool: ThreadPoolExecutor, work: Callable[[int], Outcome], items: range, most: int
) -> Iterator[Outcome]:
    """The results of the work on each item, in order; at most ``most`` are begun ahead."""
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
