"""The picture of several runs of one condition: a line for each, or bands of many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import numpy.typing as npt

from attnlogic.errors import InputError
from attnlogic.outcomes import NONE
from attnlogic.studies import Run
from attnlogic.view.chart_colors import COLORS
from attnlogic.view.chart_theme import INK, data, decades, epoch_axis, heading, log_axis, thinned
from attnlogic.view.loss_chart import (
    HEIGHT,
    WIDTH,
    Looks,
    exponents,
    run_history,
    ticks,
    with_legend,
)

MAX_LINES = 8
"""Runs that have a line of their own, at most: more are drawn as bands."""

COLUMNS = 210
"""Columns of a band: of the epochs in each the widest quantiles are drawn."""

BANDS = {"5 % to 95 %": (0.05, 0.95, 0.2), "quartiles": (0.25, 0.75, 0.4)}
"""A band's name -> its quantiles and its opacity."""


def runs_history(runs: Sequence[Run], *, start: int = 0) -> alt.LayerChart:
    """The losses of some runs of one condition, as lines or, of more than ``MAX_LINES``, as bands.

    Args:
      runs: of one training, with different seeds; of one it is ``run_history``.
      start: the first epoch drawn.

    Raises:
      InputError: there is no run, or no epoch is left to draw.
    """
    if not runs:
        raise InputError("nothing to draw: there is no run")
    if len(runs) == 1:
        return run_history(runs[0], start=start)
    training = runs[0].training
    hits = sum(run.outcome.first_hit != NONE for run in runs)
    title = f"{training} · seeds {_listed([run.seed for run in runs])}"
    said = f"{hits} of {len(runs)} runs reached the threshold {training.threshold:g} (dashed)."
    losses = _losses(runs)
    if start >= len(losses) or not np.isfinite(losses[start:]).any():
        raise InputError(
            f"nothing to draw from epoch {start}: the longest run has {len(losses)} epochs"
        )
    if len(runs) > MAX_LINES:
        return loss_bands(losses, threshold=training.threshold, start=start, title=title, said=said)
    return _lines(runs, losses, start, title, said)


def _listed(seeds: Sequence[int]) -> str:
    """Seeds in short: ``0 … 7``; as they are where they do not follow each other."""
    if len(seeds) > 2 and [*seeds] == [*range(seeds[0], seeds[0] + len(seeds))]:
        return f"{seeds[0]} … {seeds[-1]}"
    return ", ".join(map(str, seeds))


def _losses(runs: Sequence[Run]) -> npt.NDArray[np.float64]:
    """The losses of runs, (E, N): infinite from where one diverged, the last where one stopped."""
    epochs = max(len(run.history.losses) for run in runs)
    losses = np.empty((epochs, len(runs)))
    for column, run in enumerate(runs):
        own = np.asarray(run.history.losses, float)
        losses[: len(own), column] = np.where(np.isfinite(own), own, np.inf)
        losses[len(own) :, column] = losses[len(own) - 1, column]
    return losses


