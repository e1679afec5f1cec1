"""The graph of V(C), the least loss at each C, and the places on it that theory knows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import numpy.typing as npt

from attnlogic.results import Known
from attnlogic.theory import landscape, points
from attnlogic.view import chart_theme

LINEAR = 0.3
"""C up to which, in magnitude, the axis of C is about linear; beyond it is logarithmic."""

MAX_C = 100.0
"""The largest C that the axis shows, in magnitude."""

CURVE_POINTS = 120

PLACES = {"C*": "circle", "maximum": "triangle-up", "plateau": "square", "minimum": "triangle-down"}
"""The places on the curve and their marks."""


class Domain(NamedTuple):
    """The ends of an axis of C."""

    low: float
    high: float

    def edges(self, bins: int) -> npt.NDArray[np.float64]:
        """The edges of bins that are equally wide on the axis: (bins + 1,)."""
        low, high = (math.copysign(math.log1p(abs(end) / LINEAR), end) for end in self)
        at = np.linspace(low, high, bins + 1)
        edges = np.sign(at) * LINEAR * np.expm1(np.abs(at))
        edges[[0, -1]] = self
        return np.asarray(edges)


def domain(values: Sequence[npt.NDArray[np.float64]], of: Known) -> Domain:
    """An axis of C that holds these values, or as many as ``MAX_C`` allows, and theory's places."""
    seen = np.concatenate([np.asarray(some, float) for some in values] or [np.empty(0)])
    marks = [float(C) for C, _, _ in places(of)]
    seen = np.append(seen[np.isfinite(seen)], marks)
    steps = (3.0, 10.0, 30.0, MAX_C)

    def end(furthest: float) -> float:
        return next((step for step in steps if step >= furthest), MAX_C)

    return Domain(-end(-seen.min(initial=-1)), end(seen.max(initial=1)))


def places(of: Known) -> list[tuple[float, float, str]]:
    """C, V and name of the solution, of V's maxima and minima, and of the plateaus."""
    shape = landscape(of.gate, of.form)
    found = [] if shape.zero is None else [(float(shape.zero), 0.0, "C*")]
    found += [
        (float(extremum.C), float(extremum.value), extremum.kind)
        for extremum in shape.extrema
        if extremum.kind != "inflection" and not extremum.C.equals(shape.zero)
    ]
    for point in points(of.gate, of.form):
        at = point.C
        known = point.name.endswith("plateau") and point.kind != "not critical"
        if known and at is not None and math.isfinite(float(at)):
            found.append((float(at), float(point.loss), "plateau"))
    return found


def c_axis(ends: Domain, title: str | None = "C", labels: bool = True) -> alt.X:
    """An axis of C, linear around 0 and logarithmic beyond; its field is ``C``."""
    ticks = [0.0, *(sign * 10.0**k for k in range(3) for sign in (-1, 1))]
    axis = alt.Axis(
        **chart_theme.FONT,
        values=[tick for tick in sorted(ticks) if ends.low <= tick <= ends.high],
        grid=False,
        labels=labels,
        ticks=labels,
        format=",d",
        labelOverlap=True,
        labelFlush=False,
    )
    scale = alt.Scale(type="symlog", constant=LINEAR, domain=[*ends], nice=False, clamp=True)
    return alt.X("C:Q", title=title, axis=axis, scale=scale)


def curve(of: Known, ends: Domain, x: alt.X, y: Any, floor: float = 0.0) -> list[alt.Chart]:
    """Layers: the curve, its limit for an infinite C, and its places.

    Args:
      of: the gate, and the form of the model.
      ends: of the axis of C.
      x: the axis of C.
      y: the axis of the loss; its field is ``loss``.
      floor: the least loss that is drawn; of a logarithmic axis above 0.
    """
    shape = landscape(of.gate, of.form)
    at = ends.edges(CURVE_POINTS)
    marked = np.array([C for C, _, _ in places(of)])
    beside = np.outer([-1, 1], [0, 1e-3, 3e-3, 0.01, 0.03]).ravel()  # where V falls to 0
    near = np.add.outer(marked, beside).ravel()
    at = np.unique(np.append(at, near[(ends.low <= near) & (near <= ends.high)]))
    values = np.broadcast_to(np.asarray(shape.least_loss(at), float), at.shape)
    line = [{"C": float(C), "loss": max(float(V), floor)} for C, V in zip(at, values, strict=True)]
    layers = [chart_theme.data(line).mark_line(color=chart_theme.INK, strokeWidth=2, clip=True)
              .encode(x=x, y=y)]  # fmt: skip
    if shape.valleys:
        dashes: dict[str, Any] = {"color": chart_theme.INK, "strokeDash": [2, 3], "clip": True}
        limit = chart_theme.data([{"loss": float(shape.limit)}])
        layers.append(limit.mark_rule(**dashes).encode(y=y))
    marks = [{"C": C, "loss": V, "place": name} for C, V, name in places(of)]
    shapes = alt.Scale(domain=[*PLACES], range=[*PLACES.values()])
    legend = chart_theme.mark_legend()
    layers.append(
        chart_theme.data(marks)
        .mark_point(size=60, opacity=1, strokeWidth=2, color=chart_theme.INK)
        .encode(x=x, y=y, shape=alt.Shape("place:N", scale=shapes, legend=legend))
    )
    return layers


def verticals(of: Known, x: alt.X) -> list[alt.Chart]:
    """Layers: vertical lines at the solution (solid) and at V's maxima (dashed)."""
    every = places(of)
    layers = []
    for name, dash in (("C*", [1, 0]), ("maximum", [4, 3])):
        rows = [{"C": C} for C, _, kind in every if kind == name]
        if rows:
            rule = chart_theme.data(rows).mark_rule(color=chart_theme.INK, strokeDash=dash)
            layers.append(rule.encode(x=x))
    return layers
