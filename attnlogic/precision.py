"""Numbers that a precision can hold."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Mapping

from attnlogic.errors import InputError, described
from attnlogic.settings import Setting, look_up

NORMAL_NUMBERS = {
    "float32": (2.0**-126, (2 - 2.0**-23) * 2.0**127),
    "float64": (sys.float_info.min, sys.float_info.max),
}
"""The smallest and the largest normal number of each precision. XLA has 0 for smaller ones."""


def in_precision(name: str, value: float, precision: str) -> float:
    """The number that a computation in this precision uses for a value; 0 stays 0.

    Args:
      name: what to call it in a message.
      value: a finite number.
      precision: ``"float32"`` or ``"float64"``.

    Raises:
      InputError: another precision, or a value other than 0 that becomes 0 or infinite in it.

    Example:
      >>> in_precision("beta", 1 - 1e-9, "float32")
      1.0
    """
    smallest, largest = look_up("precision", precision, NORMAL_NUMBERS)
    stored = ctypes.c_float(value).value if precision == "float32" else float(value)
    if value == 0 or smallest <= abs(stored) <= largest:
        return stored
    raise InputError(
        f"{name}: expected a magnitude in {smallest:.3g} … {largest:.3g}, "
        f"which {precision} can hold, got {described(value)}"
    )


def check_precision(
    name: str,
    settings: Mapping[str, object],
    known: Mapping[str, Setting],
    precision: str,
) -> None:
    """Refuse a number that this precision cannot hold: in float32, 1e-60 is 0.

    Args:
      name: what has the settings, for the messages: ``"adam"``.
      settings: their values; numbers in tuples and in the settings of choices are checked too.
      known: the settings that are known, with their bounds.
      precision: ``"float32"`` or ``"float64"``.

    Raises:
      InputError: a number other than 0 becomes 0, or infinite, or leaves its bounds.
    """
    for key, value in settings.items():
        setting = known.get(key)
        if setting is not None and setting.choices:
            word, inside = setting.chosen(f"{key} of {name}", value)
            check_precision(word, inside, setting.choice_settings.get(word, {}), precision)
        elif isinstance(value, tuple):
            check_precision(name, {f"{key}[{i}]": v for i, v in enumerate(value)}, {}, precision)
        elif isinstance(value, float):
            label = f"{key}={value!r} of {name} in {precision}"
            held = in_precision(label, value, precision)
            if setting is not None:
                setting.read(label, held)
