"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax

from bench.native import FLAGS, compiler


def machine() -> dict[str, Any]:
    """The processor, its cores, JAX's device, and the versions of all that decides a time."""
    command = compiler()
    asked = command and subprocess.run([command, "--version"], capture_output=True, text=True)
    packages = ("jax", "jaxlib", "optax", "torch", "numpy")
    return {
        "cpu": _processor(),
        "cores": os.cpu_count(),
        "platform": jax.default_backend(),
        "device": jax.devices()[0].device_kind,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "compiler": asked.stdout.splitlines()[0] if asked else None,
        "flags": " ".join(FLAGS),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
