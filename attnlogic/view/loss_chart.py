"""The picture of one run: the loss of each epoch, with threshold, first hit and rises."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import numpy.typing as npt

from attnlogic.errors import InputError
from attnlogic.outcomes import NONE
from attnlogic.studies import Run
from attnlogic.view.chart_colors import COLORS
from attnlogic.view.chart_theme import (
    data,
    decades,
    epoch_axis,
    heading,
    log_axis,
    thinned,
)

WIDTH, HEIGHT = 420, 240
"""Of the picture, in pixels."""

Looks = dict[str, tuple[str, list[int]]]
"""A colour and a dash for each mark."""

MARKS: Looks = {
    "loss": (COLORS[0], [1, 0]),
    "threshold": (COLORS[7], [6, 4]),
    "first hit": (COLORS[2], [1, 0]),
    "rise": (COLORS[1], [1, 0]),
}


def loss_history(
    losses: npt.ArrayLike,
    *,
    threshold: float | None = None,
    first_hit: int | None = None,
    rises: Sequence[int] = (),
    start: int = 0,
    title: str = "",
) -> alt.LayerChart:
    """The loss of each epoch on a log axis; threshold, first hit and rises are marked.

    Args:
      losses: shape (E,). A loss that is not finite is left out; a loss of 0 is drawn at the
        smallest positive one, for a log axis has no 0.
      threshold: drawn as a dashed line.
      first_hit: marked with a vertical line; if it lies before ``start`` the subtitle says so.
      rises: epochs, marked along the lower edge, where thousands hide nothing.
      start: the first epoch drawn: a later one shows the tail.
      title: the chart's title.

    Raises:
      InputError: no epoch is left to draw, or the threshold is no positive number.

    Example:
      >>> chart = loss_history([1.0, 0.1, 0.01], threshold=0.05, first_hit=2)
    """
    values = np.asarray(losses, float)
    if values.ndim != 1:
        raise InputError(f"expected the losses of one run, got an array of shape {values.shape}")
    if threshold is not None and not 0 < threshold < math.inf:
        raise InputError(f"threshold: expected a finite loss above 0, got {threshold!r}")
    finite = np.isfinite(values)
    if not 0 <= start < len(values) or not finite[start:].any():
        raise InputError(f"nothing to draw from epoch {start}: the run has {len(values)} epochs")
    positive = values[finite & (values > 0)]
    values = np.maximum(values, positive.min() if positive.size else np.finfo(float).tiny)
    drawn = np.flatnonzero(finite[start:]) + start
    drawn = drawn[thinned(values[drawn], WIDTH)]
    powers = decades(exponents(values[drawn], threshold))
    x, y = epoch_axis(start, len(values)), log_axis("loss", powers)
    points = [{"epoch": int(e), "loss": float(values[e])} for e in drawn]
    layers = {
        "loss": data(points)
        .mark_line(strokeWidth=1, strokeJoin="round", clip=True)
        .encode(x=x, y=y)
    }
    risen = [int(e) for e in rises if start <= e < len(values)]
    if risen:
        layers["rise"] = ticks(risen, powers).encode(x=x, y=y)
    if threshold is not None:
        layers["threshold"] = data([{"loss": threshold}]).mark_rule().encode(y=y)
    subtitle = ""
    if first_hit is not None and first_hit >= start:
        line = data([{"epoch": int(first_hit)}]).mark_rule(strokeWidth=1.5)
        layers["first hit"] = line.encode(x=x)
    elif first_hit is not None:
        subtitle = f"from epoch {start:,}; first hit before, at epoch {first_hit:,}"
    elif start:
        subtitle = f"from epoch {start:,}; no hit"
    return with_legend(layers, MARKS, width=WIDTH, height=HEIGHT, title=heading(title, subtitle))


MAX_DECADES_BELOW = 4
"""Decades that a picture shows below the threshold, or below the median loss if that is lower.
What lies deeper is the rounding of a loss that is as good as 0."""


def exponents(values: npt.NDArray[np.float64], threshold: float | None) -> list[float]:
    """The exponents that the loss axis encloses."""
    logs = np.log10(values)
    if threshold is None:
        return [float(logs.min()), float(logs.max())]
    rule = math.log10(threshold)
    floor = min(rule, float(np.median(logs))) - MAX_DECADES_BELOW
    low, high = max(float(logs.min()), floor), max(float(logs.max()), floor)
    return [low, high, rule - 0.3, rule + 0.3]  # the threshold's line lies off the edges


def ticks(epochs: Sequence[int], powers: range, row: int = 0, height: float = 0.03) -> Any:
    """A short vertical stroke at each epoch, above the lower edge: one path for all.

    Args:
      epochs: where.
      powers: of ten, of the loss axis.
      row: how many rows of strokes lie below.
      height: of a row, as a share of the chart's.
    """
    low, span = 10.0 ** powers[0], powers[-1] - powers[0]
    ends = [low * 10 ** (height * span * place) for place in (row, row + 1)]
    rows: list[dict[str, Any]] = []
    for e in epochs:
        rows += [{"epoch": e, "loss": end} for end in ends]
        rows.append({"epoch": e, "loss": None})
    return data(rows).mark_line(strokeWidth=1, opacity=0.5, invalid="break-paths-filter-domains")


def with_legend(layers: dict[str, alt.Chart], looks: Looks, **properties: Any) -> alt.LayerChart:
    """Layers one upon the other, with one legend for all.

    Args:
      layers: by their names.
      looks: a colour and a dash for each name, in the legend's order.
      **properties: of the chart.
    """
    names = [name for name in looks if name in layers]
    colors, dashes = zip(*(looks[name] for name in names), strict=True)
    legend = alt.Legend(
        orient="bottom",
        columns=5,
        symbolType="stroke",
        symbolSize=300,
        symbolStrokeWidth=2,
        symbolOpacity=1,
        labelFontSize=12,
    )

    def named(channel: Any, values: Sequence[Any]) -> Any:
        scale = alt.Scale(domain=names, range=values)
        return channel("mark:N", title=None, scale=scale, legend=legend if names[1:] else None)

    channels = named(alt.Color, colors), named(alt.StrokeDash, dashes)
    layered = [
        layer.transform_calculate(mark=f"'{name}'").encode(*channels)
        for name, layer in layers.items()
    ]
    return alt.LayerChart(layer=layered, **properties)


def run_history(run: Run, *, start: int = 0) -> alt.LayerChart:
    """``loss_history`` of a run, everything marked."""
    hit = int(run.outcome.first_hit)
    return loss_history(
        run.history.losses,
        threshold=run.training.threshold,
        first_hit=None if hit == NONE else hit,
        rises=run.rises,
        start=start,
        title=f"{run.training} · seed {run.seed}",
    )
