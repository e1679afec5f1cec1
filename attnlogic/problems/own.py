"""A model of a user's own by its text, ``package.module:factory(key=value, …)``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any

from attnlogic.errors import InputError, described
from attnlogic.grammar import parse, write_foreign
from attnlogic.outside import attribute, users_code
from attnlogic.problems.architecture import Model
from attnlogic.problems.own_code import KEYS, first_argument
from attnlogic.problems.own_loss import OwnLoss, squared_error
from attnlogic.problems.own_module import OwnModule

AnyModel = Model | OwnLoss | OwnModule
"""What a problem trains."""

EXPECTED = (
    "a Model, an OwnLoss, an OwnModule, a torch.nn.Module or its class, an Equinox module's class, "
    "or a Flax module"
)
"""What a factory may return."""


def load(text: str) -> AnyModel:
    """Import a user's module, and get the model from it.

    Args:
      text: ``package.module:factory(key=value, …)``, or the name of what is no factory.

    Raises:
      InputError: there is no such module or attribute, the factory raises, or it returns something
        else than a model.
    """
    name, settings = parse("model", text, _EXAMPLE)
    written = write_foreign(name, settings)
    package, _, within = name.partition(":")
    found = attribute(f"model '{written}'", package, within)
    if callable(found) and not _is_a(found, _TORCH):
        return _made(found, written)
    if settings:
        raise InputError(f"model '{written}': {described(found)} takes no settings")
    return adopted(found, written)


_EXAMPLE = "package.module:factory(width=3)"


@cache  # one value for one text: what is compiled for it is found again
def _made(factory: Callable[..., Any], text: str) -> AnyModel:
    name, settings = parse("model", text, _EXAMPLE)
    make = partial(factory, **settings)
    if _is_class(factory, _TORCH):
        return OwnModule(make, name=text)
    if _is_class(factory, _EQUINOX):
        return OwnLoss(lambda key: make(key=key), name=text)
    if first_argument(make) in KEYS:
        return OwnLoss(make, name=text)
    with users_code(f"model '{text}': {name.partition(':')[2]}"):
        made = make()
    return OwnModule(make, name=text) if _is_a(made, _TORCH) else adopted(made, text)


def adopted(made: object, name: str = "") -> AnyModel:
    """A model from whatever stands for one.

    Args:
      made: a ``Model``, ``OwnLoss`` or ``OwnModule``, a torch or Equinox module's class, or a Flax
        module.
      name: how it is written; without one it keeps its own.

    Raises:
      InputError: it is something else.
    """
    if isinstance(made, Model | OwnLoss | OwnModule):
        return replace(made, name=name) if name else made
    if _is_class(made, _TORCH) or _is_class(made, _EQUINOX) or _is_a(made, _FLAX):
        return _network(made, name)
    what = f"model '{name}'" if name else "model"
    if _is_a(made, _TORCH) or _is_a(made, _EQUINOX):
        raise InputError(
            f"{what}: got a {type(made).__name__} that is built already, and every seed needs one "
            "of its own: give its class, or a function that builds it"
        )
    raise InputError(f"{what}: expected {EXPECTED}, got {described(made)}")


def _network(made: Any, name: str) -> AnyModel:
    """A network with one output a row: a torch or Equinox module's class, or a Flax module."""
    try:
        hash(made)
    except TypeError:  # a Flax module of a list of layers: a value of its own each time
        return _new_network(made, name)
    return _network_of(made, name)


@cache  # as in _made
def _network_of(made: Any, name: str) -> AnyModel:
    return _new_network(made, name)


def _new_network(made: Any, name: str) -> AnyModel:
    if _is_class(made, _TORCH):
        return OwnModule(made, name=name)
    if _is_class(made, _EQUINOX):
        return OwnLoss(lambda key: made(key=key), name=name or made.__qualname__)

    def loss(params: Any, x: Any, y: Any) -> Any:
        return squared_error(lambda row: made.apply(params, row), x, y)

    return OwnLoss(lambda key, x: made.init(key, x[0]), loss, name or type(made).__name__)


_TORCH, _EQUINOX, _FLAX = "torch.nn", "equinox", "flax.linen"
"""Where a class Module is defined. What is an instance of it has been imported already."""


def _is_a(value: object, package: str) -> bool:
    kind = getattr(sys.modules.get(package), "Module", None)
    return kind is not None and isinstance(value, kind)


def _is_class(value: object, package: str) -> bool:
    kind = getattr(sys.modules.get(package), "Module", None)
    return kind is not None and isinstance(value, type) and issubclass(value, kind)
