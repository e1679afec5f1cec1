"""Where optax's own optimizers differ from torch's: in their defaults and in their formulas.

The defaults are read from the signatures of the installed packages. The formulas are written here,
a sentence each: a test trains optax's own with torch's settings and finds that it leaves torch's
trajectory where there is such a sentence, and only there.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import optax

from attnlogic.errors import InputError

PAIRS = {
    "betas": ("beta1", "beta2"),
    "etas": ("eta_minus", "eta_plus"),
    "step_sizes": ("step_size_min", "step_size_max"),
}
"""Arguments of torch's that are two hyperparameters here."""

EXECUTION = {"foreach", "fused", "capturable", "differentiable", "maximize", "params"}
"""Arguments of torch's that say how a step is computed, not which."""

BETAS = {"beta1": "b1", "beta2": "b2"}


class Difference(NamedTuple):
    """One line of the table: what torch has, and what optax has."""

    optimizer: str
    what: str
    torch: str
    optax: str


@dataclass(frozen=True)
class Twins:
    """An optimizer of torch's and optax's of that name.

    Attributes:
      torch: the name in ``torch.optim``.
      optax: the name in ``optax``.
      renamed: torch's hyperparameters, here and in optax.
      formula: how the step is made by torch, and by optax; None where it is the same.
      given: what torch's needs besides to be this optimizer.
    """

    torch: str
    optax: str
    renamed: Mapping[str, str] = field(default_factory=dict)
    formula: tuple[str, str] | None = None
    given: Mapping[str, Any] = field(default_factory=dict)

    @property
    def arguments(self) -> dict[str, str]:
        """torch's hyperparameters under optax's names, where optax has them."""
        known = inspect.signature(getattr(optax, self.optax)).parameters
        named = {key: self.renamed.get(key, key) for key in self.torch_defaults}
        named["lr"] = "learning_rate"
        return {key: name for key, name in named.items() if name in known}

    @property
    def torch_defaults(self) -> dict[str, Any]:
        """torch's hyperparameters with their defaults.

        Raises:
          InputError: torch is not installed.
        """
        try:
            import torch
        except ImportError:
            raise InputError(
                "the differences are read from torch and optax, and torch is not installed: "
                "pip install 'attnlogic[torch]'"
            ) from None
        values: dict[str, Any] = {}
        constructor = getattr(torch.optim, self.torch)
        for key, parameter in inspect.signature(constructor).parameters.items():
            if key not in EXECUTION and key not in self.given:
                names = PAIRS.get(key, (key,))
                defaults = parameter.default if key in PAIRS else (parameter.default,)
                values |= zip(names, defaults, strict=True)
        return values

    @property
    def optax_defaults(self) -> dict[str, Any]:
        """The same hyperparameters with optax's defaults, where optax has them."""
        known = inspect.signature(getattr(optax, self.optax)).parameters
        return {key: known[name].default for key, name in self.arguments.items()}


TWINS: dict[str, Twins] = {
    "adam": Twins("Adam", "adam", BETAS, given={"decoupled_weight_decay": False}),
    "adamw": Twins("AdamW", "adamw", BETAS),
    "amsgrad": Twins(
        "Adam", "amsgrad", BETAS, given={"amsgrad": True, "decoupled_weight_decay": False},
        formula=(
            "divides by the root of the largest v so far, and corrects its bias afterwards",
            "divides by the root of the largest v after its correction",
        ),
    ),
    "nadam": Twins(
        "NAdam", "nadam", BETAS,
        formula=(
            "warms beta1 up from its half, by momentum_decay (Dozat's schedule)",
            "has one beta1 throughout",
        ),
    ),
    "nadamw": Twins(
        "NAdam", "nadamw", BETAS, given={"decoupled_weight_decay": True},
        formula=("as for nadam", "as for nadam"),
    ),
    "radam": Twins(
        "RAdam", "radam", BETAS,
        formula=("adds eps to √v and corrects the bias of v then", "adds eps after that"),
    ),
    "adamax": Twins("Adamax", "adamax", BETAS),
    "sgd": Twins("SGD", "sgd"),
    "rprop": Twins(
        "Rprop", "rprop",
        {"step_size_min": "min_step_size", "step_size_max": "max_step_size"},
        formula=(
            "takes the step of this epoch's gradient",
            "takes the step of the epoch before: the first epoch moves nothing",
        ),
    ),
    "rmsprop": Twins(
        "RMSprop", "rmsprop", {"alpha": "decay"},
        formula=(
            "divides by √v + eps", "divides by √(v + eps), unless eps_in_sqrt=False is given",
        ),
    ),
    "adagrad": Twins(
        "Adagrad", "adagrad", formula=("divides by √Σg² + eps", "divides by √(Σg² + eps)"),
    ),
    "adadelta": Twins("Adadelta", "adadelta"),
    "lbfgs": Twins(
        "LBFGS", "lbfgs", {"history_size": "memory_size"},
        formula=(
            "makes up to max_iter iterations a step, of length lr or by its strong Wolfe search",
            "makes one iteration a step, its length found by a zoom search",
        ),
    ),
}  # fmt: skip
"""torch's optimizers that optax has, too, by their name in ``attnlogic.optimizers``."""


LACKING = {
    "asgd": ("has it", "has none"),
    "polyak": ("has none, here it is (loss - f_min)/‖g‖²·g", "caps it at max_learning_rate·g"),
}
"""What one of the two has not."""


def differences() -> list[Difference]:
    """Every difference: a line for each default, then one for the formula.

    Raises:
      InputError: torch is not installed.
    """
    found = []
    for name, twins in TWINS.items():
        theirs = twins.optax_defaults
        for key, value in twins.torch_defaults.items():
            if key not in theirs:
                found.append(Difference(name, key, str(value), "-"))
            elif theirs[key] is inspect.Parameter.empty:
                found.append(Difference(name, key, str(value), "required"))
            elif (theirs[key] or 0) != (value or 0):  # optax has None for a feature that is off
                found.append(Difference(name, key, str(value), str(theirs[key])))
        if twins.formula is not None:
            found.append(Difference(name, "formula", *twins.formula))
    return [*found, *(Difference(name, "formula", *both) for name, both in LACKING.items())]
