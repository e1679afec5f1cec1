"""What theory knows of a condition: for which gate and model its numbers hold."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from attnlogic.errors import InputError
from attnlogic.problems import Gate, gate


def known_gate(key: Mapping[str, Any]) -> Gate | None:
    """The gate of a condition if theory knows its model on it; None if it knows nothing.

    Args:
      key: the condition's values of the columns ``CONDITION``.
    """
    return _known(str(key["gate"]), str(key["model"]), str(key["encoding"]))


@cache
def _known(name: str, model: str, encoding: str) -> Gate | None:
    if (model, encoding) != ("attention", "01"):
        return None
    try:
        found = gate(name)
    except InputError:
        return None
    return found if found.n == 2 else None
