"""Pictures. Each function returns an Altair chart, to show in a notebook or to ``save``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import numpy.typing as npt

from attnlogic.errors import InputError
from attnlogic.outcomes import NONE
from attnlogic.single import Run

FORMATS = ("svg", "png", "html")


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
      rises: epochs, marked with points.
      start: the first epoch drawn: a later one shows the tail.
      title: the chart's title.

    Raises:
      InputError: no epoch is left to draw.
    """
    values = np.asarray(losses, float)
    finite = np.isfinite(values)
    if not 0 <= start < len(values) or not finite[start:].any():
        raise InputError(f"nothing to draw from epoch {start}: the run has {len(values)} epochs")
    positive = values[finite & (values > 0)]
    values = np.maximum(values, positive.min() if positive.size else np.finfo(float).tiny)
    epochs = [int(e) for e in np.flatnonzero(finite) if e >= start]
    x = alt.X("epoch:Q", title="epoch", scale=alt.Scale(domain=[start, len(values)], nice=False))
    y = alt.Y("loss:Q", title="loss", scale=alt.Scale(type="log"), axis=alt.Axis(format=".0e"))
    # One legend for all marks: the color names what each one is.
    color = alt.Color("mark:N", title=None, scale=_COLORS, legend=alt.Legend(orient="bottom"))

    def layer(mark: str, points: list[dict[str, float]]) -> alt.Chart:
        rows = [{**point, "mark": mark} for point in points]
        return alt.Chart(alt.InlineData(values=rows)).encode(color=color)

    layers = [
        layer("loss", [{"epoch": e, "loss": float(values[e])} for e in epochs])
        .mark_line(strokeWidth=1)
        .encode(x=x, y=y)
    ]
    if threshold is not None:
        drawn = layer("threshold", [{"loss": threshold}])
        layers.append(drawn.mark_rule(strokeDash=[6, 4]).encode(y=y))
    if first_hit is not None and first_hit >= start:
        drawn = layer("first hit", [{"epoch": first_hit}])
        layers.append(drawn.mark_rule(strokeWidth=1.5).encode(x=x))
    risen = [{"epoch": e, "loss": float(values[e])} for e in rises if e >= start and finite[e]]
    if risen:
        drawn = layer("rise", risen)
        layers.append(drawn.mark_point(size=12, filled=True, opacity=0.6).encode(x=x, y=y))
    return alt.LayerChart(layer=layers, width=720, height=360, title=title)


# Okabe and Ito's colors, which stay apart for the color-blind.
_COLORS = alt.Scale(
    domain=["loss", "threshold", "first hit", "rise"],
    range=["#0072B2", "#555555", "#009E73", "#D55E00"],
)


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
