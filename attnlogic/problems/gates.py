"""Truth tables of two to five bits: their names, and their rows.

Rows stand in the order 00…0, 00…1, …, 11…1, so the bit string ``0110`` is XOR. The sixteen two-bit
gates have names of their own. Of three bits and more, the usual families have names that end in the
number of inputs (``parity3``, see ``gate_families``); any other gate is called by its bit string.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from attnlogic.errors import InputError, described, unknown
from attnlogic.problems.gate_families import MAX_INPUTS, family_names, truth_table

MAX_LISTED_INPUTS = 4
"""The most inputs of which ``all_gates`` lists all gates: of five there are 2³² = 4,294,967,296."""


@lru_cache
def rows(n: int) -> tuple[tuple[int, ...], ...]:
    """The inputs of a gate of n bits, row by row: shape (2ⁿ, n).

    Example:
      >>> rows(2)
      ((0, 0), (0, 1), (1, 0), (1, 1))
    """
    return tuple(product((0, 1), repeat=n))


ROWS: tuple[tuple[int, int], ...] = ((0, 0), (0, 1), (1, 0), (1, 1))
"""The inputs of a two-bit gate, row by row; a target string has one bit for each."""

# Name: targets, and the other usual names ("a" and "b" are how logic texts write x1 and x2).
_NAMES: dict[str, tuple[str, tuple[str, ...]]] = {
    "false": ("0000", ("contradiction", "constant_0", "zero")),
    "and": ("0001", ("conjunction",)),
    "inhibition": ("0010", ("x1_and_not_x2", "nonimplication", "nimplies", "inhibits")),
    "x1": ("0011", ("a", "projection_1", "left")),
    "converse_inhibition": ("0100", ("not_x1_and_x2", "converse_nonimplication")),
    "x2": ("0101", ("b", "projection_2", "right")),
    "xor": ("0110", ("exclusive_or", "parity")),
    "or": ("0111", ("disjunction",)),
    "nor": ("1000", ("not_or",)),
    "xnor": ("1001", ("equivalence", "iff", "equal", "not_xor")),
    "not_x2": ("1010", ("not_b",)),
    "converse_implication": ("1011", ("x1_or_not_x2", "converse", "implied_by")),
    "not_x1": ("1100", ("not_a",)),
    "implication": ("1101", ("not_x1_or_x2", "implies")),
    "nand": ("1110", ("not_and",)),
    "true": ("1111", ("tautology", "constant_1", "one")),
}


class Gate(NamedTuple):
    """A truth table.

    Attributes:
      name: the gate's usual name, in lower case; its bit string where it has none.
      targets: one bit (an int, 0 or 1) for each row.
      aliases: other names under which ``gate`` finds it.
    """

    name: str
    targets: tuple[int, ...]
    aliases: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """The number of inputs: 2 to 5."""
        return len(self.targets).bit_length() - 1

    @property
    def rows(self) -> tuple[tuple[int, ...], ...]:
        """The inputs, row by row: shape (2ⁿ, n), bits."""
        return rows(self.n)

    @property
    def bits(self) -> str:
        """The targets as a string, rows in the order 00…0, 00…1, …: ``"0110"`` for XOR."""
        return "".join(map(str, self.targets))

    def __str__(self) -> str:
        return self.name


GATES: tuple[Gate, ...] = tuple(
    Gate(name, tuple(map(int, bits)), aliases) for name, (bits, aliases) in _NAMES.items()
)
"""All sixteen two-bit gates, in the order of their bit strings."""

_BY_NAME = {key: gate for gate in GATES for key in (gate.name, gate.bits, *gate.aliases)}


def gate(name: str | Gate) -> Gate:
    """The gate with this name, whatever its case, or with these target bits.

    Args:
      name: ``"xor"``, ``"NAND"``, ``"not-x1"``, ``"majority3"``, ``"x1_of3"``; a bit string of 4,
        8, 16 or 32 bits; or a ``Gate``, found by its targets.

    Raises:
      InputError: no gate has that name.

    Example:
      >>> from attnlogic.problems import gate
      >>> gate("XOR").bits, gate("majority3").bits, gate("10010110").name
      ('0110', '00010111', 'not_parity3')
    """
    if isinstance(name, Gate):
        name = name.bits  # a Gate of the caller's own is the one with the same targets
    if not isinstance(name, str):
        raise InputError(
            f"gate: expected a name or a bit string such as '0110', got {described(name)}: "
            "put it in quotes"
        )
    key = name.strip().casefold().replace("-", "_").replace(" ", "_")
    if key in _BY_NAME:
        return _BY_NAME[key]
    if key and set(key) <= {"0", "1"}:
        return _of_bits(key)
    stem = key.rstrip("0123456789")
    size = key.removeprefix(stem)
    n = int(size) if 0 < len(size) < 3 else 0
    found = truth_table(stem.removesuffix("_"), n)
    if found is not None:
        return _of_bits(found)
    if size:
        size = str(n if 2 < n <= MAX_INPUTS else 3)
        known = [f"{family}{size}" for family in family_names(int(size))]
        also = "; two-bit gates without a number, or a bit string such as 0110"
    else:
        known = [g.name for g in GATES]
        also = f"; of 3 to {MAX_INPUTS} inputs parity3, majority3, …; or a bit string such as 0110"
    raise unknown("gate", name, known, also)


def all_gates(n: int) -> Iterator[Gate]:
    """All 2^(2ⁿ) gates of n inputs, one after the other in the order of their bit strings.

    Args:
      n: 2, 3 or 4; of five inputs there are too many.

    Raises:
      InputError: n is another number.

    Example:
      >>> [gate.name for gate in all_gates(3)][21:24]
      ['00010101', 'exactly_two3', 'majority3']
    """
    if n not in range(2, MAX_LISTED_INPUTS + 1):
        raise InputError(
            f"all gates of n bits: expected n from 2 to {MAX_LISTED_INPUTS}, got {described(n)}; "
            f"of 5 bits there are 4,294,967,296: name those that you mean, such as parity5"
        )
    return (_of_bits(f"{i:0{2**n}b}") for i in range(2**2**n))


def gates_of(what: str | Gate) -> tuple[Gate, ...]:
    """The gate of a name, as ``gate``; or all of n inputs: ``"all2"``, ``"all3"``, ``"all4"``.

    Raises:
      InputError: see ``gate`` and ``all_gates``.

    Example:
      >>> len(gates_of("all3")), [str(one) for one in gates_of("XOR")]
      (256, ['xor'])
    """
    every = re.fullmatch(r"all(\d+)", what.strip().casefold()) if isinstance(what, str) else None
    return (gate(what),) if every is None else tuple(all_gates(int(every[1])))


def _of_bits(bits: str) -> Gate:
    lengths = [2**n for n in range(2, MAX_INPUTS + 1)]
    if len(bits) not in lengths:
        raise InputError(
            f"bit string '{bits}' has {len(bits)} bits: a two-bit gate has 4, one for each of the "
            "rows 00 01 10 11; gates of 3, 4 and 5 bits have 8, 16 and 32"
        )
    found = _named(len(bits).bit_length() - 1).get(bits)
    return found or Gate(bits, tuple(map(int, bits)))


@lru_cache
def _named(n: int) -> dict[str, Gate]:
    """The gates of n inputs that have a name, by their bits."""
    if n == 2:
        return {gate.bits: gate for gate in GATES}
    names: dict[str, list[str]] = {}
    for family in family_names(n):
        bits = truth_table(family, n)
        if bits is not None:
            names.setdefault(bits, []).append(f"{family}{n}")
    return {
        bits: Gate(first, tuple(map(int, bits)), tuple(others))
        for bits, (first, *others) in names.items()
    }
