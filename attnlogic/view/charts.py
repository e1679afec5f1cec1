"""Pictures. Each function returns an Altair chart, to show in a notebook or to ``save``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import numpy.typing as npt
import polars as pl

from attnlogic.errors import InputError
from attnlogic.outcomes import NONE, rung_name
from attnlogic.results import CONDITION, labels
from attnlogic.studies import Run

FORMATS = ("svg", "png", "html")


# Okabe and Ito's colors, which stay apart for the color-blind, and a dash for one mark.
_MARKS = {
    "loss": ("#0072B2", [1, 0]),
    "threshold": ("#000000", [6, 4]),
    "first hit": ("#009E73", [1, 0]),
    "rise": ("#D55E00", [1, 0]),
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
      first_hit: marked with a vertical line.
      rises: epochs, marked along the lower edge, where thousands hide nothing.
      start: the first epoch drawn: a later one shows the tail.
      title: the chart's title.

    Raises:
      InputError: no epoch is left to draw, or the threshold is no positive number.

    Example:
      >>> loss_history(run.history.losses, threshold=1e-4, start=400)
    """
    values = np.asarray(losses, float)
    if values.ndim != 1:
        raise InputError(f"expected the losses of one run, got an array of shape {values.shape}")
    if threshold is not None and not 0 < threshold < math.inf:
        raise InputError(f"threshold: expected a loss above 0, got {threshold!r}")
    finite = np.isfinite(values)
    if not 0 <= start < len(values) or not finite[start:].any():
        raise InputError(f"nothing to draw from epoch {start}: the run has {len(values)} epochs")
    positive = values[finite & (values > 0)]
    values = np.maximum(values, positive.min() if positive.size else np.finfo(float).tiny)
    drawn = np.flatnonzero(finite[start:]) + start
    exponents = [*np.log10(values[drawn])]
    if threshold is not None:
        exponents += [math.log10(threshold) - 0.3, math.log10(threshold) + 0.3]  # off the edges
    x, y = _epoch_axis(start, len(values)), _log_axis("loss", exponents)
    points = [{"epoch": int(e), "loss": float(values[e])} for e in drawn]
    layers = {"loss": _data(points).mark_line(strokeWidth=1, strokeJoin="round").encode(x=x, y=y)}
    risen = [{"epoch": int(e)} for e in rises if start <= e < len(values)]
    if risen:
        edge = _data(risen).mark_tick(size=10, thickness=1, opacity=0.5, yOffset=-5)
        layers["rise"] = edge.encode(x=x, y=alt.value("height"))
    if threshold is not None:
        layers["threshold"] = _data([{"loss": threshold}]).mark_rule().encode(y=y)
    if first_hit is not None and first_hit >= start:
        line = _data([{"epoch": int(first_hit)}]).mark_rule(strokeWidth=1.5)
        layers["first hit"] = line.encode(x=x)
    return _with_legend(layers, width=720, height=360, title=title)


_FONT: dict[str, Any] = {"labelFontSize": 12, "titleFontSize": 13, "titleFontWeight": "normal"}


def _epoch_axis(start: int, end: int) -> alt.X:
    axis = alt.Axis(**_FONT, grid=False, tickCount=8, tickMinStep=1, format=",d")
    return alt.X("epoch:Q", title="epoch", axis=axis, scale=alt.Scale(domain=[start, end]))


def _log_axis(name: str, exponents: Sequence[float]) -> alt.Y:
    """From one power of ten to another, around these; twelve labels at most: 1e-4, 1e-3, …"""
    low, high = math.floor(min(exponents)), math.ceil(max(exponents))
    powers = range(max(low, -323), min(max(high, low + 1), 308) + 1)  # those that a float has
    axis = alt.Axis(
        **_FONT,
        values=[float(f"1e{power}") for power in powers[:: math.ceil(len(powers) / 12)]],
        labelExpr="datum.value == 1 ? '1' : format(datum.value, '.0e')",
    )
    scale = alt.Scale(type="log", domain=[float(f"1e{powers[0]}"), float(f"1e{powers[-1]}")])
    return alt.Y(f"{name}:Q", title=name, axis=axis, scale=scale)


