"""What all charts share: sizes, fonts, light and dark, captions, axes, data.

A chart has no configuration within, so that a notebook can lay charts side by side and theme them;
``themed`` adds the colours of text, axes and background. What a chart draws in colours of its own
reads on both: Okabe and Ito's, and ``INK`` for reference lines.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import numpy.typing as npt

from attnlogic.errors import unknown

COLUMN = 480
"""The width of a chart in pixels. Printed 85 mm wide, its 12 pixels are 6.4 points."""

FONT: dict[str, Any] = {"labelFontSize": 12, "titleFontSize": 13, "titleFontWeight": "normal"}
"""The options of every axis."""

FONTS = "Arial, Liberation Sans, Helvetica, sans-serif"
"""The fonts of a chart: all of one width, so that lines of text fit wherever it is shown."""

INK = "#808080"
"""The colour of reference lines: it stands out from white and from black alike."""

SHADES = alt.SchemeParams(name="viridis", extent=[0.2, 0.95])
"""Colours of what is ordered, from dark to light, without those that a dark ground swallows."""

PANEL_TITLE: dict[str, Any] = {"fontSize": 12, "fontWeight": "normal", "anchor": "start"}
"""The options of a panel's title."""

_SHADES = {
    "light": {"background": "#ffffff", "text": "#1a1a1a", "soft": "#4d4d4d", "line": "#d9d9d9"},
    "dark": {"background": "#14171a", "text": "#ececec", "soft": "#b8b8b8", "line": "#3d4248"},
}

THEMES = tuple(_SHADES)


def config(theme: str) -> dict[str, Any]:
    """Vega-Lite's configuration of a theme.

    Args:
      theme: ``"light"`` or ``"dark"``.

    Raises:
      InputError: another theme.
    """
    if theme not in _SHADES:
        raise unknown("theme", theme, THEMES)
    shade = _SHADES[theme]
    text, soft, line = shade["text"], shade["soft"], shade["line"]
    return {
        "font": FONTS,
        "background": shade["background"],
        "axis": {
            "labelColor": text, "titleColor": text, "domainColor": soft, "tickColor": soft,
            "gridColor": line,
        },
        "legend": {"labelColor": text, "titleColor": text},
        "header": {"labelColor": text, "titleColor": text},
        "title": {"color": text, "subtitleColor": soft},
        "text": {"color": text},
        "view": {"stroke": line},
    }  # fmt: skip


def themed(chart: Any, theme: str = "light") -> Any:
    """The chart with the colours of a theme for text, axes and background.

    Raises:
      InputError: another theme than ``THEMES``.
    """
    dressed = chart.copy(deep=False)
    dressed.config = alt.Config.from_dict(config(theme))
    return dressed


LINE_LENGTH = 80
"""Characters of a caption's line: as many as ``COLUMN`` holds, in wide fonts, too."""


def heading(title: str, *caption: str) -> alt.Title:
    """A chart's title, and its caption below it: sentences, in lines that fit ``COLUMN``."""
    lines = textwrap.wrap(" ".join(part for part in caption if part), LINE_LENGTH)
    wrapped = textwrap.wrap(title, LINE_LENGTH - 20) or [""]
    return alt.Title(
        wrapped if len(wrapped) > 1 else wrapped[0],
        subtitle=lines or alt.Undefined,
        anchor="start",
        frame="bounds",
        fontSize=14,
        subtitleFontSize=11,
        offset=10,
    )


def with_sentence(chart: Any, sentence: str) -> Any:
    """The chart with a sentence at the end of its caption; ``chart`` itself where that is empty."""
    if not sentence:
        return chart
    said = chart.copy(deep=False)
    before = [] if chart.title.subtitle is alt.Undefined else chart.title.subtitle
    said.title = chart.title.copy()
    said.title.subtitle = [*before, *textwrap.wrap(sentence, LINE_LENGTH)]
    return said


def panel_title(text: str) -> alt.Title:
    """A panel's title."""
    return alt.Title(text, **PANEL_TITLE, limit=COLUMN)


MAX_LEGEND = 30
"""Lines that a legend names, at most; of more it says how many it leaves out."""


def line_legend(names: Iterable[str]) -> alt.Legend:
    """A legend of lines below the chart, in as many columns as fit."""
    longest = max(map(len, names), default=0)
    limit = 200
    return alt.Legend(
        title=None, orient="bottom", columns=max(1, COLUMN // (30 + min(limit, 7 * longest))),
        labelLimit=limit, labelFontSize=12, symbolType="stroke", symbolStrokeWidth=3,
        symbolOpacity=1, symbolLimit=MAX_LEGEND,
    )  # fmt: skip


def mark_legend() -> alt.Legend:
    """A legend below the chart for kinds of marks, whatever their colours."""
    return alt.Legend(
        title=None, orient="bottom", labelFontSize=12, symbolFillColor=INK, symbolStrokeColor=INK
    )


def colors(field: str, of: Mapping[str, str], legend: alt.Legend | None) -> alt.Color:
    """The colours of some names, in their order, with a legend of more than one."""
    scale = alt.Scale(domain=[*of], range=[*of.values()])
    shown = legend if len(of) > 1 else None
    return alt.Color(f"{field}:N", sort=[*of], scale=scale, legend=shown)


def data(rows: list[dict[str, Any]]) -> alt.Chart:
    """A chart of these rows, however many there are."""
    return alt.Chart(alt.InlineData(values=rows))  # inline, whatever altair's limit on rows


def percent_axis(field: str, title: str, channel: Any = alt.Y, **axis: Any) -> Any:
    """An axis of shares from 0 to 1, labelled in percent."""
    return channel(
        f"{field}:Q",
        title=title,
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(**{**FONT, "format": "%", "tickCount": 4, "labelFlush": False, **axis}),
    )


def epoch_axis(start: int, end: int) -> alt.X:
    """A linear axis of epochs."""
    axis = alt.Axis(**FONT, grid=False, tickCount=8, tickMinStep=1, format=",d")
    return alt.X("epoch:Q", title="epoch", axis=axis, scale=alt.Scale(domain=[start, end]))


def decades(exponents: Sequence[float]) -> range:
    """The powers of ten that enclose these exponents, at least two, within a float's range."""
    low, high = math.floor(min(exponents)), math.ceil(max(exponents))
    return range(max(low, -323), min(max(high, low + 1), 308) + 1)


def log_axis(
    name: str, powers: range, title: str | None = None, channel: Any = alt.Y, most: int = 12
) -> Any:
    """A logarithmic axis over these powers of ten, labelled 1e-4, 1e-3, …

    Args:
      name: of the field.
      powers: from the axis's end to its other, at least two.
      title: the axis's; None for the field's name.
      channel: ``alt.X`` or ``alt.Y``.
      most: how many labels it may have.
    """
    axis = alt.Axis(
        **FONT,
        values=[float(f"1e{p}") for p in powers[:: math.ceil(len(powers) / most)]],
        labelExpr="datum.value == 1 ? '1' : replace(format(datum.value, '.0e'), '+', '')",
    )
    scale = alt.Scale(type="log", domain=[float(f"1e{powers[0]}"), float(f"1e{powers[-1]}")])
    return channel(f"{name}:Q", title=title or name, axis=axis, scale=scale)


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
