"""Numbers as every sheet writes them: one minus sign, one dash for what does not exist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NOTHING = "–"
"""Stands for a number that does not exist."""


def minus(text: str) -> str:
    """The text with the typographic minus sign in place of the hyphen."""
    return text.replace("-", "−")


def count(value: int | None) -> str:
    """A whole number with commas: ``1,234``."""
    return NOTHING if value is None else f"{value:,}"


def significant(value: float | None, digits: int = 2) -> str:
    """A number of significant digits: ``−0.0012``, ``3e−05``."""
    return NOTHING if value is None else minus(f"{value:.{digits}g}")


def decimal(value: float) -> str:
    """Four decimals, and no −0."""
    return minus(f"{value:.4f}") if abs(value) >= 5e-5 else "0.0000"


def percent(share: float | None) -> str:
    """A share in percent, without the sign: ``87.5``, ``100``."""
    if share is None:
        return NOTHING
    return "100" if share == 1 else f"{100 * share:.1f}"


def rate(row: Mapping[str, Any], prefix: str) -> str:
    """A rate in percent with its interval, from the columns ``{prefix}_rate``, _low and _high."""
    share, low, high = (percent(row[f"{prefix}_{end}"]) for end in ("rate", "low", "high"))
    return share if share == NOTHING else f"{share} ({low}–{high})"


def estimate(row: Mapping[str, Any], name: str) -> str:
    """A whole number with its interval, from the columns ``name``, _low and _high."""
    value, low, high = (
        NOTHING if number is None else f"{number:,.0f}"
        for number in (row[name], row[f"{name}_low"], row[f"{name}_high"])
    )
    if low == high == NOTHING:
        return value
    return f"{value} ({low}–{'∞' if high == NOTHING else high})"


def spread(sd: float | None) -> str:
    """A standard deviation as it follows a mean: `` ±0.0007``; nothing where there is none."""
    if sd is None:
        return ""
    number = f"{sd:.4f}" if sd == 0 or sd >= 5e-5 else f"{sd:.0e}"
    return f" ±{minus(number)}"


def p_value(p: float | None) -> str:
    """A p-value: ``0.012``, ``3e−05``."""
    if p is None:
        return NOTHING
    if p < 1e-300:
        return "<1e−300"
    return minus(f"{p:.0e}") if p < 1e-3 else f"{p:.3f}"


def loss(value: float) -> str:
    """A loss as the notebook prints it, four decimals; below 1e-4 two significant digits."""
    return f"{value:.1e}" if 0 < value < 1e-4 else f"{value:.4f}"
