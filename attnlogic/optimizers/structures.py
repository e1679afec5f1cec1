"""What of an optimizer is compiled and what is data: its structure, and its numbers.

Optimizers of one structure run the same compiled code, each with numbers of its own: so a sweep
over a learning rate is compiled once.
"""

from __future__ import annotations

from typing import NamedTuple

from attnlogic.optimizers.hyperparameters import Optimizer


class Structure(NamedTuple):
    """All of an optimizer but the values of its real numbers; hashable.

    Attributes:
      name: a key of ``OPTIMIZERS``.
      choices: its switches, whole numbers and words by name.
      enabled: the real numbers that can be switched off, and are not.
    """

    name: str
    choices: tuple[tuple[str, bool | int | str], ...]
    enabled: frozenset[str]

    @property
    def chosen(self) -> dict[str, bool | int | str]:
        """The switches, whole numbers and words as a dict."""
        return dict(self.choices)


def structure(optimizer: Optimizer) -> Structure:
    """What is compiled in.

    Example:
      >>> from attnlogic.optimizers import optimizer
      >>> structure(optimizer("sgd(lr=0.1)")) == structure(optimizer("sgd"))
      True
      >>> sorted(structure(optimizer("sgd(momentum=0.9)")).enabled)
      ['momentum']
    """
    settings = optimizer.settings
    return Structure(
        name=optimizer.name,
        choices=tuple((k, v) for k, v in settings.items() if not isinstance(v, float)),
        enabled=frozenset(
            k
            for k, setting in optimizer.record.settings.items()
            if isinstance(settings[k], float)
            and setting.off is not None
            and settings[k] != setting.off
        ),
    )


def real_numbers(optimizer: Optimizer) -> dict[str, float]:
    """Its real numbers, without those that are switched off: the same names for one structure.

    Example:
      >>> from attnlogic.optimizers import optimizer
      >>> real_numbers(optimizer("sgd(lr=0.1, momentum=0.9)"))
      {'lr': 0.1, 'momentum': 0.9}
    """
    known = optimizer.record.settings
    return {
        key: value
        for key, value in optimizer.settings.items()
        if isinstance(value, float) and value != known[key].off
    }
