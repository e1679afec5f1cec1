"""A choice with settings, ``name`` or ``name(key=value, …)``: its grammar, and how values are read.

Optimizers and initialisations share this form on the command line, in files and in the API. A value
may be Python's or NumPy's; what is kept, compared and written is always Python's own.
"""

from __future__ import annotations

import ast
import ctypes
import math
import sys
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any, NamedTuple, TypeVar

from attnlogic.errors import InputError, described, unknown

T = TypeVar("T")
Value = float | int | bool | str
"""A setting's value, Python's own."""

NORMAL_NUMBERS = {
    "float32": (2.0**-126, (2 - 2.0**-23) * 2.0**127),
    "float64": (sys.float_info.min, sys.float_info.max),
}
"""The smallest and the largest normal number of each precision. XLA has 0 for smaller ones."""


class Setting(NamedTuple):
    """One setting: its default, its bounds and its meaning.

    Attributes:
      default: the value where none is given. Its type is the setting's: bool for a switch, int for
        a whole number, float for any number, str for a word.
      meaning: one line for a person.
      low, high: the bounds; infinite where there is none.
      open_low, open_high: whether the bound itself is excluded.
      off: for a feature that can be switched off, the value that does it.
      choices: for a str, the words that may be chosen.
    """

    default: Value
    meaning: str
    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    off: Value | None = None
    choices: tuple[str, ...] = ()

    def read(self, name: str, value: object) -> Value:
        """The value as Python's own, of the default's type.

        Args:
          name: what to call it in a message.
          value: a bool, a number, or the word true or false for a switch.

        Raises:
          InputError: it has another type, or lies out of bounds.
        """
        if isinstance(self.default, str):
            word = value.lower() if isinstance(value, str) else value
            return look_up(name, word, {choice: choice for choice in self.choices})
        if isinstance(self.default, bool):
            return truth(name, value)
        if isinstance(self.default, int):
            return whole(name, value, self.low, self.high)
        return real(
            name, value, self.low, self.high, open_low=self.open_low, open_high=self.open_high
        )


def whole(name: str, value: object, low: float = -math.inf, high: float = math.inf) -> int:
    """A whole number in ``low … high`` as an int. NumPy's are accepted, and floats such as 1e3.

    Raises:
      InputError: it is something else (a bool is no number) or out of bounds.

    Example:
      >>> whole("epochs", 1e3, low=1)
      1000
    """
    number = _number(value)
    if number is not None and math.isfinite(number) and number == int(number):
        number = int(number)
        if low <= number <= high:
            return number
    raise InputError(
        f"{name}: expected {_words('a whole number', low, high)}, got {described(value)}"
    )


def real(
    name: str,
    value: object,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    open_low: bool = False,
    open_high: bool = False,
) -> float:
    """A finite number within bounds as a float. NumPy's are accepted.

    Raises:
      InputError: it is something else (a bool is no number), infinite, NaN or out of bounds.

    Example:
      >>> real("threshold", float("inf"), low=0, open_low=True)
      Traceback (most recent call last):
      attnlogic.errors.InputError: threshold: expected a finite number above 0, got inf (float)
    """
    number = _number(value)
    if number is not None and math.isfinite(number):
        above = low < number if open_low else low <= number
        below = number < high if open_high else number <= high
        if above and below:
            return float(number)
    kind = "a number" if math.isfinite(low) and math.isfinite(high) else "a finite number"
    expected = _words(kind, low, high, open_low=open_low, open_high=open_high)
    raise InputError(f"{name}: expected {expected}, got {described(value)}")


def truth(name: str, value: object) -> bool:
    """True or False: a bool of Python's or NumPy's, 1 or 0, or the word in any case.

    Raises:
      InputError: it is something else.

    Example:
      >>> truth("nesterov", "TRUE")
      True
    """
    key = value.strip().casefold() if isinstance(value, str) else value
    try:
        found = _TRUTHS.get(key)
    except TypeError:  # not hashable
        found = None
    if found is None:
        raise InputError(f"{name}: expected True or False, got {described(value)}")
    return found


_TRUTHS: dict[object, bool] = {0: False, 1: True, "false": False, "true": True}
"""A bool, Python's or NumPy's, is equal to 0 or 1 and has the same hash."""


