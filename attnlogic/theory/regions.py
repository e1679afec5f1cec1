"""Where a run that is not solved ended: at which of the places that the theory knows.

For a fixed C = wq·wk·wv the loss is at least V(C) (see ``least_loss``), and a run whose readout has
settled moves downhill along V's graph. So C and the loss show where it is and where it goes.
On the way downhill ``runaway`` is a forecast: C grows for ever if the descent is steady.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attnlogic.problems import Gate
from attnlogic.theory.critical_points import attractors
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
"""The largest loss in the runaway valley, as a multiple of V(C)."""

MAX_GRADIENT_NORM_AT_REST = 1e-3
"""The largest Euclidean norm of the loss's gradient at which a run counts as at rest."""

ENDING_MEANINGS = {
    "solved": "the final loss is at or below the threshold",
    "diverged": "the loss did not stay a finite number",
    "near": f"near the solution (|C − C*| ≤ {MAX_C_DISTANCE:g}) but above the threshold: "
    "an excursion, or a cycle around it",
    "linear": f"on the linear plateau: |C| ≤ {MAX_C_DISTANCE:g}, and the loss within "
    f"{MAX_PLATEAU_LOSS_DEVIATION:.0%} of V(0)",
    "constant": f"on the constant plateau, w = 0: C within {MAX_C_DISTANCE:g} of V's maximum, and "
    f"the loss within {MAX_PLATEAU_LOSS_DEVIATION:.0%} of the targets' variance",
    "cancellation": f"beside C = −1, where attention cancels the residual: |C + 1| ≤ "
    f"{MAX_C_DISTANCE:g}, and the loss within {MAX_PLATEAU_LOSS_DEVIATION:.0%} of V's limit there",
    "runaway": "in the runaway valley: C beyond V's maximum, where V falls as |C| grows, and the "
    f"loss at most {MAX_LOSS_OVER_V:g} V(C)",
    "moving": "still under way or hopping: the gradient's norm is above "
    f"{MAX_GRADIENT_NORM_AT_REST:g}",
    "other": "at rest at none of these places",
}
"""What each ending means, in the order in which they are tried: the first that fits counts."""

ENDINGS = tuple(ENDING_MEANINGS)
"""The names of the endings, in the same order."""


def regions_of(gate: Gate) -> dict[str, Region]:
    """The gate's regions, each a function of C and the loss, in the order of ``ENDINGS``.

    Example:
      >>> from attnlogic.problems import gate
      >>> regions = regions_of(gate("xor"))
      >>> regions["linear"](0.01, 0.26), regions["near"](-0.5, 0.26)
      (True, False)
    """
    shape = landscape(gate)
    failing = {name: float(value) for name, value in attractors(gate).items()}
    regions: dict[str, Region] = {}
    if shape.zero is not None and failing:
        regions["near"] = _near(float(shape.zero), MAX_NEAR_LOSS_SHARE * min(failing.values()))
    if "linear plateau" in failing:
        regions["linear"] = _plateau(0.0, failing["linear plateau"])
    if "constant plateau" in failing and shape.maximum is not None:
        regions["constant"] = _plateau(float(shape.maximum), failing["constant plateau"])
    if "cancellation valley" in failing:
        regions["cancellation"] = _plateau(-1.0, failing["cancellation valley"])
    if shape.maximum is not None and shape.falls_towards is not None:
        regions["runaway"] = _runaway(shape, float(shape.maximum), shape.falls_towards > 0)
    return regions


def _near(at: float, max_loss: float) -> Region:
    return lambda C, loss: (abs(C - at) <= MAX_C_DISTANCE) & (loss <= max_loss)


def _plateau(at: float, value: float) -> Region:
    deviation = MAX_PLATEAU_LOSS_DEVIATION * value
    return lambda C, loss: (abs(C - at) <= MAX_C_DISTANCE) & (abs(loss - value) <= deviation)


def _runaway(shape: Landscape, maximum: float, upwards: bool) -> Region:
    def inside(C: Any, loss: Any) -> Any:
        beyond = maximum < C if upwards else maximum > C
        return beyond & (loss <= MAX_LOSS_OVER_V * shape.least_loss(C))

    return inside
