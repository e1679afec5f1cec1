"""A worker process, which trains one part of a batch after the other.

It has a pipe of its own. Over it the worker is given runs, and answers with their progress and
their outcomes. When the parent process ends, in whatever way, the worker sees it and ends too.
Nothing else is shared, so nothing, such as a semaphore, can be left behind.
"""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import NamedTuple

import torch

from attnlogic.backend import Batch, OnProgress
from attnlogic.outcomes import Outcome


class Work(NamedTuple):
    """A part of a batch, and how it is trained.

    Attributes:
      first: the place in the batch of the first of its runs.
      train: from these and ``OnProgress`` to their outcome; a function with a name.
      batch: the runs, consecutive ones.
    """

    first: int
    train: Callable[[Batch, OnProgress | None], Outcome]
    batch: Batch


class Worker:
    """A process that does one work after the other. It takes seconds to start: it imports torch.

    It is spawned, not forked: JAX and torch both have threads.

    Attributes:
      pipe: this process's end of the pipe to it.
      index: which of the works it was given last, from 0.
    """

    def __init__(self) -> None:
        context = get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.index = 0
        self._process: BaseProcess = context.Process(target=_work, args=(theirs,), daemon=True)
        try:
            self._process.start()
        finally:
            theirs.close()  # or the death of the worker would not end the pipe

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        return self._process.is_alive()

    def give(self, index: int, work: Work) -> None:
        """Have it train some runs.

        Over the pipe come the runs that are done since (float), then their ``Outcome``, or the
        exception that training raised. If the process dies the pipe ends.
        """
        self.index = index
        with suppress(OSError):  # it died while idle: reading will find the end of the pipe
            self.pipe.send(work)

    def exit_code(self) -> int | None:
        """That of a process that is about to end: below 0 for a signal. None if it does not end."""
        self._process.join(5)
        return self._process.exitcode

    def end(self) -> None:
        """End the process now, whatever it is doing."""
        self.pipe.close()
        self._process.kill()  # it has nothing to put in order, and hears no other signal
        self._process.join()


def _work(pipe: Connection) -> None:
    """What a worker does: train the runs that it is given, until its pipe ends."""
    for number in ANSWERED_BY_PARENT:
        signal.signal(number, signal.SIG_IGN)
    torch.set_num_threads(1)
    Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):  # the other end is closed: nobody waits for the work
        while True:
            work: Work = pipe.recv()
            answer: Outcome | Exception
            try:
                answer = work.train(work.batch, pipe.send)
            except Exception as error:
                error.add_note(traceback.format_exc())  # the place would not reach the parent
                answer = error
            pipe.send(answer)


def _end_with_parent() -> None:
    """End this process, whatever it is doing, once the parent process has ended."""
    parent = parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


ANSWERED_BY_PARENT = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
"""Signals that a terminal or a scheduler sends to all processes of a group. The parent answers
them, and ends its workers by SIGKILL once it has what they have finished."""


@contextmanager
def signals_held_back() -> Iterator[None]:
    """Such signals wait until after the block; a process started within never sees them.

    A worker inherits the mask. Without it Ctrl-C would reach one that is still importing torch, and
    print its traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ANSWERED_BY_PARENT)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
