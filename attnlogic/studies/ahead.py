"""What is made in threads before it is asked for, while the main thread does something else."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

THREADS = 4
"""Threads in which things are made. More than two cores can have use for: some wait for others."""

WAIT_SECONDS = 0.1
"""How long the main thread waits at a time: so often it hears of Ctrl-C."""


@contextmanager
def threads() -> Iterator[Executor]:
    """Threads for ``ahead``; after the block nothing more is begun, and what was begun is ended."""
    pool = ThreadPoolExecutor(THREADS, "attnlogic-ahead")
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def ahead(
    pool: Executor,
    tasks: Iterable[Callable[[], T]],
    count: int,
    *,
    last_first: bool = False,
) -> Iterator[Future[T]]:
    """Have tasks done in order, each begun ``count`` tasks before it is asked for.

    Args:
      pool: does them.
      tasks: what is done; gone through in the calling thread.
      count: how many are begun beyond the one that is given.
      last_first: of those that are begun together at first, begin the last one first.

    Yields:
      The tasks' results, or their errors, as they will be.
    """
    left, begun = iter(tasks), deque[Future[T]]()
    first = [*islice(left, count + 1)]
    if last_first:
        begun.extend(reversed([pool.submit(task) for task in reversed(first)]))
    else:
        begun.extend(map(pool.submit, first))
    while begun:
        yield begun.popleft()
        begun.extend(map(pool.submit, islice(left, 1)))


def result(future: Future[T]) -> T:
    """What has been made, once it is; its error is raised here. An interrupt is heard meanwhile."""
    while not wait([future], WAIT_SECONDS).done:
        pass
    return future.result()
