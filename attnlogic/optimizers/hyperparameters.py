"""Optimizers by name and hyperparameters, and what they default to.

This is the description that every backend reads; how a step is made is the backend's own affair.
Defaults are torch's, with the notebook's learning rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from attnlogic import settings as spec
from attnlogic.errors import InputError, unknown


class Family(NamedTuple):
    """An optimizer's hyperparameters with their defaults, and its usual budget.

    Attributes:
      defaults: hyperparameter -> default, in the order in which they are written.
      epochs: the budget of a run when none is asked for.
      summary: one line for a person.
    """

    defaults: dict[str, spec.Setting]
    epochs: int
    summary: str


# gamma is torch's ExponentialLR, stepped once an epoch: the rate of epoch t is lr·gamma^t.
_ADAM: dict[str, spec.Setting] = {
    "lr": 0.05, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0, "amsgrad": False,
    "gamma": 1.0,
}  # fmt: skip

FAMILIES: dict[str, Family] = {
    "adam": Family(_ADAM, 8000, "Adam; weight_decay is added to the gradient"),
    "adamw": Family(
        {**_ADAM, "weight_decay": 1e-2}, 8000, "Adam with decoupled weight decay (torch's 1e-2)"
    ),
    "sgd": Family(
        {
            "lr": 0.05,
            "momentum": 0.0,
            "dampening": 0.0,
            "weight_decay": 0.0,
            "nesterov": False,
            "gamma": 1.0,
        },
        8000,
        "gradient descent on all four rows at once",
    ),
    "lbfgs": Family(
        {
            "lr": 0.05,
            "max_iter": 20,
            "max_eval": 25,
            "tolerance_grad": 1e-7,
            "tolerance_change": 1e-9,
            "history_size": 100,
            "gamma": 1.0,
        },
        500,
        "torch's L-BFGS without line search: up to max_iter iterations an epoch",
    ),
    "polyak": Family(
        {"f_min": 0.0, "tolerance": 1e-12},
        800,
        "steps of (loss - f_min)/‖grad‖², stopping once ‖grad‖² < tolerance",
    ),
}
"""The optimizers of the notebook. All budgets are the notebook's but that of L-BFGS (8000 there):
its epochs cost up to twenty evaluations each, and none of the first 10,000 seeds first hits the
threshold of 1e-4 after epoch 200, on XOR or NAND."""


@dataclass(frozen=True)
class Optimizer:
    """An optimizer with all its hyperparameters.

    Attributes:
      name: a key of ``FAMILIES``.
      hyperparameters: every hyperparameter of the family with its value, in the family's order.
    """

    name: str
    hyperparameters: tuple[tuple[str, spec.Setting], ...]

    @property
    def settings(self) -> dict[str, spec.Setting]:
        """The hyperparameters as a dict."""
        return dict(self.hyperparameters)

    @property
    def epochs(self) -> int:
        """The budget of a run when none is asked for."""
        return FAMILIES[self.name].epochs

    def changed(self, *names: str) -> list[str]:
        """Those of the named hyperparameters that this optimizer has and that are not at rest.

        "At rest" is the value that switches a feature off. A backend uses this to refuse what it
        does not have.
        """
        at_rest: dict[str, spec.Setting] = {"amsgrad": False, "dampening": 0.0}
        return [n for n in names if self.settings.get(n, at_rest[n]) != at_rest[n]]

    def __str__(self) -> str:
        defaults = FAMILIES[self.name].defaults
        return spec.write(self.name, self.settings, {**defaults, **_implied(self.settings)})


def optimizer(text: str | Optimizer) -> Optimizer:
    """Read an optimizer: ``"adamw"`` or ``"adamw(lr=0.01, weight_decay=0)"``.

    Args:
      text: a name, with the hyperparameters that differ from the default in parentheses; or an
        ``Optimizer``, returned as it is.

    Returns:
      The optimizer, every hyperparameter filled in.

    Raises:
      InputError: an unknown name or hyperparameter, or a value out of range.

    Example:
      >>> str(optimizer("adamw(lr=0.05, weight_decay=0)"))
      'adamw(weight_decay=0)'
    """
    if isinstance(text, Optimizer):
        return text
    name, given = spec.parse("optimizer", text)
    if name not in FAMILIES:
        raise unknown("optimizer", name, FAMILIES)
    settings = spec.complete("optimizer", name, given, FAMILIES[name].defaults)
    settings.update({k: v for k, v in _implied(settings).items() if k not in given})
    _check_ranges(name, settings)
    return Optimizer(name, tuple(settings.items()))


def _implied(settings: Mapping[str, spec.Setting]) -> dict[str, spec.Setting]:
    """The defaults that depend on other hyperparameters: torch's max_eval, from max_iter."""
    return {"max_eval": int(settings["max_iter"]) * 5 // 4} if "max_iter" in settings else {}


_POSITIVE = {"lr", "eps", "gamma"}
_COUNTS = {"max_iter": 1_000_000, "max_eval": 2_000_000, "history_size": 10_000}
"""Counts from 1, and the largest sensible one: 32 bits must hold their sums over an epoch, and a
backend may reserve memory for the history."""
_BELOW_ONE = {"beta1", "beta2"}
_FREE = {"f_min"}


def _check_ranges(name: str, settings: dict[str, spec.Setting]) -> None:
    for key, value in settings.items():
        if isinstance(value, bool) or key in _FREE:
            continue
        if key in _POSITIVE:
            fits, expected = value > 0, "above 0"
        elif key in _COUNTS:
            fits, expected = 1 <= value <= _COUNTS[key], f"in 1 … {_COUNTS[key]}"
        elif key in _BELOW_ONE:
            fits, expected = 0 <= value < 1, "at least 0 and below 1"
        else:
            fits, expected = value >= 0, "at least 0"
        if not fits:
            raise InputError(f"{name}({key}={value:g}): expected a value {expected}")
    if settings.get("nesterov") and (settings["momentum"] == 0 or settings["dampening"] != 0):
        raise InputError(
            f"{name}: nesterov=True needs a momentum above 0 and dampening=0, "
            f"got momentum={settings['momentum']:g}, dampening={settings['dampening']:g}"
        )
