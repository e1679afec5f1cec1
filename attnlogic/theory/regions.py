"""Where a run that is not solved ended: at which of the places that the theory knows.

For a fixed C = wq·wk·wv the loss is at least V(C) (see ``least_loss``), and a run whose readout has
settled moves downhill along V's graph. So C and the loss show where it is and where it goes.
On the way downhill ``runaway`` is a forecast: C grows for ever if the descent is steady.

The final loss is that before the last update, C that after it. Of a run at rest, or on its way,
both are of one place. Of a run that hops, a loss well below V(C) shows that they are not: no
parameters with this C have such a loss, and the run is at no place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import reduce
from operator import or_
from typing import Any

from attnlogic.problems import Gate
from attnlogic.theory.critical_points import Point, attractors, points
from attnlogic.theory.form import NOTEBOOK, Form
from attnlogic.theory.least_loss import Landscape, landscape

Region = Callable[[Any, Any], Any]
"""Whether runs lie in a region, from their C and loss: both floats, NumPy arrays of one shape or
polars expressions. The answer has the same kind and shape."""

MAX_C_DISTANCE = 0.1
"""The most that C may be away from a place's C: |C - C of the place|."""

MAX_PLATEAU_LOSS_DEVIATION = 0.05
"""The most that the loss may be away from a plateau's, as a share of the plateau's loss."""

MAX_NEAR_LOSS_SHARE = 0.5
"""The largest loss near the solution, as a share of the least loss at which a run can fail."""

MAX_LOSS_OVER_V = 1.25
"""The largest loss in the runaway valley, as a multiple of V(C); the smallest is V(C) over this."""

MAX_GRADIENT_NORM_AT_REST = 1e-3
"""The largest Euclidean norm of the loss's gradient at which a run counts as at rest."""

ENDING_MEANINGS = {
    "solved": "the final loss is at or below the threshold",
    "diverged": "the loss did not stay a finite number",
    "near": f"near the solution (|C − C*| ≤ {MAX_C_DISTANCE:g}) but above the threshold: "
    "an excursion, or a cycle around it",
    "minimum": f"at a minimum of V that is no solution: C within {MAX_C_DISTANCE:g} of it, and the "
    f"loss within {MAX_PLATEAU_LOSS_DEVIATION:.0%} of V there; at any C where V is one number",
    "linear": f"on the linear plateau: |C| ≤ {MAX_C_DISTANCE:g}, and the loss within "
    f"{MAX_PLATEAU_LOSS_DEVIATION:.0%} of V(0)",
    "constant": f"on the constant plateau, w = 0: C within {MAX_C_DISTANCE:g} of the one at which "
    f"no w lowers the loss, and the loss within {MAX_PLATEAU_LOSS_DEVIATION:.0%} of that at w = 0",
    "cancellation": f"beside C = −1, where attention cancels the residual: |C + 1| ≤ "
    f"{MAX_C_DISTANCE:g}, and the loss within {MAX_PLATEAU_LOSS_DEVIATION:.0%} of V's limit there",
    "runaway": "in the runaway valley: C beyond V's outermost maximum, where V falls as |C| grows, "
    f"and the loss within a factor {MAX_LOSS_OVER_V:g} of V(C)",
    "moving": "still under way or hopping: the gradient's norm is above "
    f"{MAX_GRADIENT_NORM_AT_REST:g}",
    "other": "at rest at none of these places",
}
"""What each ending means, in the order in which they are tried: the first that fits counts."""

ENDINGS = tuple(ENDING_MEANINGS)
"""The names of the endings, in the same order."""


def regions_of(gate: Gate, form: Form = NOTEBOOK) -> dict[str, Region]:
    """The gate's regions, each a function of C and the loss, in the order of ``ENDINGS``.

    Args:
      gate: a gate of any number of bits.
      form: of the model that was trained.

    Raises:
      InputError: no such encoding.

    Example:
      >>> from attnlogic.problems import gate
      >>> regions = regions_of(gate("xor"))
      >>> regions["linear"](0.01, 0.26), regions["near"](-0.5, 0.26)
      (True, False)
    """
    shape, places = landscape(gate, form), points(gate, form)
    failing = {name: float(loss) for name, loss in attractors(gate, form).items()}
    regions: dict[str, Region] = {}
    if shape.zero is not None and failing:
        regions["near"] = _near(float(shape.zero), MAX_NEAR_LOSS_SHARE * min(failing.values()))
    minima = [_minimum(point) for point in places if point.kind == "minimum"]
    if minima:
        regions["minimum"] = _any_of(minima)
    for point in places:
        short = _PLATEAUS.get(point.name)
        if short and isinstance(point.C, Fraction) and point.name in failing:
            regions[short] = _plateau(float(point.C), failing[point.name])
    sides = [_runaway(shape, end) for end in shape.valleys]
    if sides:
        regions["runaway"] = _any_of(sides)
    return {name: regions[name] for name in ENDINGS if name in regions}


_PLATEAUS = {
    "linear plateau": "linear",
    "constant plateau": "constant",
    "cancellation valley": "cancellation",
}
"""The region around each place that is known by one C and one loss."""


def _any_of(some: Sequence[Region]) -> Region:
    return lambda C, loss: reduce(or_, (inside(C, loss) for inside in some))


def _near(at: float, max_loss: float) -> Region:
    return lambda C, loss: (abs(C - at) <= MAX_C_DISTANCE) & (loss <= max_loss)


def _minimum(point: Point) -> Region:
    value = float(point.loss)
    if point.C is not None:
        return _plateau(float(point.C), value)
    return lambda C, loss: abs(loss - value) <= MAX_PLATEAU_LOSS_DEVIATION * value


def _plateau(at: float, value: float) -> Region:
    deviation = MAX_PLATEAU_LOSS_DEVIATION * value
    return lambda C, loss: (abs(C - at) <= MAX_C_DISTANCE) & (abs(loss - value) <= deviation)


def _runaway(shape: Landscape, end: float) -> Region:
    upwards = end > 0
    last = float(shape.extrema[-1 if upwards else 0].C)  # a maximum: V falls beyond it

    def inside(C: Any, loss: Any) -> Any:
        beyond = last < C if upwards else last > C
        V = shape.least_loss(C)
        return beyond & (loss <= MAX_LOSS_OVER_V * V) & (loss >= V / MAX_LOSS_OVER_V)

    return inside
