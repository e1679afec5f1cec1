"""A few runs of each ending with their losses: rows have no history, so they are trained again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from attnlogic.errors import InputError
from attnlogic.grammar import foreign
from attnlogic.view import ENDING_COLORS, chart_theme

if TYPE_CHECKING:
    from attnlogic.report.few_runs import Few
    from attnlogic.studies import Run

EACH, MAX_RUNS = 2, 10
"""Runs of each ending, and of all, at most."""

MAX_EPOCHS = 20_000
"""The largest budget of a run that is trained again for a page."""

WIDTH, HEIGHT = 420, 240
"""Of the picture, in pixels."""


def few_losses(some: Few) -> Any:
    """The losses of the lowest seeds of each ending, by epoch, as a chart.

    Raises:
      InputError: no run can be trained from its row alone, or a backend is not there.
    """
    picked = _picked(some)
    if not picked:
        raise InputError(
            "no run is trained again: data of files, models and optimizers of one's own, and "
            f"budgets above {MAX_EPOCHS:,} epochs are not"
        )
    trained = [(ended, _trained(key, seed)) for ended, key, seed in picked]
    seen = {ended for ended, _ in trained}
    colors = {name: color for name, color in ENDING_COLORS.items() if name in seen}
    losses = [np.asarray(run.history.losses, float) for _, run in trained]
    finite = np.concatenate([loss[np.isfinite(loss) & (loss > 0)] for loss in losses])
    powers = chart_theme.decades(np.log10(np.quantile(finite, [0.01, 1])).clip(-16, 6))
    low, high = 10.0 ** powers[0], 10.0 ** powers[-1]
    rows = [
        {"epoch": int(epoch), "loss": float(loss[epoch].clip(low, high)), "ended": ended, "run": n}
        for n, ((ended, _), loss) in enumerate(zip(trained, losses, strict=True))
        for epoch in _drawn(loss)
    ]
    legend = chart_theme.line_legend([*colors])
    lines = chart_theme.data(rows).mark_line(strokeWidth=1.5, opacity=0.85, aria=False)
    named = [f"{ended}: {run.training}, seed {run.seed}" for ended, run in trained]
    return lines.encode(
        x=chart_theme.epoch_axis(0, max(map(len, losses))),
        y=chart_theme.log_axis("loss", powers, "loss"),
        color=chart_theme.colors("ended", colors, legend),
        detail="run:N",
    ).properties(
        width=WIDTH,
        height=HEIGHT,
        title=chart_theme.heading("A few runs of each ending", "; ".join(named) + "."),
    )


def _drawn(loss: np.ndarray[Any, Any]) -> Any:
    finite = np.flatnonzero(np.isfinite(loss))
    return finite[chart_theme.thinned(loss[finite], WIDTH // 2)] if finite.size else finite


def _picked(some: Few) -> list[tuple[str, dict[str, Any], int]]:
    """The ending, condition and seed of each run: of each ending the first that there are."""
    from attnlogic.results import condition, ending, known_of

    found: dict[str, list[tuple[str, dict[str, Any], int]]] = {}
    for rows in some.selection.frames():
        key = condition(rows)
        if not _can_be_trained(key):
            continue
        ended = rows.select("seed", ended=ending(known_of(key)).cast(pl.String)).sort("seed")
        for seed, name in ended.group_by("ended").head(EACH).select("seed", "ended").rows():
            of = found.setdefault(name, [])
            if len(of) < EACH:
                of.append((name, key, seed))
    order = [*ENDING_COLORS]
    kept = sorted(found.items(), key=lambda item: order.index(item[0]))
    rounds = [of[n] for n in range(EACH) for _, of in kept if n < len(of)]
    return sorted(rounds[:MAX_RUNS], key=lambda one: order.index(one[0]))


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
