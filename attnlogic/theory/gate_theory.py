"""All that the theory says of one gate, as one object: what ``attnlogic theory`` prints.

Exact numbers are strings that ``Fraction`` reads: ``"-1/2"``; an infinite C is ``"inf"`` or
``"-inf"``; polynomials are strings that SymPy reads. What is free, or does not exist, is None.
Only the effect of weight decay, which no fraction can tell, is in floats.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Any

from attnlogic import optimizers
from attnlogic.errors import InputError
from attnlogic.optimizers import Optimizer
from attnlogic.problems import Gate, gates, model
from attnlogic.theory import decay
from attnlogic.theory import exact_solutions as theory
from attnlogic.theory import formulas as expansion

OPTIMIZERS = ("adam(weight_decay=0.01)", "adamw")
"""The optimizers whose weight decay is looked at when none is asked for."""


def exposition(
    gate: str | Gate, decaying: Sequence[str | Optimizer] = OPTIMIZERS
) -> dict[str, Any]:
    """What there is to know of a gate before anything is trained.

    Args:
      gate: a gate, its name or its bit string.
      decaying: optimizers with weight decay.

    Returns:
      A dict for JSON: ``gate``, ``targets``;
      ``model``: the output with symbols, ``general`` and ``on_bits``;
      ``solutions``: for each family ``C w1 w2 w_sum b``, ``free`` directions of the six, the
      ``signs`` that wq, wk, wv may have, the output there (``general``, ``on_bits``);
      ``V``: the least loss at each C, as the ``expression`` that holds but at C = -1, its ``zero``,
      its ``maximum`` (C and V), the ``limit`` for C → ±∞, the infinity that V ``falls_towards``,
      and ``at_minus_1`` V there and its limit beside it;
      ``points``: see ``theory.points``;
      ``decay``: see ``decay.Rest``, with the optimizer and ``where``: ``at rest`` or
      ``as it runs``; its numbers are None where the decay leaves no point near the solution.

    Raises:
      InputError: an unknown gate or optimizer, or one without weight decay.
    """
    gate = gates.gate(gate)
    shape = theory.landscape(gate)
    top = None if shape.maximum is None else theory.V(gate, shape.maximum)
    return {
        "gate": gate.name,
        "targets": gate.bits,
        "model": _texts(expansion.symbolic()),
        "solutions": [_solution(s) for s in theory.solutions(gate)],
        "V": {
            "expression": str(expansion.least_loss(gate)),
            "zero": _exact(shape.zero),
            "maximum": {"C": _exact(shape.maximum), "V": _exact(top)},
            "limit": _exact(shape.limit),
            "falls_towards": _exact(shape.falls_towards),
            "at_minus_1": {"V": _exact(shape.at), "limit": _exact(shape.beside)},
        },
        "points": [_point(p) for p in theory.points(gate)],
        "decay": [row for o in decaying for row in _decay(gate, optimizers.optimizer(o))],
    }


def _solution(solution: theory.Solution) -> dict[str, Any]:
    w1, w2 = solution.w or (None, None)
    return {
        "C": _exact(solution.C),
        "w1": _exact(w1),
        "w2": _exact(w2),
        "w_sum": _exact(solution.w_sum),
        "b": _exact(solution.b),
        "free": solution.free,
        "signs": list(solution.signs),
        "output": _texts(expansion.exact(solution)),
    }


def _point(point: theory.Point) -> dict[str, Any]:
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
    found = {"at rest": decay.at_rest(gate, optimizer)}
    with suppress(InputError):  # the estimate is for AdamW
        found["as it runs"] = decay.as_it_runs(gate, optimizer)
    return [{"optimizer": str(optimizer), "where": where} | _rest(r) for where, r in found.items()]


def _rest(rest: decay.Rest | None) -> dict[str, Any]:
    if rest is None:
        return dict.fromkeys(decay.Rest._fields)
    named = {
        "params": dict(zip(model.NAMES, model.pack(rest.params), strict=True)),
        "strength": dict(zip(model.NAMES, rest.strength, strict=True)),
    }
    return rest._asdict() | named


def _texts(output: expansion.Expansion) -> dict[str, str]:
    return {name: str(value) for name, value in output._asdict().items()}


def _exact(value: Fraction | float | None) -> str | None:
    return None if value is None else str(value)
