"""The picture of a plane: its points as pixels, within a chart's axes and legends."""

from __future__ import annotations

import base64
import io
import math
from typing import Any

import altair as alt
import numpy as np

from attnlogic.problems import Initialization
from attnlogic.studies import Axis, Plane
from attnlogic.view.chart_theme import FONT, heading
from attnlogic.view.map_colors import ANCHORS, Colored, Gradient, colored

PIXELS = 1024
"""Pixels of a PNG's side, about: a point is one pixel, or a whole number of them if it is fewer."""

PER_UNIT = 2
"""Pixels of a PNG for each unit of a chart's size, as ``picture_files.save`` writes it."""


def map_chart(
    plane: Plane, by: str = "ending", pixels: int = PIXELS, *, legend: bool = True
) -> Any:
    """A plane's points as an image, one colour each.

    In a PNG of ``save`` each point is one pixel, or a square of several where there are few points.

    Args:
      plane: the plane.
      by: ``"ending"``, ``"first_hit"`` or ``"final_loss"``.
      pixels: of a PNG's side, about.
      legend: whether it says what the colours mean.

    Raises:
      InputError: ``by`` is another.
    """
    found = colored(plane, by)
    width, height = (_side(axis, pixels) for axis in (plane.x, plane.y))
    image = alt.Chart(alt.InlineData(values=[{"image": _data_url(found, width, height)}]))
    drawn = image.mark_image(
        width=width, height=height, align="left", baseline="top", smooth=False, aria=False
    ).encode(x=alt.value(0), y=alt.value(0), url="image:N")
    layers = [drawn, _axes(plane)]
    if found.names and legend:
        layers.append(_named(found.names, width))
    if found.gradient is not None and legend:
        layers.append(_gradient(found.gradient, width))
    return (
        alt.LayerChart(
            layer=layers, width=width, height=height, view=alt.ViewBackground(stroke=None)
        )
        .resolve_scale(color="independent")
        .properties(title=_title(plane, by))
    )


def _side(axis: Axis, pixels: int) -> float:
    """The length of a side: so that a point is a whole number of pixels."""
    return axis.range.points * max(1, round(pixels / axis.range.points)) / PER_UNIT


