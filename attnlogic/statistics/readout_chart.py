"""Which readout solved runs have: the plane of w1 and w2, with the exact solutions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np
import polars as pl

from attnlogic.errors import InputError
from attnlogic.results import condition, known_of, labels
from attnlogic.statistics.panels import MAX_PANELS, left_out
from attnlogic.theory import solutions
from attnlogic.view import chart_theme

if TYPE_CHECKING:
    import numpy.typing as npt

    from attnlogic.results import Known

BINS = 30
"""Bins along each axis."""

CENTRAL = 0.99
"""The share of a gate's solved runs that its panels' axes hold, along each axis."""


def draw(frame: pl.DataFrame, given: Sequence[pl.DataFrame], options: Mapping[str, Any]) -> Any:
    """A panel for each condition: how many solved runs lie in each cell of the (w1, w2) plane.

    Raises:
      InputError: no run with weights w1 and w2 is solved.
    """
    names = labels([condition(rows) for rows in given])
    planes = [
        (f"{rows['gate'][0]} · {name}", rows, _readouts(rows))
        for rows, name in zip(given, names, strict=True)
    ]
    found = [plane for plane in planes if len(plane[2])]
    if not found:
        raise InputError("nothing to draw: no run of a model with w1 and w2 is solved")
    drawn = found[:MAX_PANELS]
    size = 300 if len(drawn) == 1 else 160
    most = 0
    parts = []
    for title, rows, readouts in drawn:
        alike = [r for _, other, r in drawn if _problem(other) == _problem(rows)]
        of = known_of(condition(rows))
        ends = _ends(np.concatenate(alike), of)
        cells = _cells(readouts, ends)
        most = max(most, max(cell["runs"] for cell in cells))
        parts.append((f"{title}: {len(readouts):,} solved", cells, ends, of))
    panels = [_panel(*part, most, size) for part in parts]
    return alt.concat(*panels, columns=2, spacing=16).properties(
        title=chart_theme.heading(
            "Which readout do solved runs have?",
            "Solved runs by w1 and w2, counted in cells. Line or ring: the exact solutions. Axes "
            f"hold {100 * CENTRAL:g} % of a gate's solved runs; the others lie in the cells at the "
            "edge.",
            left_out(len(found), MAX_PANELS),
        )
    )


def _problem(rows: pl.DataFrame) -> Any:
    return rows.select("gate", "model", "encoding").row(0)


def _readouts(rows: pl.DataFrame) -> npt.NDArray[np.float64]:
    """w1 and w2 of the solved runs: (n, 2)."""
    if not {"w1", "w2"} <= {*rows.columns}:
        return np.empty((0, 2))
    solved = rows.filter(pl.col("status") == "solved")
    return solved.select(pl.col("w1", "w2").cast(pl.Float64)).drop_nulls().to_numpy()


def exact(of: Known | None) -> tuple[list[tuple[float, float]], list[float]]:
    """The exact readouts: points (w1, w2), and the sums w1 + w2 of lines of them."""
    if of is None:
        return [], []
    found = [s for s in solutions(of.gate, of.form) if s.scale is None]
    points = [(float(s.w[0]), float(s.w[1])) for s in found if s.w is not None]
    lines = [float(s.w_sum) for s in found if s.w is None and s.w_sum is not None and s.inputs == 2]
    return points, lines


def _ends(readouts: npt.NDArray[np.float64], of: Known | None) -> list[tuple[float, float]]:
    """The ends of both axes."""
    points, _ = exact(of)
    tail = (1 - CENTRAL) / 2
    ends = []
    for axis in (0, 1):
        low, high = np.quantile(readouts[:, axis], [tail, 1 - tail])
        marked = [float(low), float(high), *(point[axis] for point in points)]
        pad = max(0.1 * (max(marked) - min(marked)), 0.05)
        ends.append((min(marked) - pad, max(marked) + pad))
    return ends


def _cells(
    readouts: npt.NDArray[np.float64], ends: Sequence[tuple[float, float]]
) -> list[dict[str, Any]]:
    """The cells with runs: their edges and counts."""
    edges = [np.linspace(low, high, BINS + 1) for low, high in ends]
    w1, w2 = (readouts[:, axis].clip(*ends[axis]) for axis in (0, 1))
    counts, _, _ = np.histogram2d(w1, w2, bins=edges)
    return [
        {
            "w1": round(float(edges[0][i]), 4),
            "w1_to": round(float(edges[0][i + 1]), 4),
            "w2": round(float(edges[1][j]), 4),
            "w2_to": round(float(edges[1][j + 1]), 4),
            "runs": int(counts[i, j]),
        }
        for i, j in np.argwhere(counts)
    ]


def _panel(
    title: str,
    cells: list[dict[str, Any]],
    ends: Sequence[tuple[float, float]],
    of: Known | None,
    most: int,
    size: int,
) -> alt.LayerChart:
    axis = alt.Axis(**chart_theme.FONT, grid=False, tickCount=4)
    x, y = (
        channel(f"{name}:Q", title=name, axis=axis, scale=alt.Scale(domain=[*end], nice=False))
        for channel, name, end in ((alt.X, "w1", ends[0]), (alt.Y, "w2", ends[1]))
    )
    scale = alt.Scale(type="log", domain=[1, max(most, 2)], scheme=chart_theme.SHADES)
    legend = alt.Legend(title="solved runs", orient="bottom", format=",d", labelFontSize=12,
                        values=[10**k for k in range(8) if 10**k <= most])  # fmt: skip
    counts = (
        chart_theme.data(cells)
        .mark_rect(aria=False)
        .encode(
            x=x, x2="w1_to:Q", y=y, y2="w2_to:Q",
            color=alt.Color("runs:Q", scale=scale, legend=legend),
        )
    )  # fmt: skip
    points, lines = exact(of)
    ink: dict[str, Any] = {"color": chart_theme.INK, "strokeWidth": 1.5, "clip": True}
    layers: list[alt.Chart] = [counts]
    for total in lines:
        line = [{"w1": w1, "w2": total - w1} for w1 in ends[0]]
        layers.append(chart_theme.data(line).mark_line(**ink).encode(x=x, y=y))
    rings = [{"w1": w1, "w2": w2} for w1, w2 in points]
    if rings:
        ring = chart_theme.data(rings).mark_point(size=150, opacity=1, **ink)
        layers.append(ring.encode(x=x, y=y))
    return alt.LayerChart(
        layer=layers, width=size, height=size, title=chart_theme.panel_title(title)
    )
