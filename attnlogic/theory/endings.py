"""The places at which a run may end: their names, what they mean, and how near is near enough."""

from __future__ import annotations

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
