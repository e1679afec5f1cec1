"""Where runs can get stuck: the critical points of the loss, and the limits it can descend towards.

The loss depends on wq, wk, wv through C alone: where the gradient vanishes the readout is the best
one at C, and ∂loss/∂C = 0 (V' = 0, but for the C at which V jumps) or two of the three are 0.
Exact numbers are ``Fraction``s, irrational ones ``Bracket``s; a C that is infinite is ±inf.
"""

from __future__ import annotations

from fractions import Fraction
from math import inf
from typing import NamedTuple

from attnlogic.problems import Gate
from attnlogic.theory.extrema import Bracket, Extremum
from attnlogic.theory.form import NOTEBOOK, Form
from attnlogic.theory.least_loss import Landscape, landscape, readout
from attnlogic.theory.normal_equations import Equations, equations

Readout = tuple[Fraction, ...]


class Point(NamedTuple):
    """Where the gradient vanishes, or a limit that a descent can run towards for ever.

    Attributes:
      name: a ``minimum``, ``plateau``, ``ridge``, ``inflection`` or ``saddle`` is attained; a
        ``valley`` is a limit.
      loss: the loss there.
      C: wq·wk·wv there; ±inf in the runaway valley, None where any C is meant.
      readout: (w1, w2, …, b) there; None in the valleys, and where C is irrational or any.
      kind: ``"solution"``; ``"minimum"``; ``"strict saddle"``, whose Hessian has a negative
        eigenvalue (on the linear plateau: except where all three of wq, wk, wv are 0, which makes C
        flat to the second order); ``"flat saddle"``, whose loss falls in a higher order only;
        ``"limit"``, never attained; ``"not critical"``.
      note: where it is, in words.
    """

    name: str
    loss: Fraction | Bracket
    C: Fraction | float | Bracket | None
    readout: Readout | None
    kind: str
    note: str


def points(gate: Gate, form: Form = NOTEBOOK) -> tuple[Point, ...]:
    """Every critical point of the loss but the solutions, and every limit it can descend towards.

    - linear plateau: C = 0 and two of wq, wk, wv are 0. Where V'(0) = 0 one of the three being 0 is
      enough, and where two are 0 the Hessian has no negative eigenvalue.
    - constant plateau, w = 0: critical only at a C where the best readout is 0, if there is one.
      Without a residual that is C = 0; where two of wq, wk, wv are 0 it is flat, and w may be any.
    - ridge, minimum, inflection: the other C with V' = 0. At a maximum of V the loss falls along C.
    - runaway valley: C grows without bound on the side where V falls to its limit, w ~ 1/C. Under
      gradient flow |C| grows as t^(3/5).
    - cancellation saddle and valley, of two bits if t01 ≠ t10: at C = -1 itself, and beside it,
      where V goes on falling towards C = -1 while w1 - w2 = (t10-t01)/(C+1) diverges, as t^(1/3).

    Where V is one number, the least loss is attained at every C but that of the jump. The constant
    gates have only the plateaus, which solve them.

    Args:
      gate: a gate of any number of bits.
      form: of the model.

    Raises:
      InputError: no such encoding.
    """
    shape, found = landscape(gate, form), equations(gate, form)
    places = []
    if form.residual and (not shape.constant or (shape.solvable and not found.energy)):
        places.append(_linear_plateau(gate, form, shape))
    if shape.constant and not shape.solvable:
        places.append(_everywhere(gate, form, shape))
    if not shape.constant or shape.jump is not None or shape.solvable:
        places.append(_constant_plateau(gate, form, shape, found))
    highest = Fraction(found.energy, found.scale)
    places += [
        _at_extremum(gate, form, shape, e)
        for e in shape.extrema
        if not e.C.equals(shape.zero) and not e.C.equals(0) and not e.value.equals(highest)
    ]
    for end in shape.valleys:
        note = f"C → {'+' if end > 0 else '-'}∞, w → 0 as 1/C"
        places.append(Point("runaway valley", shape.limit, end, None, "limit", note))
    if gate.n == 2 and shape.jump is not None and not shape.constant:
        places += _cancellation(gate, form, shape)
    return tuple(places)


