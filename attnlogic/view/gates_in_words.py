"""A list of gates with what theory says of each, as a sheet."""

from __future__ import annotations

from collections.abc import Sequence

from attnlogic.problems import gate
from attnlogic.theory import GateTheory
from attnlogic.view import numbers
from attnlogic.view.sheet import Heading, Sheet
from attnlogic.view.theory_in_words import number, title_rows


def gates_sheet(found: Sequence[GateTheory], notebook: bool) -> Sheet:
    """One line a gate.

    Args:
      found: what ``theory.gates_theory`` gives of gates with one number of inputs.
      notebook: whether the model is the notebook's, which solves all two-bit gates: the least loss
        is then left out for those.
    """
    n = gate(found[0].bits).n
    titles = ["gate", title_rows(n), "exact C", "least loss", "other names"]
    rows = [
        [
            one.name,
            one.bits,
            numbers.minus(str(one.C)) if one.C else "any" if one.solvable else numbers.NOTHING,
            number(one.least_loss or ""),
            ", ".join(gate(one.bits).aliases),
        ]
        for one in found
    ]
    if n == 2 and notebook:
        titles.pop(3)
        for row in rows:
            row.pop(3)
        return Sheet(tuple(Heading(title, text=True) for title in titles), rows)
    count = sum(one.solvable for one in found)
    note = f"{count:,} of {len(found):,} gates have an exact solution."
    return Sheet(tuple(Heading(title, text=True) for title in titles), rows, note)
