"""What is known of each optimizer: one record each.

How a step is made is not described here: each backend has its own record of the same name for that.
Defaults are torch's, with the notebook's learning rate.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

from attnlogic.grammar import Value
from attnlogic.optimizers.schedules import with_schedule
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
        from the parameters beside a step of Adam's (AdamW); None, not at all.
      implied: the defaults that depend on other settings, from all settings.
      conflict: what is wrong with a combination of settings, in words; None where nothing is.
    """

    name: str
    summary: str
    epochs: int
    settings: dict[str, Setting]
    weight_decay: Literal["l2", "decoupled_adam"] | None = None
    implied: Callable[[dict[str, Value]], dict[str, Value]] = _nothing_implied
    conflict: Callable[[dict[str, Value]], str | None] = _no_conflict

    @property
    def defaults(self) -> dict[str, Value]:
        """The default of each setting."""
        return {key: setting.default for key, setting in self.settings.items()}


_positive = partial(Setting, low=0, open_low=True)
_not_negative = partial(Setting, low=0)
_share = partial(Setting, low=0, high=1, open_high=True)
_count = partial(Setting, low=1)

_LR = _positive(0.05, "the learning rate")


def _weight_decay(default: float) -> Setting:
    return _not_negative(default, "the pull of each parameter towards 0", off=0.0)


def _adam(weight_decay: float) -> dict[str, Setting]:
    return {
        "lr": _LR,
        "beta1": _share(0.9, "how much the mean of the gradients keeps each epoch"),
        "beta2": _share(0.999, "how much the mean of the squared gradients keeps each epoch"),
        "eps": _positive(1e-8, "added to the root of that mean, by which steps are divided"),
        "weight_decay": _weight_decay(weight_decay),
        "amsgrad": Setting(False, "divide by the largest root so far", off=False),
    }


def _nesterov_conflict(settings: dict[str, Value]) -> str | None:
    if not settings["nesterov"] or (settings["momentum"] and not settings["dampening"]):
        return None
    return (
        "nesterov=True needs a momentum above 0 and dampening=0, "
        f"got momentum={settings['momentum']:g}, dampening={settings['dampening']:g}"
    )


ADAM = OptimizerRecord(
    name="adam",
    summary="Adam; weight_decay is added to the gradient",
    epochs=8000,
    settings=_adam(weight_decay=0.0),
    weight_decay="l2",
)

ADAMW = OptimizerRecord(
    name="adamw",
    summary="Adam with decoupled weight decay (torch's 1e-2)",
    epochs=8000,
    settings=_adam(weight_decay=1e-2),
    weight_decay="decoupled_adam",
)

SGD = OptimizerRecord(
    name="sgd",
    summary="gradient descent on all four rows at once",
    epochs=8000,
    settings={
        "lr": _LR,
        "momentum": _not_negative(0.0, "how much of its velocity a run keeps each epoch", off=0.0),
        "dampening": _not_negative(
            0.0, "by which share a gradient counts less in the velocity", off=0.0
        ),
        "weight_decay": _weight_decay(0.0),
        "nesterov": Setting(False, "step as if the velocity had moved the run already", off=False),
    },
    weight_decay="l2",
    conflict=_nesterov_conflict,
)

# Counts are limited: 32 bits must hold their sums over an epoch, and a backend may reserve memory
# for the history.
LBFGS = OptimizerRecord(
    name="lbfgs",
    summary="torch's L-BFGS without line search: up to max_iter iterations an epoch",
    # The notebook's budget is 8000. An epoch costs up to twenty evaluations, and none of the first
    # 10,000 seeds first hits the threshold of 1e-4 after epoch 200, on XOR or NAND.
    epochs=500,
    settings={
        "lr": _LR,
        "max_iter": _count(20, "iterations an epoch, at most", high=1_000_000),
        "max_eval": _count(25, "evaluations an epoch, at most", high=2_000_000),
        "tolerance_grad": _not_negative(1e-7, "an epoch ends at a gradient this small"),
        "tolerance_change": _not_negative(1e-9, "an epoch ends at a change this small"),
        "history_size": _count(100, "steps that the curvature is estimated from", high=10_000),
    },
    implied=lambda settings: {"max_eval": int(settings["max_iter"]) * 5 // 4},  # torch's rule
)

POLYAK = OptimizerRecord(
    name="polyak",
    summary="steps of (loss - f_min)/‖grad‖², stopping once ‖grad‖² < tolerance",
    epochs=800,
    settings={
        "f_min": Setting(0.0, "the loss that a step aims at"),
        "tolerance": _not_negative(1e-12, "a run stops once ‖grad‖² is below it"),
    },
)

OPTIMIZERS = {
    record.name: record._replace(settings=with_schedule(record.settings))
    for record in (ADAM, ADAMW, SGD, LBFGS, POLYAK)
}
"""The optimizers by name. All budgets are the notebook's but that of L-BFGS."""

DEFAULT_STUDY = ("adam", "adamw", "sgd", "lbfgs", "polyak")
"""The optimizers of a study that names none: the notebook's five."""
