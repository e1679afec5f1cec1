"""What of an optimizer is compiled and what is data: its structure, and its numbers.

Optimizers of one structure run the same compiled code, each with numbers of its own: so a sweep
over a learning rate is compiled once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from attnlogic.optimizers.hyperparameters import Optimizer
from attnlogic.ranges import MAX_CONDITIONS


class Structure(NamedTuple):
    """All of an optimizer but the values of its real numbers; hashable.

    Attributes:
      name: a key of ``OPTIMIZERS``, or the name of another package's.
      choices: its switches, whole numbers and words by name; of another package's, all settings
        that are no real number.
      enabled: the real numbers that can be switched off, and are not; of another package's, all.
      schedule: ``Schedule.structure``: the parts that change the learning rate.
      of: the object that it was given as.
    """

    name: str
    choices: tuple[tuple[str, Any], ...]
    enabled: frozenset[str]
    schedule: tuple[str, ...] = ()
    of: Any = None

    @property
    def chosen(self) -> dict[str, Any]:
        """The switches, whole numbers and words as a dict."""
        return dict(self.choices)


@lru_cache(MAX_CONDITIONS)  # asked for each condition of a study
def structure(optimizer: Optimizer) -> Structure:
    """What is compiled in.

    Example:
      >>> from attnlogic.optimizers import optimizer
      >>> structure(optimizer("sgd(lr=0.1)")) == structure(optimizer("sgd"))
      True
      >>> sorted(structure(optimizer("sgd(momentum=0.9)")).enabled)
      ['momentum']
    """
    settings, known = optimizer.step_settings, optimizer.record.settings
    can_be_off = {k for k, setting in known.items() if setting.off is not None}
    if optimizer.source is not None:
        can_be_off = set(settings)
    return Structure(
        name=optimizer.name,
        choices=tuple((k, v) for k, v in settings.items() if not isinstance(v, float)),
        enabled=frozenset(can_be_off & real_numbers(optimizer).keys()),
        schedule=optimizer.schedule.structure,
        of=optimizer.of,
    )


def real_numbers(optimizer: Optimizer, of: Structure | None = None) -> dict[str, float]:
    """Its real numbers, without those that are switched off: the same names for one structure.

    Those of its schedule follow, as ``schedule.epochs``; whole ones are ints.

    Args:
      optimizer: the optimizer.
      of: a structure with more features than the optimizer's own, which it switches off: their
        numbers are among those returned, with the values that have no effect.

    Example:
      >>> from attnlogic.optimizers import optimizer
      >>> real_numbers(optimizer("sgd(lr=0.1, momentum=0.9)"))
      {'lr': 0.1, 'momentum': 0.9}
      >>> real_numbers(optimizer("sgd(lr=0.1)"), structure(optimizer("sgd(momentum=0.9)")))
      {'lr': 0.1, 'momentum': 0.0}
    """
    known, kept = optimizer.record.settings, frozenset() if of is None else of.enabled
    own = {
        key: value
        for key, value in optimizer.step_settings.items()
        if isinstance(value, float)
        and (key in kept or not (key in known and value == known[key].off))
    }
    of_schedule = optimizer.schedule.numbers
    if of is not None and "exponential" in of.schedule and "log_gamma" not in of_schedule:
        of_schedule = {"log_gamma": 0.0, **of_schedule}  # gamma is 1
    return own | {f"schedule.{key}": n for key, n in of_schedule.items()}
