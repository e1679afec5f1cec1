"""Many seeds side by side: chunks of them, in threads.

On a CPU each core trains a chunk of its own, in a thread of its own; on other devices one chunk at
a time keeps all of them busy.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from itertools import islice, pairwise
from threading import Event, Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from attnlogic.backend import Batch, Finished, OnProgress
from attnlogic.outcomes import mapped
from attnlogic_jax.chunks import prepare_chunk, train_chunk
from attnlogic_jax.compiled import Plan
from attnlogic_jax.contexts import captured
from attnlogic_jax.devices import here
from attnlogic_jax.given import NO_NUMBERS
from attnlogic_jax.layout import Chunk, as_slice, chunks
from attnlogic_jax.memory import limits
from attnlogic_jax.platforms import Platform

WAIT_SECONDS = 0.1
"""How long the main thread waits at a time: so often it hears of Ctrl-C. Without a timeout it would
not, once polars is imported, whose handler has the system restart a wait that a signal ended."""

GRACE_SECONDS = 1.0
"""At an interrupt, chunks that will be done within this time are trained to their end."""


def layout(batch: Batch, platform: Platform) -> list[Chunk]:
    """The batch cut into chunks that keep all workers and devices of the platform busy."""
    plan = Plan.of(batch.trainings[0], platform)
    most, most_in_group = limits(plan, batch.trainings[0])
    return chunks(
        batch.which,
        most=most,
        most_in_group=most_in_group,
        workers=platform.workers,
        devices=platform.shares,
    )


def train(
    batch: Batch,
    on_progress: OnProgress | None = None,
    laid_out: Sequence[Chunk] | None = None,
    each: Mapping[str, npt.NDArray[Any]] = NO_NUMBERS,
) -> Iterator[Finished]:
    """Train many runs, giving them as they are finished.

    The caller's settings of JAX are those at this call, in every thread.

    Args:
      batch: the runs.
      on_progress: see ``Backend.train``.
      laid_out: the batch in chunks; None for ``layout``'s.
      each: the optimizer's numbers that every run has for itself, (N,); then all are of one
        condition.
    """
    on = here()
    if laid_out is not None:
        return _train(0, batch, on, on_progress, laid_out, each)
    works = [
        _train(first, part, on, on_progress, layout(part, on), each)
        for first, part in parts(batch, on)
    ]
    return works[0] if len(works) == 1 else _in_turn(works)


def prepare(batch: Batch) -> Callable[[], None]:
    """What compiles the code with which the training of a batch begins; for any thread.

    A thread that comes to train meanwhile waits for the code, as JAX has it. On a CPU alone: the
    memory of other devices may all be in use.

    Args:
      batch: the runs, wherever they start.
    """
    on = here()
    if not on.by_core:
        return lambda: None
    settings, first = captured(batch.trainings[0].precision, on), parts(batch, on)[0][1]
    plan, chunk = Plan.of(first.trainings[0], on), layout(first, on)[0]
    trainings = [first.trainings[first.which[run]] for run in chunk.conditions]

    def compile_code() -> None:
        with settings():
            prepare_chunk(plan, trainings, chunk.runs.size)

    return compile_code


def _train(
    first: int,
    batch: Batch,
    platform: Platform,
    on_progress: OnProgress | None,
    laid_out: Sequence[Chunk],
    each: Mapping[str, npt.NDArray[Any]] = NO_NUMBERS,
) -> Iterator[Finished]:
    """Train runs, the first of which has this place."""
    settings = captured(batch.trainings[0].precision, platform)
    plan = Plan.of(batch.trainings[0], platform)
    patience, reporting = Patience(), Lock()

    def trained(chunk: Chunk) -> Iterator[Finished]:
        def on_call(share: float, seconds_left: float) -> None:
            if seconds_left > patience.seconds:
                raise CancelledError
            if on_progress is not None:
                with reporting:
                    on_progress(len(chunk.lanes) * share)

        trainings = [batch.trainings[batch.which[run]] for run in chunk.conditions]
        start = batch.initial[:, chunk.runs.ravel()].astype(trainings[0].precision)
        own = {name: numbers[chunk.runs].T for name, numbers in each.items()}
        with settings():
            for seeds, outcome in train_chunk(plan, trainings, start, on_call, own):
                begin, end = np.searchsorted(chunk.lanes, [seeds.start, seeds.stop])
                lanes = as_slice(chunk.lanes[begin:end] - seeds.start)  # of copies there are none
                place = first + int(chunk.runs[0, 0] + begin)
                yield Finished(place, mapped(lambda leaf: leaf[..., lanes], outcome))  # noqa: B023

    return _side_by_side(platform.workers, trained, laid_out, patience)


def _in_turn(works: Sequence[Iterator[Finished]]) -> Iterator[Finished]:
    """The runs of one after the other; closing it ends the one under way."""
    for work in works:
        yield from work


def parts(batch: Batch, platform: Platform) -> list[tuple[int, Batch]]:
    """The batch in parts that have one ``Plan`` each, with the place of each part's first run.

    Runs of one kind have it in common, but for another package's optimizer that cannot be traced
    with one of its numbers: that number is compiled in.
    """
    if batch.trainings[0].optimizer.source is None:
        return [(0, batch)]
    plans = [Plan.of(training, platform) for training in batch.trainings]
    of_run = np.array([plans.index(plan) for plan in plans])[batch.which]
    bounds = pairwise([0, *(np.flatnonzero(np.diff(of_run)) + 1).tolist(), len(of_run)])
    return [(start, batch.part(start, end)) for start, end in bounds]


class Patience:
    """How long chunks under way may go on.

    Attributes:
      seconds: a chunk that needs longer to its end is given up after its next call.
    """

    def __init__(self) -> None:
        self.seconds = math.inf

    def limit(self, seconds: float) -> None:
        """Begin no chunk any more, and let those under way go on that are done by then."""
        self.seconds = min(self.seconds, seconds)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self.limit(0)


def _side_by_side(
    threads: int,
    work: Callable[[Chunk], Iterator[Finished]],
    chunks: Sequence[Chunk],
    patience: Patience,
) -> Iterator[Finished]:
    """Runs as the work on each chunk gives them; an error in one of them ends them all.

    Before an error or an interrupt is raised come the runs that are finished by then or soon after.
    """
    done = deque[Finished]()
    ends = deque[BaseException | None]()  # of each chunk: an error or None
    to_do, arrived, failure = iter(chunks), Event(), None

    def attempt(chunk: Chunk) -> None:
        end: BaseException | None = None
        try:
            if patience.seconds == math.inf:
                for finished in work(chunk):
                    done.append(finished)
                    arrived.set()
        except BaseException as error:
            end = error
        ends.append(end)
        arrived.set()
        if end is not None:  # only now: the others' CancelledError come after it
            patience.limit(GRACE_SECONDS)

    def begin(count: int) -> int:
        return len([pool.submit(attempt, chunk) for chunk in islice(to_do, count)])

    with ThreadPoolExecutor(threads, "attnlogic") as pool, patience:
        under_way = begin(2 * threads)
        while under_way:
            try:
                if done:
                    yield done.popleft()  # in one step: an interrupt must not come in between
                elif not ends:
                    arrived.wait(WAIT_SECONDS)
                    arrived.clear()
                else:
                    end = ends.popleft()
                    under_way -= 1
                    if failure is None and end is not None:
                        raise end
                    if failure is None:
                        under_way += begin(1)
            except GeneratorExit:  # nobody takes more
                raise
            except BaseException as error:
                if failure is not None:  # a second interrupt
                    raise
                failure = error
                patience.limit(GRACE_SECONDS)
    if failure is not None:
        raise failure
