"""Curves: the conditions of a sweep, which are the same but for the value of one setting."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from attnlogic.errors import InputError
from attnlogic.grammar import parse, replaced

if TYPE_CHECKING:
    from attnlogic.settings import Setting

SWEPT = "…"
"""Stands for the value of the swept setting in a text: ``adamw(lr=…)``."""

EPOCHS = "epochs"
"""The setting that is the budget of a run."""

MAX = 1e308
"""The largest value on a curve, in magnitude: Python's whole numbers may not fit a float."""


class Curve(NamedTuple):
    """Conditions that are the same but for the value of one setting.

    Attributes:
      setting: its name: ``lr``, ``schedule.epochs``, ``init_scale``, ``model_hidden``, ``epochs``.
      about: the condition's columns, with ``…`` for the swept value; None for swept epochs.
      values: of the setting, ascending, at least two.
      at: the place of each value's condition among those that were given.
      lowest, highest: the bounds of the setting; infinite where there is none, or none is known.
    """

    setting: str
    about: dict[str, Any]
    values: tuple[float, ...]
    at: tuple[int, ...]
    lowest: float
    highest: float


class _Choice(NamedTuple):
    """A text as its name and settings.

    Attributes:
      name: of the optimizer, the initialisation, the model.
      settings: all values, those of a choice's own settings as ``"setting.key"``.
      implied: the settings that were not given and depend on others.
      known: each setting that attnlogic defines, by the same names.
    """

    name: str
    settings: dict[str, Any]
    implied: frozenset[str] = frozenset()
    known: Mapping[str, Setting] = {}


def curves(keys: Sequence[Mapping[str, Any]]) -> list[Curve]:
    """Every curve among some conditions, by gate, then by setting.

    A condition of a sweep of two settings lies on two curves. Only numbers count as values. A
    user's own code is never imported: what is known of it is what its text says.

    Args:
      keys: the conditions' values of the columns ``results.CONDITION``.
    """
    found: dict[tuple[Any, ...], list[tuple[float, int, _Number]]] = {}
    for place, key in enumerate(keys):
        for one in _numbers(key):
            others = (key[column] for column in key if column != one.column)
            found.setdefault((one.column, one.path, one.rest, *others), []).append(
                (one.value, place, one)
            )
    swept = []
    for points in found.values():
        places = {value: place for value, place, _ in reversed(points)}
        if len(places) > 1:
            values, at = zip(*sorted(places.items()), strict=True)
            some = points[0][-1]
            about = _about([keys[place] for place in at], some)
            swept.append(Curve(_name(some, {*about}), about, values, at, some.low, some.high))
    gates = [*dict.fromkeys(key["gate"] for key in keys)]
    settings = [*dict.fromkeys(curve.setting for curve in swept)]
    return sorted(swept, key=lambda c: (gates.index(c.about["gate"]), settings.index(c.setting)))


class _Number(NamedTuple):
    """A number in a condition: where it stands, its value, what stands beside it, its bounds."""

    column: str
    path: str
    value: float
    rest: object = None
    low: float = 1.0
    high: float = math.inf


def _numbers(key: Mapping[str, Any]) -> Iterator[_Number]:
    """Every number of a condition that may be swept."""
    yield _Number(EPOCHS, EPOCHS, float(key[EPOCHS]))
    for column in ("optimizer", "init", "model"):
        choice = _read(column, key[column])
        for path, value in choice.settings.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            if not -MAX <= value <= MAX:
                continue
            rest = {
                other: beside
                for other, beside in choice.settings.items()
                if other != path and other not in choice.implied
            }
            known = choice.known.get(path)
            bounds = (known.low, known.high) if known else (-math.inf, math.inf)
            yield _Number(
                column, path, float(value), (choice.name, frozenset(rest.items())), *bounds
            )


def _name(some: _Number, taken: set[str]) -> str:
    """The name of a swept setting, as the table of conditions has it."""
    if some.column in ("init", "model"):
        return f"{some.column}_{some.path}"
    return f"setting_{some.path}" if some.column != some.path and some.path in taken else some.path


def _about(keys: Sequence[Mapping[str, Any]], swept: _Number) -> dict[str, Any]:
    """The condition's columns that hold of all points of a curve."""
    if swept.column == EPOCHS:
        return {**keys[0], EPOCHS: None}
    texts = (key[swept.column] for key in keys)  # the setting's default is not written
    marked = ((replaced(text, swept.path, SWEPT), text) for text in texts)
    return {**keys[0], swept.column: next(new for new, text in marked if new != text)}


@cache
def _read(column: str, text: str) -> _Choice:
    """A text as its name and settings; without settings where it cannot be read here."""
    from attnlogic.optimizers import optimizer
    from attnlogic.problems import INITIALIZATIONS, MODELS, initialization, model

    try:
        if column == "optimizer":
            by = optimizer(text)
            own, implied = by.record.settings, by.record.implied(by.settings)
            unsaid = frozenset(k for k, v in implied.items() if by.settings[k] == v)
            return _Choice(by.name, by.flat_settings, unsaid, _flat(own, by.settings))
        if column == "init":
            init = initialization(text)
            return _Choice(init.name, init.settings, known=INITIALIZATIONS[init.name].settings)
        source, colon, called = text.partition(":")
        if colon and "(" not in source:  # a user's own
            name, given = parse(column, called, "net(width=3)")
            return _Choice(f"{source}:{name}", given)
        name, _ = parse(column, text, "attention")
        settings = dict(getattr(model(text), "settings", ()))
        return _Choice(name, settings, known=MODELS[name].settings)
    except InputError:
        return _Choice(text, {})


def _flat(known: Mapping[str, Setting], values: Mapping[str, Any]) -> dict[str, Setting]:
    """The settings of an optimizer, those of chosen words besides: by the names of ``flat``."""
    found = dict(known)
    for key, setting in known.items():
        if setting.choice_settings:
            word, _ = setting.chosen(key, values[key])
            inside = setting.choice_settings[word]
            found |= {f"{key}.{name}": one for name, one in inside.items()}
    return found
