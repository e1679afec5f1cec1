"""Compiled code that is kept from one command to the next, in the user's cache folder.

JAX compiles what it trains with, about a second for each optimizer, and can keep the result on
disk. Its own environment variables say so, set before anything imports it; a variable that a user
has set stays as it is.
"""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path

from platformdirs import user_cache_path


def keep_compiled(on: bool = True) -> None:
    """Have JAX keep what it compiles, or not; to be called before it is imported.

    A folder that cannot be written costs a warning of JAX's, and the time to compile again.
    """
    if not on:
        os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "false"
        return
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder()))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")


def folder() -> Path:
    """Where: another folder for each kind of processor, whose instructions the code may use."""
    kind = f"{platform.machine()} {platform.processor()} {_features()}"
    return user_cache_path("attnlogic") / f"jax-{hashlib.sha256(kind.encode()).hexdigest()[:16]}"


def _features() -> str:
    """The processor's features, which Linux lists; empty elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")
