"""How busy the machine is with other work, before each measurement."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import psutil

LIMIT_CORES = 0.25
"""Other work may keep so many cores busy, on average."""

GLANCE_SECONDS = 0.1
"""How long other work is watched before each measurement. Linux counts in steps of 0.01 s."""

LOOK_SECONDS = 1.0
"""How long it is watched where a glance showed too much, and before the first measurement."""

PATIENCE_SECONDS = 60.0
"""How long is waited for a busy machine to become quiet, before the benchmark is given up."""

Watch = Callable[[float], float]
"""Watch other work for some seconds: the cores that it keeps busy, on average."""


class BusyError(Exception):
    """Other work takes the processor; the message says how much, and what to do."""


def others(seconds: float) -> float:
    """The cores that other processes keep busy, while this one sleeps for some seconds.

    What a hypervisor takes for other machines counts.
    """
    began, before = time.perf_counter(), _busy_seconds()
    time.sleep(seconds)
    return max(0.0, _busy_seconds() - before) / (time.perf_counter() - began)


def _busy_seconds() -> float:
    """CPU seconds of all processes but this one, since the system started."""
    spent = psutil.cpu_times()._asdict()
    # "user" has a guest's time in it; a core that waits for a disk is free.
    aside = ("idle", "iowait", "guest", "guest_nice")
    own = os.times()
    every = sum(seconds for name, seconds in spent.items() if name not in aside)
    return float(every) - own.user - own.system


class Load:
    """Called before each measurement: tells the load, and waits for a quiet machine if asked to.

    Args:
      must_be_quiet: whether a busy machine is waited for, and refused in the end.
      watch: how other work is watched.
      patience: how long is waited, in seconds.

    Attributes:
      seen: the cores that other work kept busy before each measurement.
    """

    def __init__(
        self, must_be_quiet: bool, watch: Watch = others, patience: float = PATIENCE_SECONDS
    ) -> None:
        self._must_be_quiet, self._watch, self._patience = must_be_quiet, watch, patience
        self.seen: list[float] = []

    def __call__(self) -> float:
        """The cores that other work keeps busy.

        Raises:
          BusyError: the machine must be quiet, and did not become so.
        """
        load = self._watch(GLANCE_SECONDS)
        if self._must_be_quiet and load > LIMIT_CORES:
            load = self._calmed()
        self.seen.append(load)
        return load

    def check(self) -> None:
        """Look before the first measurement, without waiting.

        Raises:
          BusyError: the machine must be quiet, and is not.
        """
        load = self._watch(LOOK_SECONDS)
        if self._must_be_quiet and load > LIMIT_CORES:
            raise _busy(load)

    def _calmed(self) -> float:
        for _ in range(max(1, round(self._patience / LOOK_SECONDS))):
            load = self._watch(LOOK_SECONDS)
            if load <= LIMIT_CORES:
                return load
        raise _busy(load)


def _busy(load: float) -> BusyError:
    return BusyError(
        f"the machine is busy: other work keeps {load:.2f} of {os.cpu_count()} cores busy, "
        f"expected at most {LIMIT_CORES:g}: end it (top shows it), or measure into another folder "
        "with --out, or publish these times all the same with --anyway"
    )
