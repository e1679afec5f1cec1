"""Optimizers from what a person gives: texts, sweeps, objects of other packages."""

from __future__ import annotations

from typing import Any

from attnlogic.errors import InputError, described
from attnlogic.optimizers.foreign import is_object, object_name
from attnlogic.optimizers.hyperparameters import Optimizer, own_record
from attnlogic.sweeps import only, sweep

_EXAMPLE = "adam(lr=0.01)"


def optimizer(given: Any, name: str | None = None) -> Optimizer:
    """Read an optimizer: ``"adamw(lr=0.01, weight_decay=0)"``, ``"optax:lion(b1=0.9)"``.

    Args:
      given: a name, with the hyperparameters that differ from the default in parentheses; an
        ``Optimizer``, returned as it is; or an object: an ``optax.GradientTransformation``, or a
        class or function that makes a ``torch.optim.Optimizer`` from parameters.
      name: for an object, what to call it in tables; its own name if None.

    Returns:
      The optimizer, every hyperparameter filled in.

    Raises:
      InputError: an unknown name or hyperparameter, a value out of range, several values, or
        something else than an optimizer.

    Example:
      >>> str(optimizer("adamw(lr=0.05, weight_decay=0)"))
      'adamw(weight_decay=0)'
    """
    if isinstance(given, str):
        _no_name(given, name)
        return only("optimizer", given, _from_text(given))
    return _from_object(given, name)


def optimizers(given: Any) -> tuple[Optimizer, ...]:
    """Read optimizers: a text with several values for a setting stands for every combination.

    Args:
      given: what ``optimizer`` takes, where a text may be a sweep; or several of these.

    Returns:
      At least one optimizer, in the order given, each once.

    Raises:
      InputError: see ``optimizer``; or two objects have the same name.

    Example:
      >>> [str(by) for by in optimizers("sgd(lr=1e-3..0.1:log:3)")]
      ['sgd(lr=0.001)', 'sgd(lr=0.01)', 'sgd(lr=0.1)']
    """
    if isinstance(given, str | Optimizer) or is_object(given):
        several: tuple[Any, ...] = (given,)
    else:
        try:
            several = tuple(given)
        except TypeError:
            several = ()
    if not several:
        raise InputError(
            "optimizers: expected a name such as 'adam', or a list of at least one, "
            f"got {described(given)}"
        )
    found = dict.fromkeys(
        by
        for one in several
        for by in (_from_text(one) if isinstance(one, str) else (_from_object(one, None),))
    )
    texts = [str(by) for by in found]
    if len(set(texts)) < len(texts):
        twice = next(text for text in texts if texts.count(text) > 1)
        raise InputError(
            f"optimizers: two different objects are called '{twice}': "
            "give each a name of its own, optimizer(…, name='mine')"
        )
    return tuple(found)


def _from_text(text: str) -> tuple[Optimizer, ...]:
    name, choices = sweep("optimizer", text, _EXAMPLE, lambda name: own_record(name).settings)
    return tuple(dict.fromkeys(Optimizer(name, tuple(one.items())) for one in choices))


def _from_object(given: Any, name: str | None) -> Optimizer:
    if isinstance(given, Optimizer):
        _no_name(given, name)
        return given
    if isinstance(given, type) or not (hasattr(given, "step") and hasattr(given, "zero_grad")):
        if is_object(given):
            return Optimizer(object_name(given, name), (), given)
        raise InputError(
            f"optimizer: expected a text such as '{_EXAMPLE}', an optax transformation, or a class "
            f"or function that makes a torch optimizer, got {described(given)}"
        )
    raise InputError(
        "optimizer: expected what makes a torch optimizer, such as torch.optim.Adam or "
        "functools.partial(torch.optim.Adam, lr=0.01), got one that was made already for some "
        f"parameters: {described(given)}"
    )


def _no_name(given: object, name: str | None) -> None:
    if name is not None:
        raise InputError(f"optimizer '{given}' has a name of its own, got name={name!r} besides")
