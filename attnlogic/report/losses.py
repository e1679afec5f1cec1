"""A few runs of each ending with their losses: rows have no history, so they are trained again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np
import polars as pl

from attnlogic.errors import InputError
from attnlogic.grammar import foreign
from attnlogic.view import ENDING_COLORS, chart_theme

if TYPE_CHECKING:
    from attnlogic.studies import Run

EACH = 2
"""Runs of each ending, at most."""

MAX_EPOCHS = 20_000
"""The largest budget of a run that is trained again for a page."""

WIDTH, HEIGHT = 170, 110
"""Of a panel, in pixels."""

LEAST, MOST = -9, 4
"""The exponents of the losses that are drawn."""


def few_losses(frames: Sequence[pl.DataFrame]) -> Any:
    """The losses of the lowest seeds of each ending, by epoch, as a chart.

    Args:
      frames: the runs of each condition.

    Raises:
      InputError: no run can be trained from its row alone, or a backend is not there.
    """
    picked = _picked(frames)
    if not picked:
        raise InputError(
            "no run is trained again: data of files, models and optimizers of one's own, and "
            f"budgets above {MAX_EPOCHS:,} epochs are not"
        )
    trained = [(ended, _trained(key, seed)) for ended, key, seed in picked]
    losses = [np.asarray(run.history.losses, float) for _, run in trained]
    finite = np.concatenate([loss[np.isfinite(loss) & (loss > 0)] for loss in losses])
    ends = np.log10([finite.min(initial=1), finite.max(initial=1)]).clip(LEAST, MOST)
    powers = chart_theme.decades([*map(float, ends)])
    panels = [
        _panel(name, [run for ended, run in trained if ended == name], powers)
        for name in ENDING_COLORS
        if any(ended == name for ended, _ in trained)
    ]
    title = chart_theme.heading(
        "A few runs of each ending",
        f"Loss by epoch. The lowest {EACH} seeds of each ending in the study, each trained again; "
        "what lies beyond a panel is drawn at its edge.",
    )
    return alt.concat(*panels, columns=2, spacing=14).properties(title=title)


def _panel(ended: str, runs: list[Run], powers: range) -> Any:
    low, high = 10.0 ** powers[0], 10.0 ** powers[-1]
    rows = []
    for n, run in enumerate(runs):
        loss = np.asarray(run.history.losses, float)
        rows += [
            {"epoch": int(epoch), "loss": float(f"{loss[epoch].clip(low, high):.4g}"), "run": n}
            for epoch in _drawn(loss)
        ]
    named = [f"{run.training}, seed {run.seed}" for run in runs]
    heading = alt.Title(
        ended, subtitle=named, **chart_theme.PANEL_TITLE, subtitleFontSize=10, limit=WIDTH + 60
    )
    axis = alt.Axis(**chart_theme.FONT, grid=False, tickCount=4, format=",d")
    return (
        chart_theme.data(rows)
        .mark_line(strokeWidth=1, color=ENDING_COLORS[ended], aria=False)
        .encode(
            x=alt.X("epoch:Q", title="epoch", axis=axis, scale=alt.Scale(nice=False)),
            y=chart_theme.log_axis("loss", powers, "loss", most=5),
            detail="run:N",
            opacity=alt.Opacity("run:O", scale=alt.Scale(range=[0.9, 0.5]), legend=None),
        )
        .properties(width=WIDTH, height=HEIGHT, title=heading)
    )


def _drawn(loss: np.ndarray[Any, Any]) -> Any:
    finite = np.flatnonzero(np.isfinite(loss))
    return finite[chart_theme.thinned(loss[finite], WIDTH)] if finite.size else finite


def _picked(frames: Sequence[pl.DataFrame]) -> list[tuple[str, dict[str, Any], int]]:
    """The ending, condition and seed of each run: of each ending the first that there are."""
    from attnlogic.results import condition, ending, known_of

    found: dict[str, list[tuple[str, dict[str, Any], int]]] = {}
    for rows in frames:
        key = condition(rows)
        if not _can_be_trained(key):
            continue
        ended = rows.select("seed", ended=ending(known_of(key)).cast(pl.String)).sort("seed")
        for seed, name in ended.group_by("ended").head(EACH).select("seed", "ended").rows():
            of = found.setdefault(name, [])
            if len(of) < EACH:
                of.append((name, key, seed))
    return [one for of in found.values() for one in of]


def _can_be_trained(key: dict[str, Any]) -> bool:
    own = any(foreign(str(key[name])) for name in ("model", "optimizer"))
    return not own and key["encoding"] in ("01", "pm1") and key["epochs"] <= MAX_EPOCHS


def _trained(key: dict[str, Any], seed: int) -> Run:
    from attnlogic.studies import train

    how = {
        name: key[name]
        for name in ("epochs", "threshold", "backend", "precision", "init", "until", "model",
                     "encoding")
    }  # fmt: skip
    return train(key["gate"], key["optimizer"], seed, progress=False, **how)
