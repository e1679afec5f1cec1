"""Where runs can get stuck: the critical points of the loss, and the limits it can descend towards.

The loss depends on wq, wk, wv through C alone: where the gradient vanishes the readout is the best
one at C, and ∂loss/∂C = 0 (for C ≠ -1 that is V' = 0) or two of the three are 0. Exact numbers are
``Fraction``s; a C that is infinite is the float ±inf.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from attnlogic.problems import ROWS, Gate, Params, loss
from attnlogic.theory.exact_solutions import differences
from attnlogic.theory.least_loss import Landscape, landscape, readout


class Point(NamedTuple):
    """Where the gradient vanishes, or a limit that a descent can run towards for ever.

    Attributes:
      name: a ``plateau``, ``ridge`` or ``saddle`` is attained; a ``valley`` is a limit.
      loss: the loss there.
      C: wq·wk·wv there; ±inf in the runaway valley, None where any C is meant.
      readout: (w1, w2, b) there; None in the valleys.
      kind: ``"solution"``; ``"strict saddle"``, whose Hessian has a negative eigenvalue (on the
        linear plateau: except where all three of wq, wk, wv are 0, which makes C flat to the second
        order); ``"flat saddle"``, whose loss falls in a higher order only; ``"limit"``, never
        attained; ``"not critical"``.
      note: where it is, in words.
    """

    name: str
    loss: Fraction
    C: Fraction | float | None
    readout: tuple[Fraction, Fraction, Fraction] | None
    kind: str
    note: str


def points(gate: Gate) -> tuple[Point, ...]:
    """Every critical point of the loss but the solutions, and every limit it can descend towards.

    - linear plateau: C = 0 and two of wq, wk, wv are 0. Where d = 0, V is greatest there, one of
      the three being 0 is enough, and where two are 0 the Hessian has no negative eigenvalue.
    - constant plateau, w = 0: critical only at V's maximum, and only if t01 = t10.
    - ridge: V's maximum, if t01 ≠ t10 and it is not the linear plateau.
    - runaway valley: C grows without bound on the side where V falls to its limit, w ~ 1/C. Under
      gradient flow |C| grows as t^(3/5).
    - cancellation saddle and valley, if t01 ≠ t10: at C = -1 itself, and beside it, where V goes on
      falling towards C = -1 while w1 - w2 = (t10-t01)/(C+1) diverges, as t^(1/3).

    The constant gates have only the plateaus, which solve them.

    Args:
      gate: a gate with four rows.
    """
    _, t01, t10, _ = gate.targets
    (s, d), shape = differences(gate), landscape(gate)
    found = [_linear_plateau(gate, d), _constant_plateau(gate, shape)]
    if shape.maximum is None or shape.falls_towards is None:
        return tuple(found)
    if t01 != t10 and d:
        ridge = readout(gate, shape.maximum)
        note = "the greatest least loss of all C"
        found.append(_attained("ridge", gate, ridge, "strict saddle", note))
    sign = "+" if shape.falls_towards > 0 else "-"
    note = f"C → {sign}∞, w → 0 as 1/C"
    found.append(Point("runaway valley", shape.limit, shape.falls_towards, None, "limit", note))
    if t01 != t10:
        found += _cancellation(gate, shape, "above" if s * (3 * d - s) > 0 else "below")
    return tuple(found)


def attractors(gate: Gate) -> dict[str, Fraction]:
    """The losses at which a run that fails may be found: name of the point -> loss above 0.

    Saddles only slow a run down; valleys keep it. Points that are not critical are left out.

    Example:
      >>> from attnlogic.problems import gate
      >>> attractors(gate("nand"))["linear plateau"]
      Fraction(1, 16)
    """
    found = (point for point in points(gate) if point.kind not in ("solution", "not critical"))
    return {point.name: point.loss for point in found}


def _linear_plateau(gate: Gate, d: int) -> Point:
    note = "two of wq, wk, wv are 0"
    kind = "strict saddle" if d else "flat saddle"
    return _attained("linear plateau", gate, readout(gate, Fraction(0)), kind, note)


def _constant_plateau(gate: Gate, shape: Landscape) -> Point:
    mean, zero = Fraction(sum(gate.targets), 4), Fraction(0)
    at = Params(zero, Fraction(1), Fraction(1), (zero, zero), mean)
    note, kind = "w = 0", "strict saddle"
    if shape.maximum is not None and gate.targets[1] == gate.targets[2]:
        at, note = at._replace(wq=shape.maximum), f"w = 0 and C = {shape.maximum}"
    elif shape.maximum is not None:
        note, kind = "w = 0: nowhere is the gradient 0", "not critical"
    point = _attained("constant plateau", gate, at, kind, note)
    return point._replace(C=None) if point.kind in ("solution", "not critical") else point


def _cancellation(gate: Gate, shape: Landscape, side: str) -> list[Point]:
    """At C = -1 ∂loss/∂C is linear in the free w1 - w2, and vanishes for one value of it."""
    _, t01, t10, _ = gate.targets
    at = readout(gate, Fraction(-1))
    total = sum(at.w)
    apart = (2 * at.b - t01 - t10) * total / (t10 - t01)
    saddle = at._replace(w=((total + apart) / 2, (total - apart) / 2))
    note = f"C → -1 from {side}, w1 - w2 → ±∞"
    return [
        Point("cancellation valley", shape.beside_minus_1, at.wq, None, "limit", note),
        _attained("cancellation saddle", gate, saddle, "strict saddle", "C = -1"),
    ]


def _attained(name: str, gate: Gate, at: Params, kind: str, note: str) -> Point:
    value = loss(at, ROWS, gate.targets)
    return Point(name, value, at.wq, (*at.w, at.b), kind if value else "solution", note)
