"""Optimizers that another package defines: by a name such as ``optax:lion``, or as an object.

Nothing is imported here, whatever the name: a backend does that when it trains. So a stored study
can be read where the package is missing, and one whose optimizer was an object, ``object:mine``,
where the object is no more.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from attnlogic.errors import InputError, described
from attnlogic.grammar import dotted, foreign
from attnlogic.optimizers.record import OptimizerRecord
from attnlogic.sweeps import literal

FOREIGN_EPOCHS = 8000
"""The budget of an optimizer of another package when none is asked for: the notebook's."""

OBJECT = "object"
"""The source in the name of an optimizer that was given as an object."""


def foreign_record(name: str) -> OptimizerRecord:
    """What is known of an optimizer of another package: where it comes from."""
    source, inside = foreign(name) or ("", name)
    summary = "as the object given" if source == OBJECT else f"as {source}.{inside}"
    return OptimizerRecord(name, f"{summary} defines it", FOREIGN_EPOCHS, {})


def read_foreign(name: str, given: Mapping[str, object], of: Any) -> dict[str, Any]:
    """The settings of an optimizer of another package, Python's own, in alphabetical order.

    Raises:
      InputError: the name is not of the form ``source:name``, a value is no literal, or an object
        is given that does not fit the name or takes no settings.
    """
    source, inside = foreign(name) or ("", name)
    if not (dotted(source) and dotted(inside)):
        raise InputError(
            f"optimizer: expected a name such as optax:lion or package.module:factory, got '{name}'"
        )
    if of is not None:
        if source != OBJECT:
            raise InputError(f"optimizer '{name}': an object's name starts with '{OBJECT}:'")
        try:
            hash(of)
        except TypeError:
            raise InputError(
                f"optimizer '{name}': expected an object that can be hashed, got {described(of)}"
            ) from None
        if is_transformation(of) and given:
            raise InputError(
                f"optimizer '{name}' is a finished transformation, which takes no settings, got "
                f"{', '.join(map(repr, given))}: give them to its constructor"
            )
    return {key: literal(f"{key} of {name}", given[key]) for key in sorted(given)}


def is_transformation(of: object) -> bool:
    """Whether it has the form of an ``optax.GradientTransformation``: a tuple (init, update)."""
    return isinstance(of, tuple) and all(
        callable(getattr(of, part, None)) for part in ("init", "update")
    )


def is_object(of: object) -> bool:
    """Whether it can be trained as an object: a transformation, or what makes an optimizer."""
    return is_transformation(of) or callable(of)


def object_name(of: Any, name: str | None) -> str:
    """The name of an optimizer that is given as an object.

    Args:
      of: a transformation, a class, a function or a ``functools.partial`` of these.
      name: what to call it; None for its own name.

    Raises:
      InputError: the name is not one or more identifiers, joined by dots.

    Example:
      >>> object_name(functools.partial(dict), None), object_name(dict, "mine")
      ('object:dict', 'object:mine')
    """
    if name is None:
        name = _own_name(of)
    if not (isinstance(name, str) and dotted(name)):
        raise InputError(f"optimizer: expected a name such as 'mine', got {described(name)}")
    return f"{OBJECT}:{name}"


def _own_name(of: Any) -> str:
    while isinstance(of, functools.partial):
        of = of.func
    if is_transformation(of):
        # the constructor of optax that a transformation's functions were written in
        return str(getattr(of.update, "__qualname__", type(of).__name__)).partition(".")[0]
    name = str(getattr(of, "__qualname__", type(of).__name__))
    return name.rpartition(".")[2].strip("<>")