def _data_url(found: Colored, width: float, height: float) -> str:
    """A PNG of a pixel for each point, the largest y on top."""
    from PIL import Image

    image = Image.fromarray(found.codes[::-1], mode="P")
    image.putpalette([int(color[i : i + 2], 16) for color in found.palette for i in (1, 3, 5)])
    # Enlarged here: what draws an SVG may blur an image that it has to enlarge.
    image = image.resize(
        (round(width * PER_UNIT), round(height * PER_UNIT)), Image.Resampling.NEAREST
    )
    content = io.BytesIO()
    image.save(content, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"


def _axes(plane: Plane) -> Any:
    x, y = plane.x.pixel_edges, plane.y.pixel_edges
    corners = alt.Chart(alt.InlineData(values=[{"x": x[i], "y": y[i]} for i in (0, 1)]))
    return corners.mark_point(opacity=0, aria=False).encode(
        x=_channel(alt.X, "x", plane.x, plane), y=_channel(alt.Y, "y", plane.y, plane)
    )


def _channel(channel: Any, field: str, axis: Axis, plane: Plane) -> Any:
    low, high = axis.pixel_edges
    marked = ticks(low, high, log=axis.range.log)
    labels = dict(zip(marked, tick_labels(marked), strict=True))
    chosen = " : ".join(f"datum.value == {value!r} ? '{text}'" for value, text in labels.items())
    return channel(
        f"{field}:Q",
        title=axis_title(axis, plane),
        scale=alt.Scale(
            type="log" if axis.range.log else "linear", domain=[low, high], nice=False, zero=False
        ),
        axis=alt.Axis(
            **FONT, values=marked, labelExpr=f"{chosen} : ''", grid=False, labelFlush=False
        ),
    )


def axis_title(axis: Axis, plane: Plane) -> str:
    """What an axis shows: ``lr: the learning rate``, ``wq at the start``."""
    if axis.parameter is not None:
        return f"{axis.parameter} at the start"
    known = plane.training.optimizer.record.settings.get(axis.name)
    return axis.name if known is None else f"{axis.name}: {known.meaning}"


def ticks(low: float, high: float, *, log: bool) -> list[float]:
    """Round numbers between two ends, about six; on a log scale over a decade or more 1, 2, 5.

    Example:
      >>> ticks(0.01, 10, log=True), ticks(-1, 1, log=False)
      ([0.01, 0.1, 1.0, 10.0], [-1.0, -0.5, 0.0, 0.5, 1.0])
    """
    if log and high / low >= 10:
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        every = math.ceil(len(powers) / 8)
        factors = (1, 2, 5) if high / low <= 300 else (1,)
        marked = [float(f"{f}e{p}") for p in powers[::every] for f in factors]
    else:
        rough = (high - low) / 6.5
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(f * power for f in (1, 2, 5, 10) if f * power >= rough)
        digits = max(0, -math.floor(math.log10(step)))
        first, last = math.ceil(low / step), math.floor(high / step)
        marked = [round(k * step, digits) + 0.0 for k in range(first, last + 1)]
    return [value for value in marked if low <= value <= high]


def tick_labels(marked: list[float]) -> list[str]:
    """Numbers as short as they can be told apart; typographic minus signs."""
    texts = [f"{value:.15g}" for value in marked]
    return [text.replace("-", "−") for text in texts]


def _named(names: dict[str, str], width: float) -> Any:
    rows = [{"name": name} for name in names]
    legend = alt.Legend(
        title=None, orient="bottom", labelFontSize=12, symbolType="square", symbolOpacity=1,
        symbolStrokeWidth=0, symbolSize=140,
        columns=max(2, round(width / 85)),
    )  # fmt: skip
    scale = alt.Scale(domain=[*names], range=[*names.values()])
    return (
        alt.Chart(alt.InlineData(values=rows))
        .mark_square(opacity=0, aria=False)
        .encode(color=alt.Color("name:N", scale=scale, legend=legend, sort=[*names]))
    )


_SHORT = (
    "datum.value >= 1e-3 && datum.value < 1e4 ? format(datum.value, ',~g') : "
    "replace(format(datum.value, '.0e'), '+', '')"
)
"""A number as a legend has it, in Vega's language: 0.02, 5,000, 1e-8."""


def _gradient(gradient: Gradient, width: float) -> Any:
    low, high = gradient.low, gradient.high
    anchors = np.geomspace(low, high, len(ANCHORS)).tolist()
    values = ticks(low, high, log=True)
    legend = alt.Legend(
        title=gradient.title, orient="bottom", direction="horizontal", labelFontSize=12,
        titleFontSize=12, titleFontWeight="normal",
        gradientLength=min(300, 0.85 * width), gradientThickness=12,
        values=values, labelExpr=_SHORT,
    )  # fmt: skip
    scale = alt.Scale(type="log", domain=anchors, range=[*ANCHORS])
    rows = [{"value": low}, {"value": high}]
    return (
        alt.Chart(alt.InlineData(values=rows))
        .mark_square(opacity=0, aria=False)
        .encode(color=alt.Color("value:Q", scale=scale, legend=legend))
    )


def _title(plane: Plane, by: str) -> alt.Title:
    training = plane.training
    start = "" if plane.init == Initialization() else f", start {plane.init}"
    precision = "" if training.precision == "float32" else f", {training.precision}"
    said = (
        f"Each of {plane.x.range.points:,} × {plane.y.range.points:,} points is one training: "
        f"{training.epochs:,} epochs, seed {plane.seed}{start}{precision}."
    )
    explained = {
        "ending": "Colour: where the run ended.",
        "first_hit": f"Colour: the first epoch whose loss ≤ {training.threshold:g}.",
        "final_loss": "Colour: the loss of the last epoch; what lies beyond the scale has its "
        "end's colour.",
    }
    return heading(str(training), said, explained[by])
