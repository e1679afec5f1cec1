"""What decides the rows of a condition, as a digest: equal digests mean equal rows."""

from __future__ import annotations

import functools
import inspect
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from attnlogic.optimizers import Optimizer
from attnlogic.problems import AnyModel, Data, Model
from attnlogic.results import Own, digest
from attnlogic.studies.keeping import ROWS, Keeping
from attnlogic.studies.study import Condition


def digests(
    conditions: Sequence[Condition], own: Sequence[Own], backend: str, kept: Keeping = ROWS
) -> list[str]:
    """The digest of each condition.

    Args:
      conditions: the conditions of a study.
      own: of each the columns of its model's own that are kept.
      backend: the name of the backend that trains them.
      kept: what is kept of each run.
    """
    met: Counter[str] = Counter()
    found = []
    for condition, columns in zip(conditions, own, strict=True):
        what = _decides(condition, columns) | {"backend": backend} | kept.said
        text = digest(what)
        met[text] += 1  # two models of a user's own may have one name and one text
        found.append(text if met[text] == 1 else digest({**what, "again": met[text]}))
    return found


def _decides(condition: Condition, own: Own) -> dict[str, Any]:
    training = condition.training
    problem, by = training.problem, training.optimizer
    return {
        "gate": problem.data.name,
        "encoding": problem.data.encoding,
        "rows": _digest_of_rows(problem.data),
        "model": problem.model.name,
        "optimizer": by.name,
        "hyperparameters": {name: repr(value) for name, value in by.hyperparameters},
        "epochs": training.epochs,
        "init": str(condition.init),
        "threshold": training.threshold,
        "precision": training.precision,
        "until": training.until,
        "quantities": [*own.quantities],
        "parameters": [*own.parameters],
        "code": code(problem.model, by),
    }


@functools.lru_cache(1024)
def _digest_of_rows(data: Data) -> str:
    return digest([data.inputs, data.targets])


@functools.lru_cache(1024)
def code(model: AnyModel, by: Optimizer) -> str | None:
    """The digest of the source text of a user's own model and optimizer; None without any.

    What that text calls is not looked at.
    """
    functions: list[Any] = []
    if not isinstance(model, Model):
        functions += [getattr(model, name, None) for name in ("init", "construct", "loss")]
    elif not model.family:
        functions += [model.tensors, model.predict, model.unpack, *(q.of for q in model.quantities)]
    if by.of is not None:
        functions += [getattr(by.of, name, None) for name in ("init", "update")]
        functions += [by.of]
    texts = [_source(one) for one in functions if one is not None]
    return digest(texts) if texts else None


def _source(function: Callable[..., Any] | Any) -> str:
    """The source text of a function or class; its name where there is no text."""
    if isinstance(function, functools.partial):
        given = [*function.args, *sorted(function.keywords.items())]
        return f"{_source(function.func)} {_without_addresses(given)}"
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return str(getattr(function, "__qualname__", type(function).__qualname__))


def _without_addresses(values: Sequence[Any]) -> str:
    return "".join(text for value in values if " at 0x" not in (text := repr(value)))
