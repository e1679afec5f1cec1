"""Why runs fail: the paths of some seeds of each ending on the (C, loss) plane, over V(C).

Rows have no history, so the seeds are trained again, as the study trained them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import altair as alt
import numpy as np
import numpy.typing as npt
import polars as pl

from attnlogic.errors import InputError
from attnlogic.grammar import foreign
from attnlogic.outcomes import status
from attnlogic.results import condition, ending, known_of, labels
from attnlogic.statistics.panels import MAX_PANELS, left_out
from attnlogic.statistics.v_curve import LINEAR, c_axis, curve, domain
from attnlogic.theory import ENDINGS
from attnlogic.view import ENDING_COLORS, chart_theme

if TYPE_CHECKING:
    from attnlogic.history import History
    from attnlogic.outcomes import Outcome
    from attnlogic.results import Known
    from attnlogic.statistics.v_curve import Domain

SEEDS = 2
"""Seeds of each ending, for each condition: the lowest."""

MAX_POINTS, MAX_PATH_POINTS = 6000, 400
"""Points of the picture and of a path, at most: a path is drawn by pixels that are made larger
until that is enough."""

TINY = float(np.finfo(float).tiny)

MAX_LOSS = 1e3
"""The largest loss that a picture shows."""


class Path(NamedTuple):
    """The path of one seed.

    Attributes:
      seed: the seed.
      ended: where this run ended.
      before: where that of the study did.
      C, loss: at each epoch; (E,).
    """

    seed: int
    ended: str
    before: str
    C: npt.NDArray[np.float64]
    loss: npt.NDArray[np.float64]


def draw(frame: pl.DataFrame, given: Sequence[pl.DataFrame], options: Mapping[str, Any]) -> Any:
    """A panel for each condition: V(C), and the paths of ``SEEDS`` seeds of each ending.

    Raises:
      InputError: theory knows V for no condition, or a backend is not there.
    """
    drawn = [rows for rows in given if known_of(condition(rows)) and not _foreign(rows)]
    if not drawn:
        raise InputError(
            "nothing to draw: paths are drawn over V(C), and no condition here is an optimizer of "
            "attnlogic's on attention with raw scores and a gate"
        )
    names = labels([condition(rows) for rows in given])
    named = [name for rows, name in zip(given, names, strict=True)
             if any(rows is one for one in drawn)]  # fmt: skip
    some = [(f"{rows['gate'][0]} · {name}", rows) for rows, name in zip(drawn, named, strict=True)]
    some = some[:MAX_PANELS]
    paths = [_paths(rows) for _, rows in some]
    seen = {path.ended for each in paths for path in each}
    colors = {name: color for name, color in ENDING_COLORS.items() if name in seen}
    size = (400, 240) if len(some) == 1 else (170, 130)
    most = min(MAX_PATH_POINTS, MAX_POINTS // sum(map(len, paths)))
    panels = [
        _panel(title, rows, each, colors, size, most)
        for (title, rows), each in zip(some, paths, strict=True)
    ]
    without = len(given) - len(drawn)
    title = chart_theme.heading(
        "Why runs fail: their paths over V(C)",
        "Grey: V(C), the least loss at each C. Lines: C and loss of single runs, epoch by epoch, "
        "from the small dot to the large one; the colour says where they ended.",
        f"Trained again: the lowest {SEEDS} seeds of each ending in the study; they stand above "
        "the panels. What lies beyond a panel is drawn at its edge.",
        _elsewhere([path for each in paths for path in each]),
        f"{without} conditions without such a curve are left out." if without else "",
        left_out(len(drawn), MAX_PANELS),
    )
    return alt.concat(*panels, columns=2, spacing=14).properties(title=title)


def _elsewhere(paths: Sequence[Path]) -> str:
    """A single run is another compiled program than a batch: it rounds otherwise."""
    other = sum(path.ended != path.before for path in paths)
    if not other:
        return ""
    return (
        f"Trained one by one, runs round otherwise than in the study: {other} of {len(paths)} "
        "ended elsewhere."
    )


def _foreign(rows: pl.DataFrame) -> bool:
    """Whether the optimizer is another package's, whose code is not run to draw results."""
    return foreign(str(rows["optimizer"][0])) is not None


def chosen(rows: pl.DataFrame) -> pl.DataFrame:
    """The seeds whose paths are drawn: columns ``seed`` and ``ended``."""
    of = known_of(condition(rows))
    ended = rows.select("seed", ended=ending(of).cast(pl.String)).sort("seed")
    some = ended.group_by("ended", maintain_order=True).head(SEEDS)
    order = {name: place for place, name in enumerate(ENDINGS)}
    return some.sort(pl.col("ended").replace_strict(order), "seed").select("seed", "ended")


