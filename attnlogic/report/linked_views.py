"""The views of single runs that one choice links, as Vega-Lite.

All read the data ``"runs"`` and three parameters: ``condition``, which runs are shown, and ``low``
and ``high``, between which their ``x`` is chosen. Dragging over the first view sets the last two,
and so do the page's two fields, for keyboards. No text of a user's is in an expression.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import altair as alt

from attnlogic.view import COLORS, chart_theme

SIZE = 260
"""The height of a view in pixels."""

STATUSES = {"solved": "#009E73", "lost": "#E69F00", "unsolved": "#D55E00"}
"""The colour of each status; runs that diverged have no end to show."""

_POWER = "replace(format(datum.value, '.0e'), '+', '')"
_CHOSEN = "datum.x >= low && datum.x <= high"


class View(NamedTuple):
    """A view of the data ``"runs"``.

    Attributes:
      title: what it shows.
      spec: as Vega-Lite has it.
    """

    title: str
    spec: dict[str, Any]


class ChoiceAxis(NamedTuple):
    """The axis along which runs are chosen.

    Attributes:
      title: what is on it.
      low, high: its ends.
      logarithmic: whether it is that throughout; else it is linear around 0.
    """

    title: str
    low: float
    high: float
    logarithmic: bool


def linked_views(by: ChoiceAxis, beside: str, plane: bool, epochs: int) -> list[View]:
    """The views, each of the page's width or less.

    Args:
      by: the axis of choice.
      beside: the name of the loss on the other axis.
      plane: whether runs have the readout's weights w1 and w2.
      epochs: the largest budget of a run.
    """
    legend = alt.Legend(title=None, orient="bottom", labelFontSize=12, symbolOpacity=1, columns=3)
    color = chart_theme.colors("status", STATUSES, legend)
    views = {f"Runs by {by.title}: drag to choose": _choice(by, beside, color)}
    if plane:
        views["Their readout w1, w2"] = _plane(chart_theme.colors("status", STATUSES, None))
    views["First hits: all grey, chosen blue"] = _first_hits(epochs)
    return [View(title, _spec(view)) for title, view in views.items()]


def _spec(view: Any) -> dict[str, Any]:
    sized = view.add_params(*_params()).properties(width="container", height=SIZE)
    spec: dict[str, Any] = sized.to_dict()
    del spec["config"]  # altair's sizes; the page brings its colours
    return spec


def _params() -> list[alt.Parameter]:
    values = {"condition": 0, "low": -1e300, "high": 1e300}
    return [alt.param(name=name, value=value) for name, value in values.items()]


def _runs() -> Any:
    return alt.Chart(alt.NamedData("runs")).transform_filter("datum.condition === condition")


def _choice(by: ChoiceAxis, beside: str, color: alt.Color) -> Any:
    """Runs by what they are chosen by and by a loss; a drag along the axis chooses."""
    kind = alt.Scale(type="log") if by.logarithmic else alt.Scale(type="symlog", constant=0.3)
    scale = kind.copy()
    scale["domain"], scale["nice"], scale["clamp"] = [by.low, by.high], False, True
    axis = alt.Axis(**chart_theme.FONT, grid=False, labelOverlap=True, tickCount=5)
    axis["labelExpr"] = _POWER if by.logarithmic else "format(datum.value, '~r')"
    if not by.logarithmic:
        axis["values"] = _ticks(by.low, by.high)
    x = alt.X("x:Q", title=by.title, scale=scale, axis=axis)
    brush = alt.selection_interval(
        name="brush", encodings=["x"], mark=alt.BrushConfig(fillOpacity=0, strokeOpacity=0)
    )
    points = _points().encode(x=x, y=_log_y("y", beside), color=color, opacity=_opacity())
    band = (
        alt.Chart(alt.InlineData(values=[{}]))
        .mark_rect(color=chart_theme.INK, opacity=0.18, clip=True)
        .encode(
            x=alt.XDatum(alt.expr("low"), type="quantitative", scale=scale),
            x2=alt.X2Datum(alt.expr("high")),
        )
    )
    return alt.layer(band, points.add_params(brush))


def _ticks(low: float, high: float) -> list[float]:
    """0 and the powers of ten within the axis, from 0.1 where it ends below 1."""
    least = 0 if max(-low, high) > 1 else -1
    ticks = [0.0, *(sign * 10.0**k for k in range(least, 3) for sign in (-1, 1))]
    return [tick for tick in sorted(ticks) if low <= tick <= high]


def _plane(color: alt.Color) -> Any:
    axes: dict[str, Any] = {"axis": alt.Axis(**chart_theme.FONT, grid=False, tickCount=5)}
    scale = alt.Scale(zero=False)
    points = _points().encode(
        x=alt.X("w1:Q", scale=scale, **axes), y=alt.Y("w2:Q", scale=scale, **axes),
        color=color, opacity=_opacity(),
    )  # fmt: skip
    return points.transform_filter("isValid(datum.w1) && isValid(datum.w2)")


def _first_hits(epochs: int) -> Any:
    """The share of runs that have hit by an epoch: of all, and of the chosen ones."""
    axis = alt.Axis(**chart_theme.FONT, grid=False, format="~s", labelOverlap=True, tickCount=4)
    scale = alt.Scale(type="log", domain=[1, max(epochs, 2)], nice=False)
    x = alt.X("epoch:Q", title="epoch", axis=axis, scale=scale)
    y = chart_theme.percent_axis("share", "have hit")

    def line(runs: Any, color: str, width: float) -> Any:
        return (
            runs.transform_joinaggregate(total="count()")
            .transform_filter("isValid(datum.hit)")
            .transform_window(hits="count()", sort=[alt.SortField("hit")])
            .transform_calculate(share="datum.hits / datum.total", epoch="max(1, datum.hit)")
            .mark_line(interpolate="step-after", color=color, strokeWidth=width, aria=False)
            .encode(x=x, y=y)
        )

    every = line(_runs(), chart_theme.INK, 1.5)
    chosen = line(_runs().transform_filter(_CHOSEN), COLORS[0], 2.5)
    return alt.layer(every, chosen)


def _points() -> Any:
    return _runs().mark_circle(size=18, aria=False, clip=True)


def _opacity() -> Any:
    return alt.condition(_CHOSEN, alt.value(0.75), alt.value(0.06))


def _log_y(field: str, title: str) -> alt.Y:
    axis = alt.Axis(
        **chart_theme.FONT,
        grid=False,
        tickCount=6,
        labelOverlap=True,
        labelExpr=_POWER,
    )
    return alt.Y(f"{field}:Q", title=title, scale=alt.Scale(type="log", nice=False), axis=axis)
