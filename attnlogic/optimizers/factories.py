"""What makes another package's optimizer: found by its name, its arguments checked before a call.

A backend asks here when it checks a training; this imports the package.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from attnlogic.errors import InputError, unknown
from attnlogic.grammar import foreign
from attnlogic.optimizers.foreign import OBJECT
from attnlogic.optimizers.hyperparameters import Optimizer
from attnlogic.optimizers.schedules import SCHEDULE_SETTINGS, Schedule
from attnlogic.outside import attribute

MODULES = {"torch": "torch.optim"}
"""Where the names of a source lie, if not in the module of the source's name."""


def factory_of(optimizer: Optimizer) -> Any:
    """What the name of another package's optimizer stands for; the object, where it is one.

    Raises:
      InputError: there is no such module or name, or the object is not at hand.
    """
    source, name = foreign(optimizer.name) or ("", "")
    what = f"optimizer '{optimizer.name}'"
    if source != OBJECT:
        return attribute(what, MODULES.get(source, source), name)
    if optimizer.of is None:
        raise InputError(
            f"{what} was given as an object, which a text cannot hold: "
            "train it through the API, with the object itself"
        )
    return optimizer.of


class FactoryCall(NamedTuple):
    """How an optimizer's factory is called.

    Attributes:
      settings: its keyword arguments.
      schedule: how its learning rate changes.
    """

    settings: dict[str, Any]
    schedule: Schedule


def call_of(optimizer: Optimizer, made_by: Callable[..., Any], given: int = 0) -> FactoryCall:
    """The keyword arguments of a factory, and the schedule: checked against its signature.

    ``schedule``, ``warmup`` and ``gamma`` are the schedule's, as everywhere, unless the factory has
    an argument of that name.

    Args:
      optimizer: its name and settings.
      made_by: the factory.
      given: how many positional arguments it is called with besides.

    Raises:
      InputError: it lacks an argument, has none of that name, or a setting of the schedule is
        wrong.

    Example:
      >>> by = Optimizer("torch:SGD", {"lr": 0.1, "gamma": 0.5})
      >>> call_of(by, lambda params, lr: None, given=1).settings
      {'lr': 0.1}
    """
    parameters = _parameters(made_by)[given:]
    named = {p.name: p for p in parameters if p.kind in _NAMED}
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    settings = optimizer.settings
    of_schedule = {
        k: settings.pop(k) for k in SCHEDULE_SETTINGS if k in settings and k not in named
    }
    for key in settings:
        if key not in named and not takes_any:
            raise unknown(f"argument of {optimizer.name}", key, [*named, *SCHEDULE_SETTINGS])
    missing = missing_arguments(made_by, settings)[given:]
    if missing:
        listed, example = ", ".join(missing), ", ".join(f"{name}=…" for name in missing)
        raise InputError(
            f"optimizer '{optimizer.name}' lacks {listed}: write {optimizer.name}({example}), or, "
            "for what no text can say, give the optimizer as an object through the API"
        )
    return FactoryCall(settings, _schedule(optimizer, of_schedule))


_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters; any are taken where Python cannot tell."""
    try:
        return [*inspect.signature(function).parameters.values()]
    except (TypeError, ValueError):  # written in C, without a signature
        return [inspect.Parameter("arguments", inspect.Parameter.VAR_KEYWORD)]


def missing_arguments(function: Callable[..., Any], settings: Collection[str]) -> list[str]:
    """The arguments that a function needs besides some named ones, in order.

    Example:
      >>> missing_arguments(lambda params, lr, eps=0: None, ["lr"])
      ['params']
    """
    return [
        p.name
        for p in _parameters(function)
        if p.default is p.empty and p.kind not in _VARIADIC and p.name not in settings
    ]


def default_of(function: Callable[..., Any], name: str) -> Any:
    """The default of an argument; None where there is none."""
    found = {p.name: p.default for p in _parameters(function)}.get(name)
    return None if found is inspect.Parameter.empty else found


def _schedule(optimizer: Optimizer, given: Mapping[str, Any]) -> Schedule:
    read = {
        key: setting.read(f"{key} of {optimizer.name}", given.get(key, setting.default))
        for key, setting in SCHEDULE_SETTINGS.items()
    }
    if read["gamma"] != 1 and read["schedule"] != "constant":
        raise InputError(
            f"{optimizer.name}: gamma={read['gamma']} and schedule={read['schedule']} are two "
            "schedules: leave one"
        )
    return Schedule.of(read)


def is_made_by_torch(made_by: Any) -> bool:
    """Whether it is a class derived from ``torch.optim.Optimizer``, or a ``partial`` of one."""
    while isinstance(made_by, functools.partial):
        made_by = made_by.func
    return isinstance(made_by, type) and any(
        base.__module__ == "torch.optim.optimizer" and base.__name__ == "Optimizer"
        for base in made_by.__mro__
    )
