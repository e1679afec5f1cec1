"""A list of gates with what theory says of each, as a sheet."""

from __future__ import annotations

from collections.abc import Sequence

from attnlogic.problems import gate
from attnlogic.theory import GateTheory
from attnlogic.view import numbers
from attnlogic.view.sheet import Heading, Sheet
from attnlogic.view.theory_in_words import number, title_rows


def gates_sheet(found: Sequence[GateTheory]) -> Sheet:
    """One line a gate; the column of the least losses is left out where all are 0.

    Args:
      found: what ``theory.gates_theory`` gives of gates with one number of inputs.
    """
    solvable = sum(one.solvable for one in found)
    every, losses = solvable == len(found), [one.least_loss for one in found]
    titles = ["gate", title_rows(gate(found[0].bits).n), "exact C", "least loss", "other names"]
    headings = tuple(
        Heading(title, text=True) for title in titles if not every or title != "least loss"
    )
    rows = [
        [one.name, one.bits, _exact_C(one), *([] if every else [number(loss)]), _others(one)]
        for one, loss in zip(found, losses, strict=True)
    ]
    if every:
        return Sheet(headings, rows)
    note = f"{solvable:,} of {len(found):,} gates have an exact solution."
    if any(isinstance(loss, list) for loss in losses):
        note += " A least loss that ends in … is no fraction: --format json has its bounds."
    return Sheet(headings, rows, note)


def _exact_C(one: GateTheory) -> str:  # noqa: N802
    if one.C is not None:
        return numbers.minus(str(one.C))
    return "any" if one.solvable else numbers.NOTHING


def _others(one: GateTheory) -> str:
    return ", ".join(gate(one.bits).aliases)
