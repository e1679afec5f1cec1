"""Names of gates that mean a truth table for every number of inputs: ``parity3``, ``parity4``, …

Most depend on the number k of inputs that are 1 alone. Where two names mean one truth table, the
first of ``family_names`` is the gate's name and the others are its aliases.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import product

from attnlogic.errors import InputError

MAX_INPUTS = 5
"""The most inputs that a gate may have; the fewest are two."""

_SIZES = range(2, MAX_INPUTS + 1)

_Rule = Callable[[int, int], bool]
"""Whether the gate is 1 where k of its n inputs are 1."""

_RULES: dict[str, _Rule] = {
    "false": lambda k, n: False,
    "true": lambda k, n: True,
    "and": lambda k, n: k == n,
    "or": lambda k, n: k > 0,
    "nand": lambda k, n: k < n,
    "nor": lambda k, n: k == 0,
    "parity": lambda k, n: k % 2 == 1,
    "not_parity": lambda k, n: k % 2 == 0,
    "majority": lambda k, n: 2 * k > n,
    "minority": lambda k, n: 2 * k < n,
    "all_equal": lambda k, n: k in (0, n),
    "not_all_equal": lambda k, n: 0 < k < n,
}

_ALIASES = {
    "xor": "parity",
    "odd": "parity",
    "xnor": "not_parity",
    "not_xor": "not_parity",
    "even": "not_parity",
    "not_majority": "minority",
    "equal": "all_equal",
    "one_hot": "exactly_one",
}
"""Other names of a family: alias -> family."""

_ODD = ("majority", "minority", "not_majority")
"""Families that have no meaning for an even number of inputs."""

_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4}

_COUNTS: dict[str, Callable[[int, int], bool]] = {
    "exactly": lambda k, count: k == count,
    "at_least": lambda k, count: k >= count,
    "at_most": lambda k, count: k <= count,
}
"""``exactly_one3``, ``at_least_two4``, ``at_most_one5``: whether k inputs are that many."""


@lru_cache
def family_names(n: int) -> tuple[str, ...]:
    """The families that have a gate of n inputs, without the number: ``parity``, ``x1_of``, …"""
    counts = [f"{how}_{word}" for word, i in _NUMBERS.items() if i < n for how in _COUNTS]
    tokens = [f"{sign}x{i}_of" for sign in ("", "not_") for i in range(1, n + 1)]
    known = [*_RULES, *counts, *tokens, *_ALIASES]
    return tuple(name for name in known if n % 2 or name not in _ODD)


def truth_table(family: str, n: int) -> str | None:
    """The bits of a family's gate of n inputs: 2ⁿ, rows in the order 00…0, 00…1, ….

    Returns:
      The bits; None where there is no such family.

    Raises:
      InputError: the family has no gate of n inputs.

    Example:
      >>> truth_table("exactly_one", 3)
      '01101000'
    """
    if family not in {name for size in _SIZES for name in family_names(size)}:
        return None
    if n not in _SIZES:
        raise InputError(
            f"gate '{family}{n or ''}': expected a number of inputs from 2 to {MAX_INPUTS} at the "
            f"end, such as {family}{3 if family in family_names(3) else MAX_INPUTS}"
        )
    if family in _ODD and n % 2 == 0:
        raise InputError(
            f"gate '{family}{n}': {n} inputs can be half 0 and half 1: expected an odd number of "
            f"inputs, {family}3 or {family}5"
        )
    if family not in family_names(n):
        raise InputError(f"gate '{family}{n}': {n} inputs are too few for it")
    return "".join(str(int(_value(family, x))) for x in product((0, 1), repeat=n))


def _value(family: str, x: tuple[int, ...]) -> bool:
    family = _ALIASES.get(family, family)
    if family in _RULES:
        return _RULES[family](sum(x), len(x))
    if family.endswith("_of"):
        token = x[int(family.removesuffix("_of")[-1]) - 1]
        return not token if family.startswith("not_") else bool(token)
    how, word = family.rsplit("_", 1)
    return _COUNTS[how](sum(x), _NUMBERS[word])