def _data(rows: list[dict[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=rows))  # inline, whatever altair's limit on rows


def _with_legend(layers: dict[str, alt.Chart], **properties: Any) -> alt.LayerChart:
    """Layers one upon the other, and one legend that tells those there are apart."""
    names = [name for name in _MARKS if name in layers]
    colors, dashes = zip(*(_MARKS[name] for name in names), strict=True)
    legend = alt.Legend(
        orient="bottom",
        symbolType="stroke",
        symbolSize=300,
        symbolStrokeWidth=2,
        symbolOpacity=1,
        labelFontSize=12,
    )

    def named(channel: Any, looks: Sequence[Any]) -> Any:
        scale = alt.Scale(domain=names, range=looks)
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
        title=f"{run.training.gate} · {run.training.optimizer} · seed {run.seed}",
    )


def ladder(curves: pl.DataFrame) -> alt.FacetChart:
    """The share of runs that got at or below each loss, against the epoch: a panel a condition.

    Args:
      curves: what ``ladder.curves`` gives, best with some hundred points a curve.

    Raises:
      InputError: there is no curve: no run got to any of the losses.
    """
    if curves.is_empty():
        raise InputError("nothing to draw: no run got to any of the ladder's losses")
    keys = curves.select(*CONDITION).unique(maintain_order=True)
    named = keys.with_columns(label=pl.Series(labels(keys.to_dicts()), dtype=pl.String))
    rows = curves.join(named, on=[*CONDITION], maintain_order="left").select(
        "gate",
        optimizer="label",
        loss=pl.col("loss").map_elements(rung_name, pl.String),
        epoch=pl.max_horizontal("epoch", 1),  # a log axis has no 0
        share="share",
    )
    axis = alt.Axis(**_FONT, format="~s", tickCount=5, grid=False)
    scale = alt.Scale(type="log", domain=[1, max(rows["epoch"])], nice=False)
    losses = sorted(rows["loss"].unique(), key=float, reverse=True)
    legend = alt.Legend(title="loss ≤", symbolType="stroke", symbolStrokeWidth=3)
    lines = (
        _data(rows.to_dicts())
        .mark_line(interpolate="step-after", strokeWidth=1.5)
        .encode(
            x=alt.X("epoch:Q", title="epoch", axis=axis, scale=scale),
            y=alt.Y("share:Q", title="runs, %", scale=alt.Scale(domain=[0, 1]),
                    axis=alt.Axis(**_FONT, format="%", tickCount=4)),
            color=alt.Color("loss:N", sort=losses, legend=legend,
                            scale=alt.Scale(domain=losses, scheme="viridis")),
        )
        .properties(width=170, height=130)
    )  # fmt: skip
    gates, optimizers = ([*dict.fromkeys(rows[name])] for name in ("gate", "optimizer"))
    panels: alt.FacetChart = lines.facet(
        row=alt.Row("gate:N", sort=gates, title=None),
        column=alt.Column("optimizer:N", sort=optimizers, title=None),
    )
    return panels


def file_format(path: Path) -> str:
    """The picture's format, from the file's name.

    Raises:
      InputError: the ending is none of ``FORMATS``.
    """
    ending = path.suffix.lower().lstrip(".")
    if ending not in FORMATS:
        raise InputError(f"'{path}': expected a name that ends in .{', .'.join(FORMATS)}")
    return ending


def save(chart: Any, path: Path) -> None:
    """Write a chart to an .svg, .png or .html file; the page needs no network.

    Raises:
      InputError: the ending is another, or the file cannot be written.
    """
    kind = file_format(path)
    options: dict[str, Any] = {"inline": True} if kind == "html" else {}
    if kind == "png":
        options["scale_factor"] = 2
    try:
        chart.save(str(path), format=kind, **options)
    except OSError as error:
        raise InputError(f"cannot write '{path}': {error.strerror}") from error
