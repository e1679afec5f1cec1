"""Schedules: by which factor of ``lr`` an epoch's learning rate differs.

The rate of an epoch is ``lr × schedule × warmup``, each factor a function of the epoch, which
counts from 0. The arithmetic is written once, for any array namespace. It keeps its precision
however many epochs: powers go through logarithms, since float32's rounding of 0.9995 itself would
grow to 2e-4 after 8000 epochs, and what falls to 0 is computed from the epochs that are left.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from attnlogic.grammar import Value
from attnlogic.settings import Setting, complete, look_up

MAX_EPOCHS = 2**31 - 1
"""Epochs are counted in 32 bits."""

Numbers = Mapping[str, Any]
"""What the arithmetic needs of the settings: Python's numbers, or arrays of such."""


class ScheduleRecord(NamedTuple):
    """What is known of a schedule.

    Attributes:
      name: how it is called.
      formula: its factor at epoch e, for a person.
      torch: the scheduler of ``torch.optim.lr_scheduler`` that it equals.
      settings: its settings by name.
      numbers: from the settings to the numbers that ``factor`` takes.
      factor: from the epoch, those numbers and the array namespace to the factor.
    """

    name: str
    formula: str
    torch: str
    settings: Mapping[str, Setting]
    numbers: Callable[[Mapping[str, Any]], dict[str, float]]
    factor: Callable[[Any, Numbers, Any], Any]


def _float(number: Any, xp: Any) -> Any:
    return xp.asarray(number).astype(float)  # JAX's widest floating dtype


def _left(epoch: Any, epochs: Any, xp: Any) -> Any:
    """The share of the epochs that is left: 1 at epoch 0, and 0 from epoch ``epochs`` on."""
    return _float(epochs - xp.minimum(epoch, epochs), xp) / _float(epochs, xp)


def _exponential(epoch: Any, n: Numbers, xp: Any) -> Any:
    return xp.exp(_float(epoch, xp) * _float(n["log_gamma"], xp))


def _cosine(epoch: Any, n: Numbers, xp: Any) -> Any:
    # (1 + cos πx)/2 = sin²(π(1 - x)/2), which loses no digits as it falls to 0
    wave = xp.sin(_left(epoch, n["epochs"], xp) * (math.pi / 2)) ** 2
    final = _float(n["final"], xp)
    return final + (1 - final) * wave


def _linear(epoch: Any, n: Numbers, xp: Any) -> Any:
    final = _float(n["final"], xp)
    return final + (1 - final) * _left(epoch, n["epochs"], xp)


