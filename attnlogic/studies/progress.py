"""Progress of long work on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

LINE_SECONDS = 10.0
"""Seconds between two lines where stderr is not a terminal; work that is shorter prints none."""


class Progress:
    """Work done and left, shown on stderr, so that stdout carries results alone.

    Args:
      total: how much there is to do, in units.
      unit: what is counted, in the singular.
      show: True for a bar, False for nothing; None for a bar where stderr is a terminal, and else
        for a line every ``LINE_SECONDS``.
    """

    def __init__(self, total: int, unit: str = "run", *, show: bool | None = None) -> None:
        terminal = sys.stderr.isatty()
        self._total, self._unit, self._what, self._done = total, unit, "", 0.0
        self._lines = show is None and not terminal
        self._began = self._said = time.monotonic()
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn(f"{{task.fields[done]:,}} of {{task.total:,.0f}} {unit}s"),
            TextColumn("{task.fields[rate]}", style="progress.data.speed"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not (terminal if show is None else show),
        )
        self._task = self._bar.add_task("", total=total, done=0, rate="")

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # a terminal that was closed is no reason to lose what is done
            self._bar.stop()

    def describe(self, what: str) -> None:
        """Say what is being worked on."""
        self._what = what
        self._bar.update(self._task, description=what)

    def advance(self, units: float) -> None:
        """Add units that have been done, or parts of one."""
        self._done += units
        done = int(self._done + 1e-6)  # shares of a run add up to 1 but for rounding
        now = time.monotonic()
        rate = self._done / (now - self._began) if now > self._began else 0.0
        self._bar.update(self._task, completed=self._done, done=done, rate=self._speed(rate))
        if self._lines and now - self._said >= LINE_SECONDS:
            self._said = now
            left = f", {duration((self._total - self._done) / rate)} left" if rate else ""
            line = f"{self._what}: {done:,} of {self._total:,} {self._unit}s{left}"
            with suppress(OSError):
                print(line, file=sys.stderr, flush=True)

    def _speed(self, rate: float) -> str:
        return f"{rate:,.0f} {self._unit}s/s" if rate >= 10 else f"{rate:.2g} {self._unit}s/s"


def duration(seconds: float) -> str:
    """A duration in its largest fitting unit.

    Example:
      >>> duration(0.2), duration(95), duration(5000), duration(3e5)
      ('0 s', '95 s', '83 min', '83 h')
    """
    seconds = max(0.0, seconds)
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:,.0f} h"
