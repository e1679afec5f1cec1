"""JAX's devices: which of them train, what they have, and whether JAX can start at all."""

from __future__ import annotations

import os
from collections.abc import Sequence

import jax

from attnlogic.errors import InputError
from attnlogic_jax.contexts import setting
from attnlogic_jax.platforms import Platform


def devices() -> list[jax.Device]:
    """The devices that train: the caller's default device, or all of the default platform.

    Raises:
      InputError: JAX cannot start.
    """
    chosen = setting("default_device")
    try:
        if chosen is None:
            return list(jax.local_devices())
        # A platform's name means its first device to JAX, too.
        return [jax.local_devices(backend=chosen)[0] if isinstance(chosen, str) else chosen]
    except (RuntimeError, AssertionError) as error:
        asked = os.environ.get("JAX_PLATFORMS", "")
        first_line = next(iter(str(error).splitlines()), "it finds no such device")
        raise InputError(
            f"JAX cannot start{f' with JAX_PLATFORMS={asked}' if asked else ''}: "
            f"{first_line.rstrip('.')}. Unset JAX_PLATFORMS to run on what there is, or install "
            "what the platform needs, such as attnlogic[cuda]"
        ) from error


def here() -> Platform:
    """The platform that trains, with what there is of it.

    Raises:
      InputError: JAX cannot start.
    """
    return of(devices(), cores())


def of(there: Sequence[jax.Device], cores: int) -> Platform:
    """The platform of some devices, which are of one kind.

    Their memory is what JAX may use of that of the smallest. A CPU's is the computer's, which JAX
    does not tell.
    """
    told = [device.memory_stats() or {} for device in there]
    limits = [stats["bytes_limit"] for stats in told if stats.get("bytes_limit")]
    return Platform(there[0].platform, tuple(there), min(limits, default=None), cores)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
