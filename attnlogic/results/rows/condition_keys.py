"""What tells one condition from another: its key, and names of it for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from attnlogic.results.rows.run_columns import CONDITION, SETTINGS


def condition(rows: pl.DataFrame) -> dict[str, Any]:
    """The condition of some rows, all of one: its values of the columns ``CONDITION``."""
    return rows.select(*CONDITION).row(0, named=True)


def in_words(key: Mapping[str, Any]) -> str:
    """A condition for a message: its gate and optimizer."""
    return f"{key['gate']} · {key['optimizer']}"


def labels(keys: list[dict[str, Any]]) -> list[str]:
    """Names of conditions: the optimizer, with what else varies where a gate has it twice.

    Args:
      keys: the conditions, as ``condition`` gives them. None stands for what has many values.

    Example:
      >>> key = {"gate": "xor", "optimizer": "adam", **dict.fromkeys(SETTINGS)}
      >>> labels([{**key, "epochs": 100}, {**key, "epochs": 200}, {**key, "gate": "or"}])
      ['adam · 100', 'adam · 200', 'adam']
    """
    alike: dict[tuple[Any, Any], list[dict[str, Any]]] = {}
    for key in keys:
        alike.setdefault((key["gate"], key["optimizer"]), []).append(key)
    varying = {
        one: [c for c in SETTINGS if len({key[c] for key in several}) > 1]
        for one, several in alike.items()
    }
    return [
        " · ".join(
            "…" if key[c] is None else str(key[c])
            for c in ("optimizer", *varying[key["gate"], key["optimizer"]])
        )
        for key in keys
    ]
