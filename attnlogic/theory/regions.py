"""Where a run ended that is not solved: at which of the places that theory knows.

For a fixed C = wq·wk·wv the loss is at least V(C) (see ``theory``), and a run whose readout has
settled moves along V's graph, downhill. So C and the loss tell where it is and where it is going:

====================  ========================================================================
``solved``            its status
``diverged``          its status
``near``              around the solution, above the threshold: |C − C*| ≤ 1/10, and the loss at
                      most half of the least loss at which a run can fail; an excursion, or a cycle
``linear``            the linear plateau: |C| ≤ 1/10, the loss within 5 % of the plateau's
``constant``          the constant plateau, w = 0, where it is one: |C − C of V's maximum| ≤ 1/10,
                      the loss within 5 % of V there, the variance of the targets
``cancellation``      beside C = −1: |C + 1| ≤ 1/10, the loss within 5 % of V's limit there
``runaway``           the runaway valley: C beyond V's maximum on the side where V falls towards
                      its limit, and the loss at most 1.25 V(C)
``moving``            none of these, and the gradient's norm is above 1e-3: under way, or hopping
``other``             none of these
====================  ========================================================================

The first that fits is told. On the way downhill ``runaway`` is a forecast: that C grows on, as it
must where the descent is steady.
"""

from __future__ import annotations

import polars as pl

from attnlogic.problems import Gate
from attnlogic.theory import exact_solutions as theory

ENDINGS = (
    "solved", "diverged", "near", "linear", "constant", "cancellation", "runaway", "moving",
    "other",
)  # fmt: skip

CLOSE = 0.1
"""How close C must be to a place."""

LIKE = 0.05
"""By which share the loss may differ from a plateau's."""

FLOOR = 1.25
"""How many times V(C) the loss may be on the valley's floor."""

STILL = 1e-3
"""The norm of a gradient up to which a run is at rest."""


def ending(gate: Gate) -> pl.Expr:
    """Where a run ended, as an expression over the columns of ``store.schema``.

    Args:
      gate: the gate of all runs that it is applied to.

    Returns:
      An expression of the type ``pl.Enum(ENDINGS)``.
    """
    C, loss, status = pl.col("C"), pl.col("final_loss"), pl.col("status")
    cases = {
        "solved": status == "solved",
        "diverged": status == "diverged",
        **_places(gate, C, loss),
        "moving": ~(pl.col("gradient_norm") <= STILL),  # nor is one at rest that is not finite
    }
    told = [pl.when(there).then(pl.lit(name)) for name, there in cases.items()]
    return pl.coalesce(*told, pl.lit("other")).cast(pl.Enum(ENDINGS))


def _places(gate: Gate, C: pl.Expr, loss: pl.Expr) -> dict[str, pl.Expr]:
    """Whether a run is at each of the places that the gate has, in the order of ``ENDINGS``."""
    shape = theory.landscape(gate)
    failing = {name: float(value) for name, value in theory.attractors(gate).items()}
    places: dict[str, pl.Expr] = {}
    if shape.zero is not None and failing:
        at_solution = (C - float(shape.zero)).abs() <= CLOSE
        places["near"] = at_solution & (loss <= min(failing.values()) / 2)
    if "linear plateau" in failing:
        places["linear"] = (C.abs() <= CLOSE) & _like(loss, failing["linear plateau"])
    if "constant plateau" in failing and shape.maximum is not None:
        at_maximum = (C - float(shape.maximum)).abs() <= CLOSE
        places["constant"] = at_maximum & _like(loss, failing["constant plateau"])
    if "cancellation valley" in failing:
        beside = (C + 1).abs() <= CLOSE
        places["cancellation"] = beside & _like(loss, failing["cancellation valley"])
    if shape.maximum is not None and shape.falls_towards is not None:
        least = (float(shape.slope) * C + float(shape.offset)) ** 2 / (8 * (9 * C**2 + 8 * C + 2))
        outward = float(shape.maximum) < C if shape.falls_towards > 0 else float(shape.maximum) > C
        places["runaway"] = outward & (loss <= FLOOR * least)
    return places


def _like(loss: pl.Expr, value: float) -> pl.Expr:
    return (loss - value).abs() <= LIKE * value
