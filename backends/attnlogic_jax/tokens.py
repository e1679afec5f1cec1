"""The tokens 0 and 1, as numbers that leave no trace of themselves in what is compiled.

XLA may not drop a product with 0 (it is not 0 for an infinite factor), nor a sum with it. Half of
the terms of a truth table's rows are such, and these tokens drop them while the model is traced,
which makes training a third faster. Where all numbers are finite the values are the same; where
some are not the loss is not finite either way.
"""

from __future__ import annotations

from typing import Any

from attnlogic.gates import ROWS


class Token:
    """A 0 or a 1: ``0·x = 0``, ``1·x = x``, ``0 + x = x`` whatever x is."""

    def __init__(self, bit: int) -> None:
        self.bit = bit

    def __mul__(self, other: Any) -> Any:
        return other if self.bit else self

    def __add__(self, other: Any) -> Any:
        if self.bit:
            return 1 + other
        return self if isinstance(other, int) and other == 0 else other

    __rmul__, __radd__ = __mul__, __add__


TOKENS = tuple(tuple(map(Token, row)) for row in ROWS)
"""``gates.ROWS`` of such tokens."""
