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
from attnlogic.theory.endings import (
    ENDINGS,
    MAX_C_DISTANCE,
    MAX_LOSS_OVER_V,
    MAX_NEAR_LOSS_SHARE,
    MAX_PLATEAU_LOSS_DEVIATION,
)
from attnlogic.theory.form import NOTEBOOK, Form
from attnlogic.theory.least_loss import Landscape, landscape

Region = Callable[[Any, Any], Any]
"""Whether runs lie in a region, from their C and loss: both floats, NumPy arrays of one shape or
polars expressions. The answer has the same kind and shape."""


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
