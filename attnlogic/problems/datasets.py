"""What is fitted: the rows of a gate, or those of a file."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from attnlogic.errors import InputError, described, unknown
from attnlogic.problems.gates import Gate, gate
from attnlogic.words import counted

ENCODINGS = ("01", "pm1")
"""What stands for false and true in the inputs of a gate: 0 and 1, or −1 and +1."""

MAX_ROWS, MAX_INPUTS = 10_000, 32
"""The most that a file may have: everything is done for every row, at every epoch."""


@dataclass(frozen=True, repr=False)
class Data:
    """Rows of inputs, each with its target.

    Attributes:
      name: the gate's name, or the file's.
      inputs: one tuple of numbers a row, all of one length.
      targets: one number a row.
      gate: the gate whose rows they are; None for rows of a file.
      encoding: one of ``ENCODINGS``.
    """

    name: str
    inputs: tuple[tuple[float, ...], ...]
    targets: tuple[float, ...]
    gate: Gate | None = None
    encoding: str = "01"

    @property
    def n(self) -> int:
        """How many inputs a row has."""
        return len(self.inputs[0]) if self.inputs else 0

    def __repr__(self) -> str:
        return f"<data {self}: {counted(len(self.targets), 'row')} of {counted(self.n, 'input')}>"

    def __str__(self) -> str:
        return self.name if self.encoding == "01" else f"{self.name} {self.encoding}"


NO_DATA = Data("none", (), (), encoding="none")
"""What a loss is fitted to that is of its parameters alone."""


def data(what: str | Gate | Data, encoding: str = "01") -> Data:
    """The rows of a gate; the targets are its bits in either encoding.

    Args:
      what: a gate, its name or bit string; or ``Data``, returned as it is.
      encoding: ``"01"``, or ``"pm1"`` for inputs in {−1, +1}.

    Raises:
      InputError: no such gate or encoding.

    Example:
      >>> data("xor", "pm1").inputs
      ((-1, -1), (-1, 1), (1, -1), (1, 1))
    """
    if isinstance(what, Data):
        return what
    if encoding not in ENCODINGS:
        raise unknown("encoding", encoding, ENCODINGS)
    found = gate(what)
    inputs = found.rows
    if encoding == "pm1":
        inputs = tuple(tuple(2 * bit - 1 for bit in row) for row in inputs)
    return Data(found.name, inputs, found.targets, found, encoding)


def read_data(path: str | PathLike[str]) -> Data:
    """The rows of a CSV file with the columns x1 … xn, y: real numbers.

    Raises:
      InputError: the file cannot be read, or is not of that form; it names row and column.
    """
    file = Path(path)
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            rows = [(reader.line_num, row) for reader in [csv.reader(lines)] for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot read '{path}': {reason}") from error
    rows = [(line, row) for line, row in rows if any(cell.strip() for cell in row)]
    if not rows:
        raise InputError(f"'{path}' is empty: expected columns x1 … xn, y and a row for each case")
    header = [cell.strip() for cell in rows[0][1]]
    n = len(header) - 1
    if not 1 <= n <= MAX_INPUTS or header != [*(f"x{i + 1}" for i in range(n)), "y"]:
        raise InputError(
            f"'{path}': expected a first line such as x1,x2,y (up to {MAX_INPUTS} inputs, then "
            f"the target), got {','.join(header)}"
        )
    if not 1 <= len(rows) - 1 <= MAX_ROWS:
        raise InputError(f"'{path}': expected 1 to {MAX_ROWS:,} rows, got {len(rows) - 1:,}")
    numbers = [_numbers(path, line, header, row) for line, row in rows[1:]]
    inputs = tuple(row[:-1] for row in numbers)
    return Data(file.name, inputs, tuple(row[-1] for row in numbers), encoding="real")


def _numbers(
    path: str | PathLike[str], line: int, header: list[str], row: list[str]
) -> tuple[float, ...]:
    if len(row) != len(header):
        raise InputError(
            f"'{path}', line {line}: expected {len(header)} values "
            f"({', '.join(header)}), got {len(row)}"
        )
    found = []
    for column, cell in zip(header, row, strict=True):
        try:
            number = float(cell)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise InputError(
                f"'{path}', line {line}, column {column}: expected a finite number, "
                f"got {described(cell)}"
            )
        found.append(number)
    return tuple(found)