def _step(epoch: Any, n: Numbers, xp: Any) -> Any:
    return xp.exp(_float(epoch // n["every"], xp) * _float(n["log_factor"], xp))


def _warmup(epoch: Any, n: Numbers, xp: Any) -> Any:
    N = n["warmup"]
    return _float(xp.minimum(epoch, N - 1) + 1, xp) / _float(N, xp)


def _epochs(default: int, meaning: str) -> Setting:
    return Setting(default, meaning, low=1, high=MAX_EPOCHS)


_FINAL = Setting(0.0, "the factor at the end, and from then on", low=0)
_LENGTH = _epochs(8000, "the epochs until the end")
_FACTOR = Setting(0.1, "the factor of a step", low=0, open_low=True)
_GAMMA = Setting(0.9995, "the factor of each epoch", low=0, open_low=True)

SCHEDULES = {
    record.name: record
    for record in (
        ScheduleRecord(
            "exponential",
            "gamma^e",
            "ExponentialLR(gamma)",
            {"gamma": _GAMMA},
            lambda s: {"log_gamma": math.log(s["gamma"])},
            _exponential,
        ),
        ScheduleRecord(
            "cosine",
            "final + (1 - final)·(1 + cos(π·min(e, epochs)/epochs))/2",
            "CosineAnnealingLR(T_max=epochs, eta_min=final·lr), up to its minimum",
            {"epochs": _LENGTH, "final": _FINAL},
            dict,
            _cosine,
        ),
        ScheduleRecord(
            "step",
            "factor^⌊e/every⌋",
            "StepLR(step_size=every, gamma=factor)",
            {"every": _epochs(1000, "the epochs between two steps"), "factor": _FACTOR},
            lambda s: {"every": s["every"], "log_factor": math.log(s["factor"])},
            _step,
        ),
        ScheduleRecord(
            "linear",
            "1 + (final - 1)·min(e, epochs)/epochs",
            "LinearLR(start_factor=1, end_factor=final, total_iters=epochs)",
            {"epochs": _LENGTH, "final": _FINAL},
            dict,
            _linear,
        ),
    )
}
"""The schedules by name; ``constant`` is none."""

SCHEDULE_SETTINGS = {
    "gamma": Setting(
        1.0,
        "lr is multiplied by it after each epoch (torch's ExponentialLR)",
        low=0,
        open_low=True,
        off=1.0,
    ),
    "schedule": Setting(
        "constant",
        "how lr changes: constant, cosine(epochs=8000, final=0), linear(epochs=8000, final=0), "
        "step(every=1000, factor=0.1) or exponential(gamma=0.9995)",
        off="constant",
        choices={"constant": {}} | {name: record.settings for name, record in SCHEDULES.items()},
    ),
    "warmup": Setting(
        0, "epochs in which lr rises linearly: (e + 1)/warmup at epoch e", 0, MAX_EPOCHS, off=0
    ),
}
"""The hyperparameters of the schedule of an optimizer whose learning rate may change."""


@dataclass(frozen=True)
class Schedule:
    """How the learning rate changes: a schedule with its settings, and a warm-up.

    Attributes:
      name: ``"constant"``, or a key of ``SCHEDULES``.
      values: the name and value of every setting of the schedule; filled in where not given.
      warmup: epochs in which the rate rises linearly to its schedule's; 0 for none.

    Raises:
      InputError: the name or a setting is unknown, or a value is out of bounds.

    Example:
      >>> import numpy as np
      >>> factor(Schedule("step", (("every", 100),)), np.array([0, 99, 100, 250]), np).round(9)
      array([1.  , 1.  , 0.1 , 0.01])
    """

    name: str = "constant"
    values: tuple[tuple[str, Value], ...] = ()
    warmup: int = 0

    def __post_init__(self) -> None:
        known = look_up("schedule", self.name, SCHEDULE_SETTINGS["schedule"].choice_settings)
        values = complete(self.name, self.values, known)
        object.__setattr__(self, "values", tuple(values.items()))
        warmup = SCHEDULE_SETTINGS["warmup"].read("warmup", self.warmup)
        object.__setattr__(self, "warmup", warmup)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Schedule:
        """The schedule that values of ``SCHEDULE_SETTINGS`` say; other settings do not matter.

        Example:
          >>> Schedule.of({"gamma": 0.9995, "schedule": "constant", "warmup": 0, "lr": 0.1})
          Schedule(name='exponential', values=(('gamma', 0.9995),), warmup=0)
        """
        name, values = SCHEDULE_SETTINGS["schedule"].chosen("schedule", settings["schedule"])
        if settings["gamma"] != 1:
            name, values = "exponential", {"gamma": settings["gamma"]}
        return cls(name, tuple(values.items()), settings["warmup"])

    @property
    def structure(self) -> tuple[str, ...]:
        """What is compiled: the parts that change the rate, without their numbers."""
        warm = ("warmup",) if self.warmup else ()
        return warm if self.name == "constant" else (self.name, *warm)

    @property
    def numbers(self) -> dict[str, float]:
        """What is data: the numbers of the parts, whole ones as ints.

        Example:
          >>> Schedule("cosine", (("epochs", 100),), warmup=5).numbers
          {'epochs': 100, 'final': 0.0, 'warmup': 5}
        """
        own = {} if self.name == "constant" else SCHEDULES[self.name].numbers(dict(self.values))
        return own | ({"warmup": self.warmup} if self.warmup else {})


def factor(schedule: Schedule, epoch: Any, xp: Any, numbers: Numbers | None = None) -> Any:
    """The epoch's learning rate, divided by ``lr``.

    Args:
      schedule: what changes the rate.
      epoch: a whole number from 0, or an integer array of any shape.
      xp: the array namespace: ``numpy`` or ``jax.numpy``.
      numbers: in place of ``schedule.numbers``, arrays that broadcast with ``epoch``: traced, or
        one value for each seed. Those that are ints there must have an integer dtype.

    Returns:
      The factor in the namespace's widest floating dtype; a float 1.0 if nothing changes the rate.
    """
    n = schedule.numbers if numbers is None else numbers
    return rate_factor(schedule.structure, epoch, n, xp)


def rate_factor(structure: Sequence[str], epoch: Any, numbers: Numbers, xp: Any) -> Any:
    """``factor`` from what is compiled of a schedule and what is data; see ``Schedule``."""
    parts = [
        _warmup(epoch, numbers, xp)
        if part == "warmup"
        else SCHEDULES[part].factor(epoch, numbers, xp)
        for part in structure
    ]
    return math.prod(parts[1:], start=parts[0]) if parts else 1.0
