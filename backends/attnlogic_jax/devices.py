"""JAX's devices: which of them train, and whether JAX can start at all."""

from __future__ import annotations

import os

import jax

from attnlogic.errors import InputError
from attnlogic_jax.contexts import setting


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


def platform() -> str:
    """The platform that trains: ``"cpu"``, ``"gpu"``, ``"tpu"``."""
    return str(devices()[0].platform)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
