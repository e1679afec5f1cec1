"""torch's devices: whether one is there, and what it is in words."""

from __future__ import annotations

import os

import torch

from attnlogic.errors import InputError, described


def check_device(device: str) -> None:
    """Refuse a device on which torch cannot compute here.

    Raises:
      InputError: there is none of that name.

    Example:
      >>> check_device("gpu")
      Traceback (most recent call last):
      attnlogic.errors.InputError: device: expected cpu, or cuda, mps or another device of torch's \
that is there, got 'gpu' (str)
    """
    try:
        torch.zeros((), device=device).item()
    except Exception as error:
        line = next(iter(str(error).splitlines()), "")
        why = f": {line}" if line and "device type" not in line else ""
        raise InputError(
            "device: expected cpu, or cuda, mps or another device of torch's that is there, "
            f"got {described(device)}{why}"
        ) from error


def in_words(device: str) -> str:
    """The device in a few words: ``"cpu (2 cores)"``, ``"NVIDIA H100 (cuda)"``."""
    kind = torch.device(device).type
    if kind == "cpu":
        return f"cpu ({os.cpu_count()} cores)"
    return f"{torch.cuda.get_device_name(device)} ({device})" if kind == "cuda" else device


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
