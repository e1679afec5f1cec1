"""What makes the rows of a process: versions, devices, instructions; and whether two are alike."""

from __future__ import annotations

import os
import platform
import re
import socket
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from attnlogic.backend import Backend
from attnlogic.backend import backend as find
from attnlogic.errors import WorkError
from attnlogic.version import __version__


class OtherWorkerError(WorkError):
    """A worker's rows would not be those of the process that asked; the message says why."""


def here() -> str:
    """This process, for a message."""
    return f"worker {socket.gethostname()}:{os.getpid()}"


def made_here(backend: str | Backend) -> dict[str, Any]:
    """What makes this process' rows: versions, devices and the processor's instructions."""
    trainer = find(backend)
    own = {"attnlogic": __version__, "numpy": np.__version__}
    python = ".".join(platform.python_version_tuple()[:2])
    return {
        "versions": own | {"python": python} | trainer.versions(),
        "devices": trainer.devices(),
        "machine": platform.machine(),
        "instructions": instructions(),
        "platform": platform.platform(),
    }


@lru_cache(1)
def instructions() -> str:
    """Which of the instructions for vectors the processor has; empty where it is not known."""
    try:
        flags = {*re.findall(r"\w+", Path("/proc/cpuinfo").read_text(encoding="utf-8"))}
    except OSError:  # no Linux
        return ""
    return " ".join(name for name in ("fma", "avx2", "avx512f", "sve", "asimd") if name in flags)


def check_made_alike(asked: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Compare what two processes say of ``made_here``.

    Raises:
      OtherWorkerError: a version, the kind of machine or the kind of device differs.
    """
    one, other = asked["versions"], found["versions"]
    wrong = [
        f"{name} {other.get(name, 'none')} there, {one.get(name, 'none')} asked for"
        for name in sorted({*one, *other})
        if one.get(name) != other.get(name)
    ]
    wrong += [
        f"{name} {found[name] or 'none'} there, {asked[name] or 'none'} elsewhere"
        for name in ("machine", "instructions")
        if asked[name] != found[name]
    ]
    kinds = [sorted({re.sub(r" \(.*", "", d) for d in said["devices"]}) for said in (asked, found)]
    if kinds[0] != kinds[1]:
        wrong.append(f"devices {', '.join(kinds[1])} there, {', '.join(kinds[0])} elsewhere")
    if wrong:
        raise OtherWorkerError(f"{here()}: its rows would be others: {'; '.join(wrong)}")
