"""Truth tables: the sixteen two-bit gates, their names, and their rows.

Rows stand in the order (x1, x2) = 00, 01, 10, 11, so the bit string ``0110`` is XOR.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from attnlogic.errors import InputError, described, unknown

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
      name: the gate's usual name, in lower case.
      targets: one bit (an int, 0 or 1) for each row of ``ROWS``.
      aliases: other names under which ``gate`` finds it.
    """

    name: str
    targets: tuple[int, ...]
    aliases: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """How many inputs it has."""
        return len(self.targets).bit_length() - 1

    @property
    def rows(self) -> tuple[tuple[int, ...], ...]:
        """The inputs, row by row: 00, 01, 10, 11 for two of them."""
        return tuple(product((0, 1), repeat=self.n))

    @property
    def bits(self) -> str:
        """The targets as a string, rows in the order 00 01 10 11: ``"0110"`` for XOR."""
        return "".join(map(str, self.targets))

    def __str__(self) -> str:
        return self.name


GATES: tuple[Gate, ...] = tuple(
    Gate(name, tuple(map(int, bits)), aliases) for name, (bits, aliases) in _NAMES.items()
)
"""All sixteen two-bit gates, in the order of their bit strings."""

_BY_NAME = {key: gate for gate in GATES for key in (gate.name, gate.bits, *gate.aliases)}


def gate(name: str | Gate) -> Gate:
    """The gate with this name, whatever its case, or with these four target bits.

    Args:
      name: ``"xor"``, ``"NAND"``, ``"not-x1"``, ``"0110"``, or a ``Gate``, found by its targets.

    Raises:
      InputError: no gate has that name.

    Example:
      >>> from attnlogic.problems import gate
      >>> gate("XOR").bits
      '0110'
    """
    if isinstance(name, Gate):
        name = name.bits  # a Gate of the caller's own is the one of GATES with the same targets
    if not isinstance(name, str):
        raise InputError(
            f"gate: expected a name or a bit string such as '0110', got {described(name)}: "
            "put it in quotes"
        )
    found = _BY_NAME.get(name.strip().casefold().replace("-", "_").replace(" ", "_"))
    if found is not None:
        return found
    if name and set(name) <= {"0", "1"}:
        raise InputError(
            f"bit string '{name}' has {len(name)} bits: a two-bit gate has 4, "
            "one for each of the rows 00 01 10 11"
        )
    raise unknown("gate", name, (g.name for g in GATES), ", or a bit string such as 0110")
