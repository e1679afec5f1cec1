"""The command that trains a run again, from its condition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attnlogic.words import in_shell

_DEFAULTS = {
    "backend": "jax",
    "precision": "float32",
    "init": "torch",
    "until": "budget",
    "model": "attention",
    "encoding": "01",
}
"""Options of ``attnlogic train`` that need not be said."""


def training_command(key: Mapping[str, Any]) -> str:
    """The command but for the seed, which follows it.

    Args:
      key: the condition's values of the columns ``results.CONDITION``.

    Example:
      >>> key = dict(gate="xor", optimizer="adam(lr=0.1)", epochs=300, threshold=1e-4, until="hit")
      >>> training_command(key)
      "attnlogic train xor -o 'adam(lr=0.1)' --epochs 300 --until hit --seed"
    """
    encoding, of = key.get("encoding", "01"), in_shell(str(key["gate"]))
    fitted = {"real": [f"--data {of}"], "none": []}.get(encoding, [of])
    words = ["attnlogic train", *fitted, f"-o {in_shell(str(key['optimizer']))}"]
    words.append(f"--epochs {key['epochs']}")
    if key["threshold"] != 1e-4:
        words.append(f"--threshold {key['threshold']:.9g}")
    words += [
        f"--{name} {in_shell(str(key[name]))}"
        for name, usual in _DEFAULTS.items()
        if key.get(name, usual) != usual and (name != "encoding" or fitted == [of])
    ]
    return " ".join([*words, "--seed"])
