"""The whole theory of one gate as one object: what ``attnlogic theory`` prints.

Exact numbers are strings that ``Fraction`` reads: ``"-1/2"``; an infinite C is ``"inf"`` or
``"-inf"``; polynomials are strings that SymPy reads. A number that is free or does not exist is
None. The effect of weight decay is no fraction: its numbers are floats.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Any

from attnlogic import optimizers
from attnlogic.errors import InputError
from attnlogic.optimizers import Optimizer
from attnlogic.problems import Gate, gates, neuron
from attnlogic.theory import formulas
from attnlogic.theory.critical_points import Point, points
from attnlogic.theory.decay import ShiftedSolution, edge_of_stability, fixed_point
from attnlogic.theory.exact_solutions import Solution, solutions
from attnlogic.theory.least_loss import V, landscape

DECAYING = ("adam(weight_decay=0.01)", "adamw")
"""The optimizers whose weight decay is shown when none are given."""


def theory_of(gate: str | Gate, decaying: Sequence[str | Optimizer] = DECAYING) -> dict[str, Any]:
    """The theory of a gate: everything that is known before a run is trained.

    Args:
      gate: a gate, its name or its bit string.
      decaying: optimizers with weight decay.

    Returns:
      A dict for JSON: ``gate``, ``targets``;
      ``model``: the output with symbols, ``general`` and ``on_bits``;
      ``solutions``: for each family ``C w1 w2 w_sum b``, ``free`` directions of the six, the
      ``signs`` that wq, wk, wv may have, the output there (``general``, ``on_bits``);
      ``V``: the least loss at each C: its ``expression`` for every C but -1, its ``zero``, its
      ``maximum`` (C and V), the ``limit`` for C → ±∞, the infinity on whose side V
      ``falls_towards`` it, and ``at_minus_1`` V itself and its limit beside it;
      ``points``: the fields of ``critical_points.Point``;
      ``decay``: the fields of ``decay.ShiftedSolution``, the optimizer, and ``where``: ``at rest``
      (``decay.fixed_point``) or ``as it runs`` (``decay.edge_of_stability``); the numbers are None
      where the decay leaves no point near the solution.

    Raises:
      InputError: an unknown gate or optimizer, or one without weight decay.

    Example:
      >>> theory_of("xor", decaying=[])["V"]["zero"]
      '-1/2'
    """
    gate = gates.gate(gate)
    shape = landscape(gate)
    top = None if shape.maximum is None else V(gate, shape.maximum)
    return {
        "gate": gate.name,
        "targets": gate.bits,
        "model": _texts(formulas.output_formula()),
        "solutions": [_solution(s) for s in solutions(gate)],
        "V": {
            "expression": str(formulas.least_loss_formula(gate)),
            "zero": _exact(shape.zero),
            "maximum": {"C": _exact(shape.maximum), "V": _exact(top)},
            "limit": _exact(shape.limit),
            "falls_towards": _exact(shape.falls_towards),
            "at_minus_1": {"V": _exact(shape.at_minus_1), "limit": _exact(shape.beside_minus_1)},
        },
        "points": [_point(p) for p in points(gate)],
        "decay": [row for o in decaying for row in _decay(gate, optimizers.optimizer(o))],
    }


def _solution(solution: Solution) -> dict[str, Any]:
    w1, w2 = solution.w or (None, None)
    return {
        "C": _exact(solution.C),
        "w1": _exact(w1),
        "w2": _exact(w2),
        "w_sum": _exact(solution.w_sum),
        "b": _exact(solution.b),
        "free": solution.free,
        "signs": list(solution.signs),
        "output": _texts(formulas.solution_formula(solution)),
    }


def _point(point: Point) -> dict[str, Any]:
    w1, w2, b = point.readout or (None, None, None)
    return {
        "name": point.name,
        "loss": _exact(point.loss),
        "C": _exact(point.C),
        "w1": _exact(w1),
        "w2": _exact(w2),
        "b": _exact(b),
        "kind": point.kind,
        "note": point.note,
    }


def _decay(gate: Gate, optimizer: Optimizer) -> list[dict[str, Any]]:
    found = {"at rest": fixed_point(gate, optimizer)}
    with suppress(InputError):  # the estimate is for AdamW
        found["as it runs"] = edge_of_stability(gate, optimizer)
    return [
        {"optimizer": str(optimizer), "where": where} | _shifted(point)
        for where, point in found.items()
    ]


def _shifted(point: ShiftedSolution | None) -> dict[str, Any]:
    if point is None:
        return dict.fromkeys(ShiftedSolution._fields)
    named = {
        "params": dict(zip(neuron.NAMES, neuron.pack(point.params), strict=True)),
        "strength": dict(zip(neuron.NAMES, point.strength, strict=True)),
    }
    return point._asdict() | named


def _texts(output: formulas.Expansion) -> dict[str, str]:
    return {name: str(value) for name, value in output._asdict().items()}


def _exact(value: Fraction | float | None) -> str | None:
    return None if value is None else str(value)
