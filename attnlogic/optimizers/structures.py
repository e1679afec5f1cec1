"""What of an optimizer is compiled and what is data: its structure, and its numbers.

Optimizers of one structure run the same compiled code, each with numbers of its own: so a sweep
over a learning rate is compiled once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from attnlogic.optimizers.hyperparameters import Optimizer
from attnlogic.ranges import MAX_CONDITIONS


class Structure(NamedTuple):
    """All of an optimizer but the values of its real numbers; hashable.

    Attributes:
      name: a key of ``OPTIMIZERS``.
      choices: its switches, whole numbers and words by name.
      enabled: the real numbers that can be switched off, and are not.
      schedule: ``Schedule.structure``: the parts that change the learning rate.
    """

    name: str
    choices: tuple[tuple[str, bool | int | str], ...]
    enabled: frozenset[str]
    schedule: tuple[str, ...] = ()

    @property
    def chosen(self) -> dict[str, bool | int | str]:
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
    return Structure(
        name=optimizer.name,
        choices=tuple((k, v) for k, v in settings.items() if not isinstance(v, float)),
        enabled=frozenset(
            k
            for k, value in settings.items()
            if isinstance(value, float) and known[k].off is not None and value != known[k].off
        ),
        schedule=optimizer.schedule.structure,
    )


def real_numbers(optimizer: Optimizer) -> dict[str, float]:
    """Its real numbers, without those that are switched off: the same names for one structure.

    Those of its schedule follow, as ``schedule.epochs``; whole ones are ints.

    Example:
      >>> from attnlogic.optimizers import optimizer
      >>> real_numbers(optimizer("sgd(lr=0.1, momentum=0.9)"))
      {'lr': 0.1, 'momentum': 0.9}
    """
    known = optimizer.record.settings
    own = {
        key: value
        for key, value in optimizer.step_settings.items()
        if isinstance(value, float) and value != known[key].off
    }
    return own | {f"schedule.{key}": n for key, n in optimizer.schedule.numbers.items()}
