"""Exact numbers as JSON has them.

A fraction is a string that ``Fraction`` reads: ``"-1/2"``; an infinite number is ``"inf"`` or
``"-inf"``; an irrational one is a list of two decimal numbers as strings, between which it is
proved to lie; a number that is free or does not exist is None.
"""

from __future__ import annotations

from fractions import Fraction

from attnlogic.theory.extrema import DIGITS, Bracket

Exact = str | list[str] | None


def exact_text(value: Fraction | float | Bracket | None) -> Exact:
    """A number for JSON.

    Example:
      >>> exact_text(Fraction(-1, 2)), exact_text(Bracket(Fraction(1, 10), Fraction(2, 10)))
      ('-1/2', ['0.100000000000', '0.200000000000'])
    """
    if isinstance(value, Bracket):
        return bracket_text(value)
    return None if value is None else str(value)


def bracket_text(value: Bracket) -> str | list[str]:
    """A fraction, or the two decimal numbers between which it lies, for JSON."""
    return str(value.low) if value.exact else [_decimal(value.low), _decimal(value.high)]


def _decimal(value: Fraction) -> str:
    """A whole number of ``UNIT``s, exactly."""
    units = value * 10**DIGITS
    whole, rest = divmod(abs(units.numerator), 10**DIGITS)
    return f"{'-' if units < 0 else ''}{whole}.{rest:0{DIGITS}d}"
