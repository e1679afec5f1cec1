"""What the numbers were measured on."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from typing import Any

import jax
import torch

from attnlogic_jax.devices import here
from attnlogic_jax.xla import options
from bench.native import FLAGS, compiler

VECTORS = {"sve": None, "avx512f": 512, "avx2": 256, "avx": 256, "asimd": 128, "sse2": 128}
"""Instructions on vectors, the widest first, by the names that Linux gives them; bits of a vector,
None where that depends on the processor."""

EXTENSIONS = ("fma", "avx_vnni", "avx512_bf16", "avx512_fp16", "amx_tile")
"""Others that can decide a time."""


def machine() -> dict[str, Any]:
    """The processor, its vectors and caches, JAX's device, and the versions that decide a time.

    What only ``lscpu`` tells is None where there is none.
    """
    packages = ("jax", "jaxlib", "optax", "equinox", "torch", "numpy")
    fields = {row["field"].rstrip(":"): row["data"] for row in _lscpu("lscpu")}
    flags = fields.get("Flags", "").split()
    widest = next((name for name in VECTORS if name in flags), None)
    return {
        "cpu": fields.get("Model name") or platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "instructions": [name for name in (*VECTORS, *EXTENSIONS) if name in flags] or None,
        "vector_bits": VECTORS[widest] if widest else None,
        "caches": {row["name"]: int(row["one-size"]) for row in _lscpu("caches", "-C", "-B")},
        "platform": jax.default_backend(),
        "device": jax.devices()[0].device_kind,
        "xla_options": options(here()),
        "torch_instructions": torch.backends.cpu.get_cpu_capability(),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "compilers": [_version(command) for command in (compiler(), cxx()) if command],
        "flags": " ".join(FLAGS),
    }


def cxx() -> str | None:
    """The system's C++ compiler, if it has one."""
    return next(filter(None, map(shutil.which, (os.environ.get("CXX", "g++"), "clang++"))), None)


def _version(command: str) -> str:
    asked = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    return next(iter(asked.stdout.splitlines()), command)


def _lscpu(key: str, *arguments: str) -> list[dict[str, Any]]:
    """What ``lscpu`` tells; nothing where it is missing."""
    command = shutil.which("lscpu")
    if command is None:
        return []
    told = subprocess.run(
        [command, "--json", *arguments], capture_output=True, text=True, check=False,
        env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip
    rows: list[dict[str, Any]] = json.loads(told.stdout or "{}").get(key, [])
    return rows
