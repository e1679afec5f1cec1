"""Ranges of numbers, ``low..high:points`` and ``low..high:log:points``: what a sweep runs through.

Points are computed from the decimal text, exactly for a linear range and to 30 digits for a
logarithmic one, and then rounded to the nearest float. So they are the same on every machine, both
ends are met exactly, and a point such as 0.001 is the float that is written so.
"""

from __future__ import annotations

import decimal
import math
import re
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from attnlogic.errors import InputError

MAX_CONDITIONS = 100_000
"""Most points of a range, and most conditions of a sweep."""

FORM = "start..end:points or start..end:log:points, such as 0..1:11 or 1e-4..1:log:25"

_NUMBER = r"[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(
    rf"(?P<low>{_NUMBER})\s*\.\.(?!\.)\s*(?P<high>{_NUMBER})"
    r"(?:\s*:\s*(?P<log>log))?(?:\s*:\s*(?P<points>\d+))?"
)
_DIGITS = decimal.Context(prec=30)


class Range(NamedTuple):
    """A range that has at least one point.

    Attributes:
      text: as it was written.
      low, high: its ends; low ≤ high, and 0 < low where ``log``.
      points: how many; 1 only where the ends are equal.
      log: whether neighbours have the same ratio, not the same difference.
    """

    text: str
    low: Decimal
    high: Decimal
    points: int
    log: bool

    def floats(self) -> list[float]:
        """All points in ascending order, as floats."""
        return [float(point) for point in self._exact()]

    def wholes(self, label: str) -> list[int]:
        """All points in ascending order, as ints.

        Points inside a logarithmic range are rounded, and equal ones are kept once.

        Args:
          label: what takes the values, for the message.

        Raises:
          InputError: an end, or a point of a linear range, is not whole.

        Example:
          >>> read_range("width", "1..100:log:6").wholes("width")
          [1, 3, 6, 16, 40, 100]
        """
        exact = self._exact()
        for i, point in enumerate(exact):
            inside = 0 < i < len(exact) - 1
            if point != int(point) and not (self.log and inside):
                raise InputError(
                    f"{label}: expected whole numbers, but point {i + 1} of {self.text} is "
                    f"{float(point):g}: choose ends and a number of points that give whole "
                    "numbers, or write a list such as [1, 2, 5]"
                )
        return list(dict.fromkeys(round(point) for point in exact))

    def numbers(self) -> list[int] | list[float]:
        """All points, as ints where both ends are written as ints and every point is whole."""
        whole = all("." not in part and "e" not in part for part in self._ends())
        if whole and all(point == int(point) for point in self._exact()):
            return [int(point) for point in self._exact()]
        return self.floats()

    def _ends(self) -> tuple[str, str]:
        low, _, rest = self.text.lower().partition("..")
        return low, rest.partition(":")[0]

    def _exact(self) -> list[Fraction]:
        low, high = Fraction(self.low), Fraction(self.high)
        if self.points == 1:
            return [low]
        inside = range(1, self.points - 1)
        if not self.log:
            step = (high - low) / (self.points - 1)
            return [low, *(low + i * step for i in inside), high]
        first = _DIGITS.ln(self.low)
        step_of_log = _DIGITS.divide(
            _DIGITS.subtract(_DIGITS.ln(self.high), first), Decimal(self.points - 1)
        )
        logs = (_DIGITS.add(first, _DIGITS.multiply(step_of_log, Decimal(i))) for i in inside)
        return [low, *(_trimmed(_DIGITS.exp(log)) for log in logs), high]


def _trimmed(number: Decimal) -> Fraction:
    """Without the last digits, which carry the rounding: 0.00999…9 becomes 0.01."""
    return Fraction(decimal.Context(prec=24).plus(number))


def read_range(label: str, text: str) -> Range:
    """A range from its text.

    Args:
      label: what takes the values, for the messages: ``"lr of adam"``.
      text: ``"1e-4..1:log:25"``.

    Raises:
      InputError: the text has another form, or the range is empty, has too many points, has one
        point between two different ends, or is logarithmic and does not start above 0.

    Example:
      >>> read_range("lr", "1e-4..1:log:5").floats()
      [0.0001, 0.001, 0.01, 0.1, 1.0]
      >>> read_range("lr", "0..1")
      Traceback (most recent call last):
      attnlogic.errors.InputError: lr: range 0..1 lacks its number of points: write 0..1:11, say
    """
    text = text.strip()
    found = _RANGE.fullmatch(text)
    if found is None:
        raise InputError(f"{label}: expected a range {FORM}, got '{text}'")
    low, high, log = Decimal(found["low"]), Decimal(found["high"]), found["log"] is not None
    if not (math.isfinite(float(low)) and math.isfinite(float(high))):
        raise InputError(f"{label}: the ends of range {text} do not fit a float")
    if high < low:
        raise InputError(
            f"{label}: range {text} is empty, its end lies below its start: "
            f"write {found['high']}..{found['low']}"
        )
    if log and low <= 0:
        raise InputError(
            f"{label}: a logarithmic range starts above 0, got {text}: choose a positive start, "
            "or leave out 'log'"
        )
    if found["points"] is None:
        raise InputError(f"{label}: range {text} lacks its number of points: write {text}:11, say")
    # int() refuses texts of thousands of digits
    points = int(found["points"]) if len(found["points"]) < 20 else MAX_CONDITIONS + 1
    if not 1 <= points <= MAX_CONDITIONS:
        raise InputError(
            f"{label}: expected 2 … {MAX_CONDITIONS:,} points, got range {text}: "
            "choose a smaller number"
            if points
            else f"{label}: range {text} has no point"
        )
    if (points == 1) != (low == high):
        wrong = "one point cannot meet both ends" if points == 1 else "both its ends are equal"
        raise InputError(f"{label}: range {text}: {wrong}: write the value alone, or a wider range")
    return Range(text, low, high, points, log)
