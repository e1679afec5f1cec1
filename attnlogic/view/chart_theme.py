"""What all charts share: fonts, colours, axes, data, and how a line of many points is drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import numpy.typing as npt

FONT: dict[str, Any] = {"labelFontSize": 12, "titleFontSize": 13, "titleFontWeight": "normal"}
"""The options of every axis."""

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")
"""Okabe and Ito's colours, which the colour-blind can distinguish."""

MAX_AXIS_LABELS = 12


def data(rows: list[dict[str, Any]]) -> alt.Chart:
    """A chart of these rows, however many there are."""
    return alt.Chart(alt.InlineData(values=rows))  # inline, whatever altair's limit on rows


def epoch_axis(start: int, end: int) -> alt.X:
    """A linear axis of epochs."""
    axis = alt.Axis(**FONT, grid=False, tickCount=8, tickMinStep=1, format=",d")
    return alt.X("epoch:Q", title="epoch", axis=axis, scale=alt.Scale(domain=[start, end]))


def decades(exponents: Sequence[float]) -> range:
    """The powers of ten that enclose these exponents, at least two, within a float's range."""
    low, high = math.floor(min(exponents)), math.ceil(max(exponents))
    return range(max(low, -323), min(max(high, low + 1), 308) + 1)


def log_axis(name: str, powers: range) -> alt.Y:
    """A logarithmic axis over these powers of ten, labelled 1e-4, 1e-3, …"""
    axis = alt.Axis(
        **FONT,
        values=[float(f"1e{p}") for p in powers[:: math.ceil(len(powers) / MAX_AXIS_LABELS)]],
        labelExpr="datum.value == 1 ? '1' : format(datum.value, '.0e')",
    )
    scale = alt.Scale(type="log", domain=[float(f"1e{powers[0]}"), float(f"1e{powers[-1]}")])
    return alt.Y(f"{name}:Q", title=name, axis=axis, scale=scale)


def thinned(values: npt.NDArray[np.float64], columns: int) -> npt.NDArray[np.int64]:
    """The points that decide how a line looks when it is drawn ``columns`` pixels wide.

    Args:
      values: shape (E,), evenly spaced along the axis.
      columns: of pixels.

    Returns:
      Indices, ascending: in each column of pixels the first, the smallest, the largest and the last
      value; every index where there are few. The drawn line covers the same pixels (Jugel et al.,
      "M4: a visualization-oriented time series data aggregation", PVLDB 7, 2014).
    """
    if len(values) <= 4 * columns:
        return np.arange(len(values))
    parts = np.array_split(np.arange(len(values)), columns)
    chosen = [
        (part[0], part[values[part].argmin()], part[values[part].argmax()], part[-1])
        for part in parts
    ]
    return np.unique(chosen)
