"""Sweeps: settings with several values each, and every combination of them.

``adamw(lr=1e-4..1:log:25, weight_decay=[0, 0.01])`` stands for 50 choices. The first setting of the
text changes slowest.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from attnlogic.errors import InputError, described
from attnlogic.grammar import foreign, parse, write
from attnlogic.ranges import MAX_CONDITIONS, Range
from attnlogic.settings import Setting, defaults, setting_of

T = TypeVar("T")


def sweep(
    kind: str, text: object, example: str, known: Callable[[str], Mapping[str, Setting]]
) -> tuple[str, list[dict[str, Any]]]:
    """The name in a text, and the settings of each choice that the text stands for.

    Args:
      kind: what is being read, for the messages: ``"optimizer"``.
      text: the text.
      example: a text of the right form, for the messages.
      known: from a name of attnlogic's own to the settings that it has.

    Returns:
      The name, and for each choice, in the order of the text, the settings that are given: at
      least one choice, each once.

    Raises:
      InputError: the text does not have the form, a name, setting or value is not accepted, or
        there are more than ``MAX_CONDITIONS`` choices.

    Example:
      >>> rates = {"lr": Setting(0.1, "the rate"), "decay": Setting(0.0, "the decay")}
      >>> name, choices = sweep("rule", "sgd(lr=[0.1,1], decay=0..1:3)", "sgd", lambda name: rates)
      >>> [tuple(choice.values()) for choice in choices]
      [(0.1, 0.0), (0.1, 0.5), (0.1, 1.0), (1.0, 0.0), (1.0, 0.5), (1.0, 1.0)]
    """
    name, written = parse(kind, text, example)
    return name, _combinations(name, written, None if foreign(name) else known(name))


def only(kind: str, text: object, found: Sequence[T]) -> T:
    """The one choice that a text stands for.

    Raises:
      InputError: it stands for several.
    """
    if len(found) > 1:
        raise InputError(
            f"{kind} '{text}' stands for {len(found):,} choices; here one is expected: "
            "give each setting one value"
        )
    return found[0]


def _combinations(
    name: str, written: Mapping[str, Any], known: Mapping[str, Setting] | None
) -> list[dict[str, Any]]:
    axes = {
        key: _each_once(
            _values(
                f"{key} of {name}", value, None if known is None else setting_of(name, key, known)
            )
        )
        for key, value in written.items()
    }
    total = math.prod(map(len, axes.values()))
    if total > MAX_CONDITIONS:
        raise InputError(
            f"{name}: expected a sweep of at most {MAX_CONDITIONS:,} choices, got {total:,}: "
            "give fewer values"
        )
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def _values(label: str, value: object, setting: Setting | None) -> list[Any]:
    """The values that a written one stands for, checked; a setting of None takes any literal."""
    if isinstance(value, Range):
        return _points(label, value, setting)
    if isinstance(value, list):
        if not value:
            raise InputError(f"{label}: the list is empty: give at least one value")
        if any(isinstance(item, list) for item in value):
            raise InputError(f"{label}: expected single values in a list, got a list in it")
        return [one for item in value for one in _values(label, item, setting)]
    if setting is None:
        return [literal(label, value)]
    if isinstance(value, str) and setting.choice_settings:
        word, written = parse(label, value, example=str(setting.default))
        if word in setting.choice_settings:
            known = setting.choice_settings[word]
            combinations = _combinations(word, written, known)
            return [
                setting.read(label, write(word, defaults(known) | one, defaults(known)))
                for one in combinations
            ]
    return [setting.read(label, value)]


def _points(label: str, given: Range, setting: Setting | None) -> list[Any]:
    if setting is None:
        return list(given.numbers())
    if isinstance(setting.default, bool | str):
        known = "True, False" if isinstance(setting.default, bool) else ", ".join(setting.choices)
        raise InputError(f"{label}: expected no range, got {given.text}: write a list of [{known}]")
    points = given.wholes(label) if isinstance(setting.default, int) else given.floats()
    return [
        setting.read(f"point {i} of {given.text} for {label}", point)
        for i, point in enumerate(points, start=1)
    ]


def _each_once(values: list[Any]) -> list[Any]:
    return list({repr(value): value for value in values}.values())  # 1, 1.0 and True are equal


def literal(label: str, value: object) -> Any:
    """A value for a setting that another package defines, as Python's own.

    Args:
      label: what to call it in a message.
      value: a finite number, bool, str or None, or a tuple of such; NumPy's numbers are accepted.

    Raises:
      InputError: it is something else.

    Example:
      >>> literal("betas", (0.9, 0.99))
      (0.9, 0.99)
    """
    if isinstance(value, tuple):
        return tuple(literal(label, one) for one in value)
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "shape", None) == ():
        value = item()
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise InputError(
        f"{label}: expected a finite number, a bool, a text, None or a tuple of these, "
        f"got {described(value)}"
    )
