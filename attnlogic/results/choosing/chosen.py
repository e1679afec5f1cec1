"""Conditions chosen by the names that tables have of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from attnlogic.errors import InputError, described, unknown
from attnlogic.optimizers import optimizer
from attnlogic.problems import gate, model

_READ: dict[str, Callable[[str], object]] = {
    "gate": lambda text: gate(text).name,
    "optimizer": optimizer,
    "model": lambda text: model(text).name,
}
"""What makes of a text the one that a table has."""

Choices = Mapping[str, Sequence[str]]
"""The column (``"gate"``, ``"optimizer"``, ``"model"``) -> texts, any of which will do."""


def choices(**given: str | Sequence[str] | None) -> Choices:
    """Choices as they are kept: without the columns of which nothing is asked.

    Args:
      given: a text or several of a column; none of them, or None, asks nothing of it.

    Raises:
      InputError: something is no text.
    """
    found = {}
    for name, asked in given.items():
        if asked is None:
            continue
        texts = tuple(asked) if isinstance(asked, list | tuple) else (asked,)
        wrong = [text for text in texts if not isinstance(text, str)]
        if wrong:
            raise InputError(
                f"{name}: expected a name or a list of some, got {described(wrong[0])}"
            )
        found[name] = texts
    return {name: texts for name, texts in found.items() if texts}


def check(asked: Choices, keys: Iterable[Mapping[str, Any]]) -> None:
    """Raise ``InputError`` for a text that none of the conditions has; it names those there are."""
    there = [*keys]
    for column, texts in asked.items():
        values = [*dict.fromkeys(str(key[column]) for key in there)]
        for text in texts:
            if not any(_means(column, text, value) for value in values):
                raise unknown(f"{column} of these runs", text, values)


def is_chosen(asked: Choices, key: Mapping[str, Any]) -> bool:
    """Whether a condition is asked for: of each column one of the texts fits.

    Args:
      asked: a name alone (``adamw``) fits whatever its settings, with parentheses (``adamw()``,
        ``adamw(lr=0.01)``) only those.
      key: the condition's values of the columns ``CONDITION``.

    Example:
      >>> key = {"gate": "xor", "optimizer": "adamw(lr=0.01)", "model": "attention"}
      >>> [is_chosen({"optimizer": [text]}, key) for text in ("adamw", "adamw()", "adamw(lr=1e-2)")]
      [True, False, True]
      >>> is_chosen({"gate": ["0110"], "optimizer": ["adamw"]}, key)
      True
    """
    return all(
        any(_means(column, text, str(key[column])) for text in texts)
        for column, texts in asked.items()
    )


def _means(column: str, text: str, value: str) -> bool:
    if text == value or text.casefold() == value.partition("(")[0].casefold():
        return True
    if ":" in text:  # another package's, which is not imported to read results
        return False
    try:  # the same, written in another way
        return str(_READ[column](text)) == value
    except InputError:
        return False
