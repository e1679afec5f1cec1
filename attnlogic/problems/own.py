"""A model of a user's own by its text, ``package.module:factory(key=value, …)``."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import Any, NamedTuple

from attnlogic.errors import InputError, described
from attnlogic.grammar import parse
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

_NAME = r"[^\W\d]\w*"
_FORM = re.compile(
    rf"(?P<module>{_NAME}(\.{_NAME})*):(?P<attribute>{_NAME})(?P<call>\(.*\))?", re.DOTALL
)


class Reference(NamedTuple):
    """Where a user's model is found.

    Attributes:
      module: the module to import.
      attribute: the factory's name in it, or the model's own.
      settings: the keyword arguments that the factory is called with.
    """

    module: str
    attribute: str
    settings: dict[str, Any]

    def __str__(self) -> str:
        given = ",".join(f"{key}={_written(value)}" for key, value in self.settings.items())
        return f"{self.module}:{self.attribute}" + (f"({given})" if given else "")


def _written(value: Any) -> str:
    word = isinstance(value, str) and value.isidentifier()
    return value if word else repr(value)


def reference(text: str) -> Reference:
    """Read ``package.module:factory(key=value, …)``; imports nothing.

    Raises:
      InputError: the text does not have that form.

    Example:
      >>> str(reference("nets.small:net(width=3, activation=tanh)"))
      'nets.small:net(width=3,activation=tanh)'
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise InputError(
            f"model '{text}' is not of the form package.module:factory or "
            "package.module:factory(key=value, …)"
        )
    called = found["attribute"] + (found["call"] or "")
    _, settings = parse(f"model '{text}':", called, example="net(width=3)")
    return Reference(found["module"], found["attribute"], settings)


def load(text: str) -> AnyModel:
    """Import a user's module, and get the model from it.

    Raises:
      InputError: the text has another form, there is no such module or attribute, the factory
        raises, or it returns something else than a model.
    """
    where = reference(text)
    found = attribute(f"model '{where}'", where.module, where.attribute)
    if not callable(found) or _is_a(found, _TORCH):
        if where.settings:
            raise InputError(
                f"model '{where}': {where.attribute} is {described(found)} and takes no settings"
            )
        return adopted(found, str(where))
    return _made(found, str(where))


@cache  # one value for one text: what is compiled for it is found again
def _made(factory: Callable[..., Any], text: str) -> AnyModel:
    where = reference(text)
    make = partial(factory, **where.settings)
    if _is_class(factory, _TORCH):
        return OwnModule(make, name=text)
    if _is_class(factory, _EQUINOX):
        return OwnLoss(lambda key: make(key=key), name=text)
    if first_argument(make) in KEYS:
        return OwnLoss(make, name=text)
    with users_code(f"model '{text}': {where.attribute}"):
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


@cache  # as in _made
def _network(made: Any, name: str) -> AnyModel:
    """A network with one output a row: a torch or Equinox module's class, or a Flax module."""
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
