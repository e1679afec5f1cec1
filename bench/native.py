"""``kernel.c``, compiled for this processor and called through ctypes."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from attnlogic.backend import Training
from bench.work import Result, SkippedError, Starts

FLAGS = ("-O3", "-march=native", "-fno-math-errno")
KINDS = {"sgd": 0, "adam": 1, "adamw": 1, "polyak": 2}
GROUP = 16
"""Seeds that the kernel takes at once: two vectors of eight."""


class _Work(ctypes.Structure):
    """``struct work`` of kernel.c."""

    _fields_ = [
        *((name, ctypes.c_int) for name in ("kind", "epochs", "seeds")),
        ("targets", ctypes.c_void_p),
        ("threshold", ctypes.c_float),
        *((name, ctypes.c_void_p) for name in ("settings", "rates", "params", "first_hit")),
        ("next", ctypes.c_int),
    ]


def compiler() -> str | None:
    """The system's C compiler, if it has one."""
    return next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)


@cache
def library() -> ctypes.CDLL:
    """The kernel, compiled in a temporary folder.

    Raises:
      SkippedError: there is no C compiler, or it cannot compile the kernel for this processor.
    """
    command = compiler()
    if command is None:
        raise SkippedError("no C compiler (cc, gcc or clang)")
    with TemporaryDirectory() as folder:
        built = Path(folder) / "kernel.so"
        source = Path(__file__).with_name("kernel.c")
        arguments = [*FLAGS, "-shared", "-fPIC", "-pthread", "-o", str(built), str(source)]
        done = subprocess.run([command, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if "error" in line]
            raise SkippedError(f"kernel.c does not compile: {(errors or ['no message'])[0]}")
        return ctypes.CDLL(str(built))


def prepare(training: Training, initial: Starts) -> Callable[[], Result]:
    """Compile, and give what trains these seeds on every core; see ``work.Contender``."""
    optimizer, epochs = training.optimizer, training.epochs
    if optimizer.name not in KINDS:
        raise SkippedError(f"kernel.c has no {optimizer.name}")
    train, s = library().train, {k: float(v) for k, v in optimizer.step_settings.items()}
    steps, rates = np.arange(1, epochs + 1), np.empty(0, np.float32)
    match optimizer.name:
        case "sgd":
            values = [s["lr"]]
        case "polyak":
            values = [s["f_min"], s["tolerance"]]
        case _:
            values = [s["beta1"], s["beta2"], s["eps"], 1 - s["lr"] * s["weight_decay"]]
            both = [s["lr"] / (1 - s["beta1"] ** steps), 1 / (1 - s["beta2"] ** steps)]
            rates = np.array(both, np.float32)
    settings, targets = (np.array(v, np.float32) for v in (values, training.problem.data.targets))
    seeds = initial.shape[1]
    start = np.pad(initial, [(0, 0), (0, -seeds % GROUP)], mode="edge")

    def run() -> Result:
        params, first_hit = start.copy(), np.empty(start.shape[1], np.int32)
        arrays: tuple[npt.NDArray[Any], ...] = (settings, rates, params, first_hit)
        work = _Work(KINDS[optimizer.name], epochs, start.shape[1], targets.ctypes.data,
                     training.threshold, *(a.ctypes.data for a in arrays), 0)  # fmt: skip
        train(ctypes.byref(work), os.cpu_count() or 1)
        return Result(first_hit[:seeds], seeds * epochs)

    return run