def _number(value: object) -> float | int | None:
    """A real number as Python's own, infinite past the floats; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        number = float(value)
    except OverflowError:
        return math.inf
    return int(value) if isinstance(value, Integral) else number


def _words(
    kind: str, low: float, high: float, *, open_low: bool = False, open_high: bool = False
) -> str:
    """What is expected, with both ends of the range: ``"a whole number in 1 … 10"``."""
    if math.isfinite(low) and math.isfinite(high) and not (open_low or open_high):
        return f"{kind} in {low} … {high}"
    ends = []
    if math.isfinite(low):
        ends.append(f"above {low}" if open_low else f"of at least {low}")
    if math.isfinite(high):
        ends.append(f"below {high}" if open_high else f"of at most {high}")
    return f"{kind} {' and '.join(ends)}".rstrip()


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


def parse(kind: str, text: object, example: str) -> tuple[str, dict[str, Any]]:
    """Split ``"adamw(lr=0.01, weight_decay=0)"`` into its name, in lower case, and its settings.

    Args:
      kind: what is being parsed, for the messages: ``"optimizer"``.
      text: the text.
      example: a text of the right form, for the messages.

    Returns:
      The name, and the settings as they are written: Python's literals, or a str of what is none.

    Raises:
      InputError: the text does not have that form.

    Example:
      >>> parse("optimizer", "SGD(lr=1e-2, nesterov=true)", "adam(lr=0.01)")
      ('sgd', {'lr': 0.01, 'nesterov': 'true'})
    """
    if not isinstance(text, str):
        raise InputError(f"{kind}: expected a text such as '{example}', got {described(text)}")
    form = f"{kind} '{text}' is not of the form name or name(key=value, …)"
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last two: deep nesting
        raise InputError(form) from None
    if isinstance(tree, ast.Name):
        return tree.id.lower(), {}
    if not (isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name)):
        raise InputError(form)
    if tree.args:
        raise InputError(f"{form}: give each setting its name")
    settings: dict[str, Any] = {}
    for keyword in tree.keywords:
        if keyword.arg is None:
            raise InputError(form)
        if keyword.arg in settings:
            raise InputError(f"{kind} '{text}' gives '{keyword.arg}' twice: leave one")
        try:
            settings[keyword.arg] = ast.literal_eval(keyword.value)
        except (ValueError, TypeError):
            settings[keyword.arg] = ast.unparse(keyword.value)
    return tree.func.id.lower(), settings


def look_up(kind: str, name: object, known: Mapping[str, T]) -> T:
    """The entry of this name.

    Raises:
      InputError: there is none; the nearest name is suggested.
    """
    if isinstance(name, str) and name in known:
        return known[name]
    raise unknown(kind, name, known)


def complete(
    name: str,
    given: Mapping[str, object] | Iterable[tuple[str, object]],
    known: Mapping[str, Setting],
) -> dict[str, Value]:
    """Every known setting with its value: the given ones, checked, and the defaults of the others.

    Args:
      name: what has the settings, for the messages: ``"adam"``.
      given: values by name, or pairs of a name and a value.
      known: the settings that it has.

    Raises:
      InputError: a setting is unknown, or its value has another type or lies out of bounds.
    """
    try:
        values = dict(given)
    except (TypeError, ValueError):
        raise InputError(
            f"settings of {name}: expected pairs of a name and a value, got {described(given)}"
        ) from None
    if values and not known:
        raise InputError(f"{name} has no settings, got {', '.join(map(repr, values))}")
    settings = {key: setting.default for key, setting in known.items()}
    for key, value in values.items():
        setting = look_up(f"setting of {name}", key, known)
        settings[key] = setting.read(f"{key} of {name}", value)
    return settings


def write(name: str, settings: Mapping[str, Value], defaults: Mapping[str, Value]) -> str:
    """The shortest text that ``parse`` and ``complete`` turn into these settings."""
    changed = [
        f"{k}={v:g}" if _short(v) else f"{k}={v}" for k, v in settings.items() if v != defaults[k]
    ]
    return f"{name}({','.join(changed)})" if changed else name


def _short(value: Value) -> bool:
    return isinstance(value, float) and float(f"{value:g}") == value
