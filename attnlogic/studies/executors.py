"""Where units of work are trained: an executor of ``concurrent.futures``, or a cluster of Dask.

Which to use when: the cores and devices of one machine are the JAX backend's own affair, which uses
all of them from one process, without any executor; a pool of processes is for backends that use one
core. Dask is for several machines: a worker for each, with one thread (``--nthreads 1``), since
each uses all cores that it may run on; on a machine with several GPUs one worker does, too.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

from attnlogic.errors import InputError, described
from attnlogic.studies.makers import OtherWorkerError, check_made_alike, made_here
from attnlogic.studies.units import Kind, ready
from attnlogic.version import __version__

WORKERS_SECONDS = 2.0
"""Seconds after which a cluster's workers are counted anew."""


class Pool:
    """An executor of ``concurrent.futures``.

    Args:
      executor: such as a ``ProcessPoolExecutor``.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def submit(self, function: Any, *args: Any) -> Future[Any]:
        """Have something done."""
        return self._executor.submit(function, *args)

    @property
    def workers(self) -> int:
        """How many units are trained at once; a guess where the executor does not say it."""
        return int(getattr(self._executor, "_max_workers", None) or os.cpu_count() or 1)

    def on_each(self, function: Any, *args: Any) -> Mapping[str, Any]:
        """What a function says on each worker; one speaks for all of a pool."""
        try:
            future = self.submit(function, *args)
        except RuntimeError as error:  # BrokenExecutor is one
            raise InputError(f"executor: it takes no work, give another: {error}") from error
        return {"a worker of the pool": future.result()}


class Cluster(Pool):
    """A cluster of Dask.

    Args:
      client: a ``distributed.Client``.
    """

    def __init__(self, client: Any) -> None:
        super().__init__(client.get_executor(pure=False))
        self._client = client
        self._counted, self._threads = 0.0, 0

    @property
    def workers(self) -> int:
        if not self._threads or time.monotonic() - self._counted > WORKERS_SECONDS:
            self._threads = max(1, sum(self._client.nthreads().values()))
            self._counted = time.monotonic()
        return self._threads

    def on_each(self, function: Any, *args: Any) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._client.run(function, *args, on_error="return")
        return found


def pool_of(executor: object) -> Pool:
    """What trains units.

    Args:
      executor: an ``Executor`` or a ``distributed.Client``.

    Raises:
      InputError: it is neither.
    """
    if isinstance(executor, Executor):
        return Pool(executor)
    if hasattr(executor, "get_executor"):
        return Cluster(executor)
    raise InputError(
        "executor: expected one of concurrent.futures, such as a ProcessPoolExecutor, or a Client "
        f"of dask.distributed, got {described(executor)}"
    )


def check_workers(pool: Pool, kinds: Sequence[Kind]) -> dict[str, Any]:
    """Ask the workers whether they can train conditions.

    Returns:
      What makes their rows: see ``made_here``.

    Raises:
      InputError: one cannot, or would make other rows; it is named.
    """
    said = pool.on_each(ready, kinds)
    if not said:
        raise InputError(
            "executor: it has no worker: start some, such as with dask worker, and wait for them: "
            "client.wait_for_workers(1)"
        )
    asked = made_here(kinds[0].backend) | {"platform": ""}
    first = next((one for one in said.values() if isinstance(one, dict)), asked)
    # Of another kind than this machine they may be, if they are all of one.
    asked |= {name: first[name] for name in ("devices", "machine", "instructions", "platform")}
    lines = []
    for name, one in said.items():
        try:
            if isinstance(one, BaseException):
                raise one
            check_made_alike(asked, one)
        except OtherWorkerError as error:
            lines.append(f"{name}: {str(error).partition(': ')[2]}")
        except Exception as error:
            lines.append(f"{name}: {error!r}: install attnlogic {__version__} there")
    if lines:
        listed = "".join(f"\n  {line}" for line in lines)
        raise InputError(f"executor: refused:{listed}\nmend these workers, or leave them out")
    return asked


@contextmanager
def connected(address: str, seconds: float = 30.0) -> Iterator[Any]:
    """A client of the Dask scheduler at an address; workers may still be starting.

    Args:
      address: such as ``tcp://host:8786``.
      seconds: how long to wait for the scheduler.

    Raises:
      InputError: Dask is not installed, or there is no scheduler.
    """
    try:
        import distributed
    except ImportError as error:
        raise InputError(
            "--scheduler needs Dask: pip install 'attnlogic[cluster]', here and at the workers"
        ) from error
    try:
        connect: Any = distributed.Client  # has no types
        client = connect(address, timeout=seconds, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"--scheduler {address}: there is no scheduler ({error}): start one with dask "
            "scheduler, and give the address that it prints, such as tcp://host:8786"
        ) from error
    with client:
        try:
            yield client
        except KeyboardInterrupt:
            logging.disable()  # the process ends: what the client's event loop was at is no news
            raise
