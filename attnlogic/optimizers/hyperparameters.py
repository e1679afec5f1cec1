"""An optimizer with all its hyperparameters: the description that every backend reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from attnlogic.errors import InputError, described, unknown
from attnlogic.grammar import foreign, write, write_foreign
from attnlogic.optimizers.foreign import foreign_record, read_foreign
from attnlogic.optimizers.record import OptimizerRecord
from attnlogic.optimizers.records import OPTIMIZERS
from attnlogic.optimizers.schedules import SCHEDULE_SETTINGS, Schedule
from attnlogic.precision import check_precision
from attnlogic.ranges import MAX_CONDITIONS
from attnlogic.settings import complete, flat


@dataclass(frozen=True, eq=False)
class Optimizer:
    """An optimizer with all its hyperparameters.

    Two are equal if their texts are, and their objects are the same.

    Attributes:
      name: a key of ``OPTIMIZERS``; or, with its source, the name of an optimizer that another
        package defines: ``"optax:lion"``.
      hyperparameters: the name and value of every hyperparameter, in the record's order, values
        Python's own. Those not given are filled in. Another package's are those given, sorted.
      of: the object itself, where the name is ``"object:…"``; see ``optimizer``.

    Raises:
      InputError: the name or a hyperparameter is unknown, or a value is out of bounds or at odds
        with another.
    """

    name: str
    hyperparameters: tuple[tuple[str, Any], ...] = ()
    of: Any = None

    def __post_init__(self) -> None:
        given = _pairs(self.name, self.hyperparameters)
        if self.source is not None:
            settings = read_foreign(self.name, given, self.of)
        elif self.of is not None:
            raise InputError(f"optimizer '{self.name}': an object's name starts with 'object:'")
        else:
            settings = _read_own(self.name, given)
        object.__setattr__(self, "hyperparameters", tuple(settings.items()))

    @property
    def record(self) -> OptimizerRecord:
        """What is known of optimizers of this name."""
        return foreign_record(self.name) if self.source is not None else OPTIMIZERS[self.name]

    @property
    def source(self) -> str | None:
        """The module, or ``"object"``, that defines it; None for attnlogic's own.

        Example:
          >>> Optimizer("optax.contrib:prodigy").source, Optimizer("adam").source
          ('optax.contrib', None)
        """
        parts = foreign(self.name) if isinstance(self.name, str) else None
        return parts and parts[0]

    @property
    def settings(self) -> dict[str, Any]:
        """The hyperparameters as a dict."""
        return dict(self.hyperparameters)

    @property
    def step_settings(self) -> dict[str, Any]:
        """The hyperparameters without those of the schedule: what a step is made of."""
        return {k: v for k, v in self.hyperparameters if k not in _of_schedule(self.record)}

    @property
    def flat_settings(self) -> dict[str, Any]:
        """The hyperparameters, those of the schedule besides: a value for each column of a table.

        Example:
          >>> by = Optimizer("sgd", {"schedule": "step(every=9)"}).flat_settings
          >>> by["schedule"], by["schedule.every"], by["schedule.factor"]
          ('step', 9, 0.1)
        """
        return flat(self.settings, self.record.settings)

    @cached_property
    def schedule(self) -> Schedule:
        """How the learning rate changes."""
        return Schedule.of(self.settings) if _of_schedule(self.record) else Schedule()

    @property
    def epochs(self) -> int:
        """The budget of a run when none is asked for."""
        return self.record.epochs

    def enabled(self, *names: str) -> list[str]:
        """The named features that this optimizer switches on: it has them, and they are not off.

        Example:
          >>> Optimizer("adam", (("amsgrad", True),)).enabled("amsgrad", "gamma", "dampening")
          ['amsgrad']
        """
        settings, known = self.settings, self.record.settings
        return [name for name in names if name in known and settings[name] != known[name].off]

    def check_precision(self, precision: str) -> None:
        """Refuse a number that this precision cannot hold: in float32, 1e-60 is 0.

        Args:
          precision: ``"float32"`` or ``"float64"``.

        Raises:
          InputError: a number other than 0 becomes 0, or infinite, or leaves its bounds.
        """
        _check_precision(self, precision)

    def __str__(self) -> str:
        return self._text

    @cached_property
    def _text(self) -> str:
        if self.source is not None:
            return write_foreign(self.name, self.settings)
        settings, record = self.settings, self.record
        return write(self.name, settings, record.defaults | record.implied(settings))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Optimizer):
            return NotImplemented
        return self._text == other._text and self.of is other.of

    def __hash__(self) -> int:
        return hash((self._text, id(self.of)))


@lru_cache(MAX_CONDITIONS)  # a study checks each of its conditions, and they share optimizers
def _check_precision(by: Optimizer, precision: str) -> None:
    check_precision(by.name, by.settings, by.record.settings, precision)


def _pairs(name: str, given: Any) -> dict[str, Any]:
    try:
        return dict(given)
    except (TypeError, ValueError):
        raise InputError(
            f"settings of {name}: expected pairs of a name and a value, got {described(given)}"
        ) from None


def own_record(name: object) -> OptimizerRecord:
    """The record of an optimizer of attnlogic's own.

    Raises:
      InputError: there is none of this name.
    """
    if isinstance(name, str) and name in OPTIMIZERS:
        return OPTIMIZERS[name]
    also = "; or another package's own, such as optax:lion or torch:Adafactor"
    raise unknown("optimizer", name, OPTIMIZERS, also)


def _read_own(name: str, given: dict[str, Any]) -> dict[str, Any]:
    record = own_record(name)
    settings: dict[str, Any] = complete(name, given, record.settings)
    settings.update({k: v for k, v in record.implied(settings).items() if k not in given})
    if conflict := record.conflict(settings):
        raise InputError(f"{name}: {conflict}")
    if not _of_schedule(record):
        return settings
    if settings["gamma"] != 1 and settings["schedule"] != "constant":
        raise InputError(
            f"{name}: gamma={settings['gamma']} and schedule={settings['schedule']} are two "
            "schedules: leave one"
        )
    word, values = SCHEDULE_SETTINGS["schedule"].chosen("schedule", settings["schedule"])
    if word == "exponential":  # gamma is its short form, and the one that is kept
        settings |= {"gamma": values["gamma"], "schedule": "constant"}
    return settings


def _of_schedule(record: OptimizerRecord) -> dict[str, Any]:
    """The settings of the schedule, if it has any."""
    return SCHEDULE_SETTINGS if SCHEDULE_SETTINGS.keys() <= record.settings.keys() else {}
