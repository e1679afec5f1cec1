"""Settings: their defaults, bounds and meanings, and how values are read.

A value may be Python's or NumPy's; what is kept, compared and written is always Python's own.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from numbers import Integral, Real
from typing import NamedTuple, TypeVar

from attnlogic.errors import InputError, described, unknown
from attnlogic.grammar import Value, parse, write

T = TypeVar("T")


class Setting(NamedTuple):
    """One setting: its default, its bounds or choices, and its meaning.

    Attributes:
      default: the value where none is given. Its type is the setting's: bool for a switch, int for
        a whole number, float for any number, str for one of the choices.
      meaning: one line for a person.
      low, high: the bounds; infinite where there is none.
      open_low, open_high: whether the bound itself is excluded.
      off: for a feature that can be switched off, the value that does it.
      choices: for a str, the words that may be chosen: ``("relu", "tanh")``; or each word with
        settings of its own. The value is then the word, or the text ``cosine(epochs=100)``.

    Example:
      >>> Setting("tanh", "the activation", choices=("relu", "tanh")).read("activation", "ReLU")
      'relu'
    """

    default: Value
    meaning: str
    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    off: Value | None = None
    choices: Collection[str] | Mapping[str, Mapping[str, Setting]] = ()

    def read(self, name: str, value: object) -> Value:
        """The value as Python's own, of the default's type.

        Args:
          name: what to call it in a message.
          value: a bool, a number, the word true or false for a switch, or the text of a choice.

        Raises:
          InputError: it has another type, lies out of bounds, or is none of the choices.
        """
        if isinstance(self.default, str):
            word, settings = self.chosen(name, value)
            return write(word, settings, defaults(self.choice_settings.get(word, {})))
        if isinstance(self.default, bool):
            return truth(name, value)
        if isinstance(self.default, int):
            return whole(name, value, self.low, self.high)
        return real(
            name, value, self.low, self.high, open_low=self.open_low, open_high=self.open_high
        )

    def chosen(self, name: str, value: object) -> tuple[str, dict[str, Value]]:
        """The word of a choice, and all its settings.

        Raises:
          InputError: see ``read``.
        """
        if not isinstance(value, str):
            raise unknown(name, value, self.choices)
        word, given = parse(name, value, example=str(self.default))
        look_up(name, word, dict.fromkeys(self.choices))
        return word, complete(word, given, self.choice_settings.get(word, {}))

    @property
    def choice_settings(self) -> Mapping[str, Mapping[str, Setting]]:
        """The settings of each choice; empty for words without settings."""
        return self.choices if isinstance(self.choices, Mapping) else {}


def defaults(known: Mapping[str, Setting]) -> dict[str, Value]:
    """The default of each setting."""
    return {key: setting.default for key, setting in known.items()}


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
    settings = defaults(known)
    for key, value in values.items():
        settings[key] = setting_of(name, key, known).read(f"{key} of {name}", value)
    return settings


def setting_of(name: str, key: object, known: Mapping[str, Setting]) -> Setting:
    """The setting of this key.

    Args:
      name: what has the settings, for the messages.
      key: the setting's name.
      known: the settings that it has.

    Raises:
      InputError: it has no such setting.
    """
    if not known:
        raise InputError(f"{name} has no settings, got {described(key)}: leave it out")
    return look_up(f"setting of {name}", key, known)


def flat(settings: Mapping[str, Value], known: Mapping[str, Setting]) -> dict[str, Value]:
    """All values, those of a chosen word's own settings besides, as ``"setting.key"``.

    Example:
      >>> choices = {"none": {}, "step": {"every": Setting(9, "the epochs between two")}}
      >>> flat({"decay": "step(every=3)"}, {"decay": Setting("none", "", choices=choices)})
      {'decay': 'step', 'decay.every': 3}
    """
    values: dict[str, Value] = {}
    for key, value in settings.items():
        if key in known and known[key].choices:
            word, inside = known[key].chosen(key, value)
            inside = flat(inside, known[key].choice_settings.get(word, {}))
            values |= {key: word} | {f"{key}.{name}": one for name, one in inside.items()}
        else:
            values[key] = value
    return values
