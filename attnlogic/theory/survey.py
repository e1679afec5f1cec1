"""The theory of many gates, a line each: which can be solved, with which C, and how well others.

Gates that differ by swapping inputs or negating the output have the same V(C); it is computed once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from attnlogic.problems import Gate
from attnlogic.theory.exact_text import bracket_text
from attnlogic.theory.form import NOTEBOOK, Form
from attnlogic.theory.least_loss import landscape


class GateTheory(NamedTuple):
    """What is known of a gate, for JSON.

    Attributes:
      name, bits: the gate's.
      solvable: whether some parameters solve it exactly.
      C: the C with which they do, as a string that ``Fraction`` reads (it is always a fraction);
        None where any C will do, and where there is no solution.
      least_loss: the least loss over all parameters: such a string, or, where it is no fraction, a
        list of two decimal numbers as strings between which it is proved to lie.
    """

    name: str
    bits: str
    solvable: bool
    C: str | None
    least_loss: str | list[str]


def gates_theory(gates: Iterable[Gate], form: Form = NOTEBOOK) -> Iterator[GateTheory]:
    """The theory of each gate, in the order in which they come.

    Example:
      >>> from attnlogic.problems import gate
      >>> [(g.name, g.C, g.least_loss) for g in gates_theory([gate("xor"), gate("and3")])]
      [('xor', '-1/2', '0'), ('and3', None, '1/64')]
    """
    for gate in gates:
        shape = landscape(gate, form)
        C = None if shape.zero is None else str(shape.zero)
        yield GateTheory(gate.name, gate.bits, shape.solvable, C, bracket_text(shape.least))
