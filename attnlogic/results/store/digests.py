"""Digests: a short text that two values share only if they are equal."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

DIGITS = 32
"""Hexadecimal digits of a digest: 128 bits of SHA-256."""


def digest(value: Any) -> str:
    """The digest of a value that is fit for JSON; the order of a dict's keys does not matter.

    Example:
      >>> digest({"lr": 0.1, "epochs": 40}) == digest({"epochs": 40, "lr": 0.1})
      True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return digest_of_bytes(text.encode())


def digest_of_bytes(content: bytes | memoryview) -> str:
    """The digest of some bytes."""
    return hashlib.sha256(content).hexdigest()[:DIGITS]


def digest_of_file(path: Path) -> str:
    """The digest of a file's bytes; other threads run meanwhile.

    Raises:
      OSError: it cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:DIGITS]