def _paths(rows: pl.DataFrame) -> list[Path]:
    """Train the chosen seeds again, each by its condition's backend."""
    from attnlogic.backend import Training, backend
    from attnlogic.history import join, outcome
    from attnlogic.optimizers import optimizer
    from attnlogic.problems import initialization, problem

    key, of = condition(rows), known_of(condition(rows))
    what = problem(key["gate"], key["model"], key["encoding"])
    training = Training(
        what,
        optimizer(key["optimizer"]),
        key["epochs"],
        key["threshold"],
        key["precision"],
        key["until"],
    )
    trainer, init = backend(key["backend"]), initialization(key["init"])

    def path(seed: int, before: str) -> Path:
        run: History = join([*trainer.history(training, what.initial(seed, init))])
        loss, C = (np.asarray(x, float) for x in (run.losses, run.quantities["C"]))
        finite = np.isfinite(loss) & np.isfinite(C)
        kept = outcome(run, training.threshold, what)
        return Path(seed, _ended(kept, of), before, C[finite], np.maximum(loss[finite], TINY))

    return [path(*row) for row in chosen(rows).iter_rows()]


def _ended(run: Outcome, of: Known | None) -> str:
    """Where a run ended."""
    row = pl.DataFrame({
        "status": [str(status(run))],
        "gradient_norm": [float(run.gradient_norm)],
        "final_loss": [float(run.final_loss)],
        "C": [float(run.quantities["C"])],
    })  # fmt: skip
    return str(row.select(ending(of)).item())


def _panel(
    title: str,
    rows: pl.DataFrame,
    paths: Sequence[Path],
    colors: Mapping[str, str],
    size: tuple[int, int],
    most: int,
) -> alt.LayerChart:
    of = known_of(condition(rows))
    assert of is not None
    ends = domain([path.C for path in paths], of)
    losses = np.concatenate([[1.0], *(path.loss for path in paths)])
    low = max(float(losses.min()), rows["threshold"][0] / 10)
    powers = chart_theme.decades([math.log10(low), math.log10(min(losses.max(), MAX_LOSS))])
    floor, top = 10.0 ** powers[0], 10.0 ** powers[-1]
    x, y = c_axis(ends), chart_theme.log_axis("loss", powers, "loss", most=6)
    points = [
        {"run": path.seed, "ended": path.ended, "t": int(t),
         "C": _short(path.C[t].clip(*ends)), "loss": _short(path.loss[t].clip(floor, top))}
        for path in paths
        for t in entered(path, ends, powers, size, most)
    ]  # fmt: skip
    firsts, lasts = ({p["run"]: p for p in order}.values() for order in (points[::-1], points))
    legend = alt.Legend(title=None, orient="bottom", columns=5, labelFontSize=12, symbolOpacity=1)
    color = chart_theme.colors("ended", colors, legend)
    lines = chart_theme.data(points).mark_line(strokeWidth=1, opacity=0.9, aria=False)
    layers = [
        *curve(of, ends, x, y, floor)[:1],
        lines.encode(x=x, y=y, color=color, detail="run:N", order="t:Q"),
        chart_theme.data([*firsts]).mark_circle(size=12, opacity=1).encode(x=x, y=y, color=color),
        chart_theme.data([*lasts]).mark_circle(size=45, opacity=1).encode(x=x, y=y, color=color),
    ]
    seeds = ", ".join(str(path.seed) for path in paths)
    heading = alt.Title(title, subtitle=f"seeds {seeds}", **chart_theme.PANEL_TITLE,
                        subtitleFontSize=10, limit=size[0] + 60)  # fmt: skip
    return alt.LayerChart(layer=layers, width=size[0], height=size[1], title=heading)


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def entered(
    path: Path, ends: Domain, powers: range, size: tuple[int, int], most: int
) -> npt.NDArray[np.int64]:
    """The epochs at which a path enters another pixel of its picture, and the last."""
    if not path.C.size:
        return np.empty(0, np.int64)
    low, high, C = (np.sign(v) * np.log1p(np.abs(v) / LINEAR) for v in (*ends, path.C))
    x = (C - low) / (high - low) * size[0]
    y = (np.log10(path.loss) - powers[0]) / (powers[-1] - powers[0]) * size[1]
    pixel = 1.0
    while True:
        at = np.stack([np.round(x.clip(0, size[0]) / pixel), np.round(y.clip(0, size[1]) / pixel)])
        moved = np.flatnonzero((np.diff(at, axis=1) != 0).any(axis=0)) + 1
        if len(moved) + 2 <= most:
            return np.unique(np.concatenate([[0], moved, [path.C.size - 1]]))
        pixel *= 1.5
