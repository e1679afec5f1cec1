"""Many seeds side by side: chunks of them, in threads.

On a CPU each core trains a chunk of its own, in a thread of its own; on other devices one chunk at
a time keeps all of them busy.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from itertools import pairwise
from threading import Event, Lock

import numpy as np

from attnlogic.backend import Batch, OnProgress
from attnlogic.outcomes import Outcome, mapped
from attnlogic_jax.chunks import train_chunk
from attnlogic_jax.compiled import Plan
from attnlogic_jax.contexts import captured
from attnlogic_jax.devices import cores, devices, platform
from attnlogic_jax.layout import Chunk, chunks

WAIT_SECONDS = 0.1
"""How long the main thread waits at a time: so often it hears of Ctrl-C. Without a timeout it would
not, once polars is imported, whose handler has the system restart a wait that a signal ended."""


def workers() -> int:
    """How many chunks are trained side by side."""
    return cores() if platform() == "cpu" and len(devices()) == 1 else 1


def layout(batch: Batch) -> list[Chunk]:
    """The batch cut into chunks that keep all workers and devices busy."""
    most, most_in_group = Plan.of(batch.trainings[0]).limits
    return chunks(
        batch.which,
        most=most,
        most_in_group=most_in_group,
        workers=workers(),
        devices=len(devices()),
    )


def train(
    batch: Batch, on_progress: OnProgress | None = None, laid_out: Sequence[Chunk] | None = None
) -> Iterator[Outcome]:
    """Train many runs, giving the outcomes chunk by chunk in the runs' order.

    The caller's settings of JAX are those at this call, in every thread.

    Args:
      batch: the runs.
      on_progress: see ``Backend.train``.
      laid_out: the batch in chunks; None for ``layout``'s.
    """
    if laid_out is None and len(several := parts(batch)) > 1:
        return _in_turn([train(part, on_progress) for part in several])
    settings = captured(batch.trainings[0].precision)
    ended, reporting = Event(), Lock()

    def trained(chunk: Chunk) -> Outcome:
        def on_share(share: float) -> None:
            if ended.is_set():
                raise CancelledError
            if on_progress is not None:
                with reporting:
                    on_progress(len(chunk.lanes) * share)

        trainings = [batch.trainings[batch.which[run]] for run in chunk.conditions]
        start = batch.initial[:, chunk.runs.ravel()].astype(trainings[0].precision)
        with settings():
            outcome = train_chunk(trainings, start, on_share)
        return mapped(lambda leaf: leaf[..., chunk.lanes], outcome)

    return _side_by_side(workers(), trained, layout(batch) if laid_out is None else laid_out, ended)


def _in_turn(works: Sequence[Iterator[Outcome]]) -> Iterator[Outcome]:
    """The outcomes of one after the other; closing it ends the one under way."""
    for work in works:
        yield from work


def parts(batch: Batch) -> list[Batch]:
    """The batch in parts that have one ``Plan`` each.

    Runs of one kind have it in common, but for another package's optimizer that cannot be traced
    with one of its numbers: that number is compiled in.
    """
    if batch.trainings[0].optimizer.source is None:
        return [batch]
    plans = [Plan.of(training) for training in batch.trainings]
    of_run = np.array([plans.index(plan) for plan in plans])[batch.which]
    bounds = pairwise([0, *(np.flatnonzero(np.diff(of_run)) + 1).tolist(), len(of_run)])
    return [_part(batch, start, end) for start, end in bounds]


def _part(batch: Batch, start: int, end: int) -> Batch:
    """Some consecutive runs of a batch, with their own conditions alone."""
    used, which = np.unique(batch.which[start:end], return_inverse=True)
    return Batch(
        tuple(batch.trainings[k] for k in used),
        which.astype(np.int32),
        batch.initial[:, start:end],
    )


def _side_by_side(
    threads: int, work: Callable[[Chunk], Outcome], items: Sequence[Chunk], ended: Event
) -> Iterator[Outcome]:
    """The results of the work on each item, in order; an error in one of them ends them all.

    ``ended`` is set once no more work is wanted; a work that hears it raises ``CancelledError``.
    """
    failures: list[BaseException] = []

    def attempt(item: Chunk) -> Outcome:
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
    pool: ThreadPoolExecutor, work: Callable[[Chunk], Outcome], items: Sequence[Chunk], most: int
) -> Iterator[Outcome]:
    """The results of the work on each item, in order; at most ``most`` are begun ahead."""
    under_way: deque[Future[Outcome]] = deque()
    try:
        for item in items:
            under_way.append(pool.submit(work, item))
            if len(under_way) > most:
                yield _result(under_way.popleft())
        while under_way:
            yield _result(under_way.popleft())
    finally:
        for future in under_way:
            future.cancel()


def _result(work: Future[Outcome]) -> Outcome:
    """The result of a work, once it is there."""
    while not wait([work], WAIT_SECONDS).done:
        pass
    return work.result()