def attractors(gate: Gate, form: Form = NOTEBOOK) -> dict[str, Fraction | Bracket]:
    """The losses at which a run that fails may be found: name of the point -> loss above 0.

    Saddles only slow a run down; minima and valleys keep it. Points that are not critical are left
    out; of several with one name the lowest counts.

    Example:
      >>> from attnlogic.problems import gate
      >>> attractors(gate("nand"))["linear plateau"]
      Fraction(1, 16)
    """
    lowest: dict[str, Fraction | Bracket] = {}
    for point in points(gate, form):
        before = lowest.get(point.name, inf)
        if point.kind not in ("solution", "not critical") and float(point.loss) < float(before):
            lowest[point.name] = point.loss
    return lowest


def _everywhere(gate: Gate, form: Form, shape: Landscape) -> Point:
    """Where V is one number above 0."""
    if shape.jump is None:
        alone = _bias_alone(gate, form)
        return Point("minimum", shape.limit, None, alone, "minimum", "any C, w = 0")
    note = f"any C but {shape.jump.C}, with the best w"
    return Point("minimum", shape.limit, None, None, "minimum", note)


def _linear_plateau(gate: Gate, form: Form, shape: Landscape) -> Point:
    at_0 = [e for e in shape.extrema if e.C.equals(0)]
    kind = "strict saddle"
    if at_0:
        kind = "minimum" if at_0[0].kind == "minimum" else "flat saddle"
    return _attained("linear plateau", gate, form, Fraction(0), kind, "two of wq, wk, wv are 0")


def _constant_plateau(gate: Gate, form: Form, shape: Landscape, found: Equations) -> Point:
    """At w = 0, where V is as great as the loss of the bias alone."""
    name, highest = "constant plateau", Fraction(found.energy, found.scale)
    alone = _bias_alone(gate, form)
    if highest == 0:
        return Point(name, highest, None, alone, "solution", "w = 0")
    at = [e.C.low for e in shape.extrema if e.value.equals(highest)]
    if shape.constant and shape.jump is not None:
        at = [shape.jump.C]
    if not at:
        note = "w = 0: nowhere is the gradient 0"
        return Point(name, highest, None, alone, "not critical", note)
    return Point(name, highest, at[0], alone, "strict saddle", f"w = 0 and C = {at[0]}")


def _bias_alone(gate: Gate, form: Form) -> Readout:
    """The best readout with w = 0."""
    b = Fraction(sum(gate.targets), len(gate.targets)) if form.bias else Fraction(0)
    return (*(Fraction(0),) * gate.n, b)


def _at_extremum(gate: Gate, form: Form, shape: Landscape, extremum: Extremum) -> Point:
    names = {"minimum": "minimum", "maximum": "ridge", "inflection": "inflection"}
    kind = "flat saddle" if extremum.flat else "strict saddle"
    where = f"C = {extremum.C.low}" if extremum.C.exact else f"C ≈ {float(extremum.C):.6f}"
    note = f"{where}, where V' is 0 and does not change its sign"
    if extremum.kind == "minimum":
        kind = "minimum"
        least = extremum.value == shape.least
        note = f"{where}, the least loss" if least else f"{where}, a minimum of V, not the least"
    elif extremum.kind == "maximum":
        greatest = extremum == shape.greatest
        note = "the greatest least loss of all C" if greatest else f"{where}, a maximum of V"
    if extremum.C.exact:
        return _attained(names[extremum.kind], gate, form, extremum.C.low, kind, note)
    return Point(names[extremum.kind], extremum.value, extremum.C, None, kind, note)


def _cancellation(gate: Gate, form: Form, shape: Landscape) -> list[Point]:
    """At C = -1 ∂loss/∂C is linear in the free w1 - w2, and vanishes for one value of it."""
    _, t01, t10, _ = gate.targets
    assert shape.jump is not None
    at = readout(gate, shape.jump.C, form)
    total = sum(at.w)
    apart = (2 * at.b - t01 - t10) * total / (t10 - t01)
    saddle = ((total + apart) / 2, (total - apart) / 2, at.b)
    side = "above" if shape.rises_at(shape.jump.C) else "below"
    note = f"C → -1 from {side}, w1 - w2 → ±∞"
    return [
        Point("cancellation valley", shape.jump.beside, at.wq, None, "limit", note),
        Point("cancellation saddle", shape.jump.V, at.wq, saddle, "strict saddle", "C = -1"),
    ]


def _attained(name: str, gate: Gate, form: Form, C: Fraction, kind: str, note: str) -> Point:
    found = equations(gate, form)
    w, b = found.readout(C)
    loss = found.loss(C)
    return Point(name, loss, C, (*w, b), kind if loss else "solution", note)
