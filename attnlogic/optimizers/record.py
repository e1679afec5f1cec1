"""What a record of an optimizer says, and the settings that several of them share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

from attnlogic.grammar import Value
from attnlogic.settings import Setting


def _nothing_implied(settings: dict[str, Value]) -> dict[str, Value]:
    return {}


def _no_conflict(settings: dict[str, Value]) -> str | None:
    return None


class OptimizerRecord(NamedTuple):
    """What is known of an optimizer.

    Attributes:
      name: how it is called.
      summary: one line for a person.
      epochs: the budget of a run when none is asked for.
      settings: its hyperparameters by name, in the order in which they are written.
      weight_decay: how it enters: ``"l2"``, added to the gradient; ``"decoupled_adam"``, subtracted
        from the parameters beside a step of Adam's (AdamW); ``"other"``, in a way of its own; None,
        not at all.
      scheduled: whether its learning rate, if it has one, may change from epoch to epoch.
      implied: the defaults that depend on other settings, from all settings.
      conflict: what is wrong with a combination of settings, in words; None where nothing is.
    """

    name: str
    summary: str
    epochs: int
    settings: dict[str, Setting]
    weight_decay: Literal["l2", "decoupled_adam", "other"] | None = None
    scheduled: bool = True
    implied: Callable[[dict[str, Value]], dict[str, Value]] = _nothing_implied
    conflict: Callable[[dict[str, Value]], str | None] = _no_conflict

    @property
    def defaults(self) -> dict[str, Value]:
        """The default of each setting."""
        return {key: setting.default for key, setting in self.settings.items()}


positive = partial(Setting, low=0, open_low=True)
not_negative = partial(Setting, low=0)
share = partial(Setting, low=0, high=1, open_high=True)
count = partial(Setting, low=1)
switch = partial(Setting, False, off=False)

MOMENTUM = not_negative(0.0, "how much of its velocity a run keeps each epoch", off=0.0)


def learning_rate(default: float) -> Setting:
    """The learning rate."""
    return positive(default, "the learning rate")


def weight_decay(default: float = 0.0) -> Setting:
    """The weight decay."""
    return not_negative(default, "the pull of each parameter towards 0", off=0.0)
