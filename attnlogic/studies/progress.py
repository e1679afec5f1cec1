"""A progress bar for long work: runs done, their total, their rate, the time left."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar


class Progress:
    """A bar on stderr, so that stdout carries results alone.

    Args:
      total: how many runs there are.
      show: whether to draw it; None to draw it where stderr is a terminal.
    """

    def __init__(self, total: int, *, show: bool | None = None) -> None:
        self._done = 0.0
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[done]:,} of {task.total:,.0f} runs"),
            TextColumn("{task.fields[rate]}", style="progress.data.speed"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not (sys.stderr.isatty() if show is None else show),
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
        self._bar.stop()

    def describe(self, what: str) -> None:
        """Say what is being worked on."""
        self._bar.update(self._task, description=what)

    def advance(self, runs: float) -> None:
        """Add so many runs, or parts of a run."""
        self._done += runs
        done = int(self._done + 1e-6)  # shares of a run add up to 1 but for rounding
        elapsed = self._bar.tasks[0].elapsed
        rate = self._done / elapsed if elapsed else 0.0
        self._bar.update(self._task, completed=self._done, done=done, rate=_runs_a_second(rate))


def _runs_a_second(rate: float) -> str:
    return f"{rate:,.0f} runs/s" if rate >= 10 else f"{rate:.2g} runs/s"
