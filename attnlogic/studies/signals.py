"""Signals that end a study: Ctrl-C, a scheduler whose time is up, a terminal that closes."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
"""Those that end a study; Windows has no SIGHUP."""


class Signalled(KeyboardInterrupt):
    """A signal came.

    Attributes:
      number: which; a ``signal.Signals``.
    """

    def __init__(self, number: int) -> None:
        self.number = signal.Signals(number)
        super().__init__(self.number.name)


@contextmanager
def raised(*names: str) -> Iterator[None]:
    """Within the block the first of these signals raises ``Signalled`` in the main thread.

    A second one, of any of them, has its usual effect: it ends the process at once. A signal that
    is ignored, as nohup has it, or that somebody else answers stays as it is. So do all in another
    thread than the main one: only there can a signal be answered.

    Args:
      names: such as those of ``SIGNALS``; what the system lacks is left out.
    """
    usual = (signal.SIG_DFL, signal.default_int_handler)
    known = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in known}
    ours = [number for number in known if before[number] in usual]
    if threading.current_thread() is not threading.main_thread():
        ours = []

    def answer(number: int, _: FrameType | None) -> None:
        for each in ours:
            signal.signal(each, signal.SIG_DFL)
        raise Signalled(number)

    try:
        for number in ours:
            signal.signal(number, answer)
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])