def _drawable(losses: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Losses of 0 at the smallest positive one, for a log axis has no 0."""
    positive = losses[np.isfinite(losses) & (losses > 0)]
    return np.maximum(losses, positive.min() if positive.size else np.finfo(float).tiny)


def _lines(
    runs: Sequence[Run], losses: npt.NDArray[np.float64], start: int, title: str, said: str
) -> alt.LayerChart:
    """A line for each run, its first hit as a dot on the threshold, its rises as a row of ticks."""
    losses, threshold = _drawable(losses), runs[0].training.threshold
    shown = losses[start:][np.isfinite(losses[start:])]
    logs = exponents(shown, threshold)
    powers = decades([min(logs) - 0.5, *logs])  # room for the ticks
    x, y = epoch_axis(start, len(losses)), log_axis("loss", powers)
    layers: dict[str, alt.Chart] = {}
    looks: Looks = {}
    dots = []
    for row, run in enumerate(runs):
        name = f"seed {run.seed}"
        looks[name] = (COLORS[:6][row % 6], [1, 0] if row < 6 else [4, 2])
        own = losses[start : len(run.history.losses), row]
        drawn = np.flatnonzero(np.isfinite(own))
        drawn = drawn[thinned(own[drawn], WIDTH // 2)]
        points = [{"epoch": int(e) + start, "loss": float(own[e])} for e in drawn]
        layers[name] = data(points).mark_line(strokeWidth=1, clip=True).encode(x=x, y=y)
        color = alt.value(looks[name][0])
        risen = [e for e in run.rises if e >= start]
        if risen:
            dots.append(ticks(risen, powers, row, 0.016).encode(x=x, y=y, color=color))
        hit = int(run.outcome.first_hit)
        if hit != NONE and hit >= start:
            mark = data([{"epoch": hit, "loss": threshold}]).mark_point(size=50, opacity=1)
            dots.append(mark.encode(x=x, y=y, color=color))
    chart = with_legend(
        {**layers, "threshold": data([{"loss": threshold}]).mark_rule().encode(y=y)},
        {**looks, "threshold": (INK, [6, 4])},
        width=WIDTH,
        height=HEIGHT,
        title=heading(
            title,
            said,
            "Rings: first hits. Ticks at the lower edge: epochs after them whose loss rose, a row "
            "a seed.",
        ),
    )
    chart.layer = [*chart.layer, *dots]
    return chart


def loss_bands(
    losses: npt.NDArray[np.float64],
    *,
    threshold: float | None = None,
    start: int = 0,
    title: str = "",
    said: str = "",
) -> alt.LayerChart:
    """Quantiles of many losses over the epochs: the median, the quartiles, and 5 % to 95 %.

    Args:
      losses: shape (E, N); infinite for a run that has diverged.
      threshold: drawn as a dashed line.
      start: the first epoch drawn.
      title: the chart's title.
      said: a sentence for the caption.

    Raises:
      InputError: no epoch is left to draw, or no loss is finite.
    """
    values = _drawable(np.asarray(losses, float)[start:])
    if values.ndim != 2 or not np.isfinite(values).any():
        raise InputError(f"nothing to draw from epoch {start}: expected losses of shape (E, N)")
    columns = np.array_split(np.arange(len(values)), min(COLUMNS, len(values)))
    shares = sorted({0.5, *(share for low, high, _ in BANDS.values() for share in (low, high))})
    quantiles = np.quantile(values, shares, axis=1, method="inverted_cdf")
    powers = decades(exponents(quantiles[np.isfinite(quantiles)], threshold))
    quantiles = np.minimum(quantiles, 10.0 ** powers[-1])
    x, y = epoch_axis(start, start + len(values)), log_axis("loss", powers)
    at = {share: quantiles[k] for k, share in enumerate(shares)}
    layers: dict[str, Any] = {}
    for name, (low, high, opacity) in BANDS.items():
        rows = [
            {"epoch": int(start + c[0]), "loss": at[low][c].min(), "to": at[high][c].max()}
            for c in columns
        ]
        area = data(rows).mark_area(opacity=opacity, clip=True, aria=False)
        layers[name] = area.encode(x=x, y=y, y2="to:Q")
    middle = [{"epoch": int(start + c[0]), "loss": float(np.median(at[0.5][c]))} for c in columns]
    layers["median"] = data(middle).mark_line(strokeWidth=1.5, clip=True).encode(x=x, y=y)
    looks: Looks = {name: (COLORS[0], [1, 0]) for name in layers}
    if threshold is not None:
        layers["threshold"] = data([{"loss": threshold}]).mark_rule().encode(y=y)
        looks["threshold"] = (INK, [6, 4])
    del looks["5 % to 95 %"], looks["quartiles"]
    colored = {name: layer for name, layer in layers.items() if name in looks}
    chart = with_legend(
        colored,
        looks,
        width=WIDTH,
        height=HEIGHT,
        title=heading(
            title,
            said,
            f"The median of {values.shape[1]:,} losses at each epoch; bands: the quartiles, and "
            "5 % to 95 %. A run that stopped keeps its last loss, one that diverged an infinite "
            "one.",
        ),
    )
    bands = [layers[name].encode(color=alt.value(COLORS[0])) for name in BANDS]
    chart.layer = [*bands, *chart.layer]
    return chart
