"""Which C is found: the distribution of the final C over V(C), the least loss at each C."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np

from attnlogic.errors import InputError
from attnlogic.results import Known
from attnlogic.statistics.panels import KEY, MAX_PANELS, left_out, runs_each
from attnlogic.statistics.statistic import named
from attnlogic.statistics.v_curve import MAX_C, Domain, c_axis, curve, domain, places, verticals
from attnlogic.theory import landscape
from attnlogic.view import chart_theme, numbers, optimizer_colors

if TYPE_CHECKING:
    import polars as pl

    from attnlogic.results import Distribution, Population

BINS = 64
"""Bins of C, equally wide on its axis."""

CURVE_HEIGHT, STRIP_HEIGHT = 90, 34
"""Of the panel with the curve, and of a condition's bars, in pixels."""


def draw(frame: pl.DataFrame, given: Sequence[Population], options: Mapping[str, Any]) -> Any:
    """V(C) for each gate and form of the model, and below it the C of each optimizer's runs.

    Raises:
      InputError: no condition has a C of which theory knows the curve, or no run has an end.
    """
    known = [some for some in given if some.known is not None and _n(some)]
    if not known:
        raise InputError(
            "nothing to draw: no model here has a C whose least loss theory knows (attention with "
            "raw scores, on a gate), or no run of it ended at finite parameters"
        )
    drawn = known[:MAX_PANELS]
    keys = frame.select(KEY).rows()
    every = dict(zip(keys, named(frame)[0]["optimizer"], strict=True))
    names = [every[tuple(some.key[name] for name in KEY)] for some in drawn]
    colors = optimizer_colors([*every.values()])
    blocks: dict[str, list[int]] = {}
    for place, some in enumerate(drawn):
        blocks.setdefault(_title(some), []).append(place)
    width = 180 if len(blocks) > 1 else 400
    parts = [
        _block(title, [(drawn[i], names[i], colors[names[i]]) for i in at], width)
        for title, at in blocks.items()
    ]
    without = len(given) - len(known)
    title = chart_theme.heading(
        "Which C do runs find?",
        "Top: V(C), the least loss at each C = wq·wk·wv, with its limit for |C| → ∞ (dotted). "
        "Below: the share of runs by their final C (square-root scale), solved ones in colour, "
        "others in grey. Lines: C* of the exact solution, and V's maximum (dashed), which parts "
        "the solution's side from the rest.",
        runs_each(some.runs for some in drawn) + ".",
        _beyond(drawn),
        f"{without} conditions without such a C are left out." if without else "",
        left_out(len(known), MAX_PANELS),
    )
    return alt.concat(*parts, columns=2, spacing=16).properties(title=title)


def _n(some: Population) -> int:
    """How many runs have a final C."""
    return some.of("C", "solved").n + some.of("C", "failed").n


def _title(some: Population) -> str:
    model, encoding = str(some.key["model"]), str(some.key["encoding"])
    parts = (some.key["gate"], model != "attention" and model, encoding != "01" and encoding)
    return " · ".join(str(part) for part in parts if part)


def _beyond(drawn: Sequence[Population]) -> str:
    off = sum(
        int(found.counts[np.abs(found.values) > MAX_C].sum())
        for some in drawn
        for found in (some.of("C", "failed"), some.of("C", "solved"))
    )
    return f"{off:,} runs with |C| > {MAX_C:,.0f} are drawn at the edge." if off else ""


def _block(title: str, conditions: Sequence[tuple[Population, str, str]], width: int) -> Any:
    """The curve of a gate, and a strip of bars for each condition."""
    of = conditions[0][0].known
    assert of is not None
    seen = [some.of("C", group).values for some, _, _ in conditions
            for group in ("solved", "failed")]  # fmt: skip
    ends = domain(seen, of)
    strips = [
        _strip(some, of, ends, name, color, last=place == len(conditions) - 1)
        for place, (some, name, color) in enumerate(conditions)
    ]
    panels = [_curve(title, of, ends), *strips]
    return alt.vconcat(*(panel.properties(width=width) for panel in panels), spacing=4)


def _curve(title: str, of: Known, ends: Domain) -> alt.LayerChart:
    shape = landscape(of.gate, of.form)
    top = max([float(shape.limit), *(V for _, V, _ in places(of))])
    axis = alt.Axis(**chart_theme.FONT, grid=False, tickCount=3, format="~g")
    scale = alt.Scale(domain=[0, 1.1 * top or 1])
    y = alt.Y("loss:Q", title="V(C)", axis=axis, scale=scale)
    x = c_axis(ends, None, labels=False)
    layers = [*verticals(of, x), *curve(of, ends, x, y)]
    heading = chart_theme.panel_title(title)
    return alt.LayerChart(layer=layers, height=CURVE_HEIGHT, title=heading)


def _strip(
    some: Population, of: Known, ends: Domain, name: str, color: str, last: bool
) -> alt.LayerChart:
    """The bars of one condition: solved runs below, others on top of them."""
    edges = ends.edges(BINS)
    solved, failed = (_binned(some.of("C", group), edges) / some.runs
                      for group in ("solved", "failed"))  # fmt: skip
    rows = [
        {"C": float(edges[k]), "to": float(edges[k + 1]), "low": low, "high": high, "color": tone}
        for k in range(BINS)
        for low, high, tone in (
            (0.0, float(solved[k]), color),
            (float(solved[k]), float(solved[k] + failed[k]), chart_theme.INK),
        )
        if high > low
    ]
    x = c_axis(ends, "C" if last else None, labels=last)
    axis = alt.Axis(**{**chart_theme.FONT, "labelFontSize": 10}, values=[0.1, 1], format="%")
    scale = alt.Scale(type="sqrt", domain=[0, 1])
    bars = (
        chart_theme.data(rows)
        .mark_rect(aria=False)
        .encode(
            x=x,
            x2="to:Q",
            y=alt.Y("low:Q", title=None, axis=axis, scale=scale),
            y2="high:Q",
            color=alt.Color("color:N", scale=None),
        )
    )
    layers = [*verticals(of, x), bars]
    text = alt.Title(f"{name}: {_shares(some, of)}", fontSize=11, fontWeight="normal",
                     anchor="start", offset=2, limit=400)  # fmt: skip
    return alt.LayerChart(layer=layers, height=STRIP_HEIGHT, title=text)


def _binned(found: Distribution, edges: Any) -> Any:
    """How many runs lie in each bin; those beyond lie in the outermost."""
    at = np.searchsorted(edges, found.values, side="right") - 1
    return np.bincount(at.clip(0, len(edges) - 2), found.counts, len(edges) - 1)


def _shares(some: Population, of: Known) -> str:
    """The share of solved runs, and of those that end on the solution's side."""
    solved = f"solved {numbers.percent(some.count('solved') / some.runs)} %"
    basin = landscape(of.gate, of.form).basin
    if basin is None or not any(map(math.isfinite, basin)):
        return solved
    return f"{solved}, its side {numbers.percent(own_side(some, basin) / some.runs)} %"


def own_side(some: Population, basin: tuple[float, float]) -> int:
    """How many runs end between these C."""
    low, high = basin
    return sum(
        int(found.counts[(low < found.values) & (found.values < high)].sum())
        for found in (some.of("C", "solved"), some.of("C", "failed"))
    )
