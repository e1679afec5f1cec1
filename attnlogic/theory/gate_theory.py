"""The whole theory of one gate as one object: what ``attnlogic theory`` prints.

Exact numbers are strings that ``Fraction`` reads: ``"-1/2"``; an infinite C is ``"inf"`` or
``"-inf"``; an irrational number is a list of two such strings, between which it is proved to lie.
Polynomials are strings that SymPy reads. A number that is free or does not exist is None. The
effect of weight decay is no fraction: its numbers are floats.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Any

from attnlogic import optimizers
from attnlogic.errors import InputError
from attnlogic.optimizers import Optimizer
from attnlogic.problems import Gate, gates
from attnlogic.theory import formulas
from attnlogic.theory.critical_points import Point, points
from attnlogic.theory.decay import ShiftedSolution, edge_of_stability, fixed_point
from attnlogic.theory.exact_solutions import Solution, solutions
from attnlogic.theory.exact_text import exact_text
from attnlogic.theory.extrema import Extremum
from attnlogic.theory.form import NOTEBOOK, Form
from attnlogic.theory.least_loss import Landscape, landscape

DECAYING = ("adam(weight_decay=0.01)", "adamw")
"""The optimizers whose weight decay is shown when none are given."""


def theory_of(
    gate: str | Gate, decaying: Sequence[str | Optimizer] | None = None, form: Form = NOTEBOOK
) -> dict[str, Any]:
    """The theory of a gate: everything that is known before a run is trained.

    Args:
      gate: a gate, its name or its bit string.
      decaying: optimizers with weight decay; None for ``DECAYING`` where their effect is known.
      form: of the model.

    Returns:
      A dict for JSON: ``gate``, ``targets``, ``inputs`` (their number), ``form``, the fields of
      ``Form``;
      ``model``: the output with symbols, ``general`` and ``on_bits``;
      ``solvable``: whether there is an exact solution;
      ``solutions``: for each family ``C w1 w2 … w_sum b``, ``free`` directions of the parameters,
      the ``signs`` that wq, wk, wv may have, the output there (``general``, ``on_bits``), and
      ``scale``: None, or the polynomial in C of which only the product with w is fixed, to be w;
      ``V``: the least loss at each C: its ``expression`` for every C but that of the jump, its
      ``zero``, its greatest ``maximum`` (C and V), its ``least_loss`` over all C, all its
      ``extrema`` (C, V, kind, and of an irrational C a ``polynomial`` that is 0 there), the
      ``limit`` for C → ±∞, the infinity on whose side V ``falls_towards`` it, its ``jump`` (C, V
      there, and its ``limit`` towards it), and ``at_minus_1`` V itself and its limit beside it;
      ``points``: the fields of ``critical_points.Point``;
      ``decay``: the fields of ``decay.ShiftedSolution``, the optimizer, and ``where``: ``at rest``
      (``decay.fixed_point``) or ``as it runs`` (``decay.edge_of_stability``); the numbers are None
      where the decay leaves no point near the solution. None where decay's effect is not known:
      for gates without an exact solution, and for other forms than the notebook's.

    Raises:
      InputError: an unknown gate, optimizer or encoding, an optimizer without weight decay, or any
        optimizer where the effect of decay is not known.

    Example:
      >>> theory_of("xor", decaying=[])["V"]["zero"]
      '-1/2'
      >>> theory_of("00000010")["V"]["least_loss"]
      ['0.024995250129', '0.024995250130']
    """
    gate = gates.gate(gate)
    known = form == NOTEBOOK and landscape(gate).solvable
    if decaying and not known:
        raise InputError(
            f"the effect of weight decay on {gate} is not known: expected the notebook's model and "
            "a gate that it solves; leave the optimizers out"
        )
    chosen = DECAYING if decaying is None else decaying
    return {
        "gate": gate.name,
        "targets": gate.bits,
        "inputs": gate.n,
        "form": form._asdict(),
        "model": _texts(formulas.output_formula(gate.n, form)),
        "solvable": landscape(gate, form).solvable,
        "solutions": [_solution(s, form) for s in solutions(gate, form)],
        "V": _least_loss(gate, form),
        "points": [_point(p, gate.n) for p in points(gate, form)],
        "decay": [row for o in chosen for row in _decay(gate, optimizers.optimizer(o))]
        if known
        else None,
    }


def _least_loss(gate: Gate, form: Form) -> dict[str, Any]:
    shape: Landscape = landscape(gate, form)
    top, jump = shape.greatest, shape.jump
    return {
        "expression": str(formulas.least_loss_formula(gate, form)),
        "zero": exact_text(shape.zero),
        "maximum": {
            "C": None if top is None else exact_text(top.C),
            "V": None if top is None else exact_text(top.value),
        },
        "least_loss": exact_text(shape.least),
        "extrema": [_extremum(e) for e in shape.extrema],
        "limit": exact_text(shape.limit),
        "falls_towards": exact_text(shape.falls_towards),
        "jump": None if jump is None else {
            "C": exact_text(jump.C), "V": exact_text(jump.V), "limit": exact_text(jump.beside)
        },
        "at_minus_1": {
            "V": exact_text(shape.at_minus_1), "limit": exact_text(shape.beside_minus_1)
        },
    }  # fmt: skip


def _extremum(extremum: Extremum) -> dict[str, Any]:
    return {
        "C": exact_text(extremum.C),
        "V": exact_text(extremum.value),
        "kind": extremum.kind,
        "polynomial": formulas.polynomial_text(extremum.polynomial),
    }


def _solution(solution: Solution, form: Form) -> dict[str, Any]:
    w = solution.w or (None,) * solution.inputs
    p, q = solution.scale or (0, 1)
    return {
        "C": exact_text(solution.C),
        **_numbered(w),
        "w_sum": exact_text(solution.w_sum),
        "b": exact_text(solution.b),
        "free": solution.free,
        "signs": list(solution.signs),
        "scale": formulas.polynomial_text((q, p)) if solution.scale else None,
        "output": _texts(formulas.solution_formula(solution, form)),
    }


def _point(point: Point, n: int) -> dict[str, Any]:
    *w, b = point.readout or (None,) * (n + 1)
    return {
        "name": point.name,
        "loss": exact_text(point.loss),
        "C": exact_text(point.C),
        **_numbered(w),
        "b": exact_text(b),
        "kind": point.kind,
        "note": point.note,
    }


def _numbered(w: Sequence[Fraction | None]) -> dict[str, Any]:
    return {f"w{i}": exact_text(weight) for i, weight in enumerate(w, 1)}


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
    params = point.params
    values = (params.wq, params.wk, params.wv, *params.w, params.b)
    names = ("wq", "wk", "wv", *(f"w{i}" for i in range(1, len(params.w) + 1)), "b")
    named = {
        "params": dict(zip(names, values, strict=True)),
        "strength": dict(zip(names, point.strength, strict=True)),
    }
    return point._asdict() | named


def _texts(output: formulas.Expansion) -> dict[str, str]:
    return {name: str(value) for name, value in output._asdict().items()}
