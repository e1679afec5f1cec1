"""How much solved runs changed wq² − wk² and wk² − wv², which gradient flow conserves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import altair as alt

from attnlogic.errors import InputError
from attnlogic.statistics.panels import KEY, Number, dotted, layout
from attnlogic.view import chart_theme, dots_chart

if TYPE_CHECKING:
    import polars as pl

    from attnlogic.results import Population
    from attnlogic.statistics.statistic import Row

DRIFTS = {"wq² − wk²": "drift_qk", "wk² − wv²": "drift_kv"}
"""What is drawn -> its quantity."""

LEAST = 1e-9
"""The least drift that the axis shows: below lies the rounding of the parameters."""


def draw(frame: pl.DataFrame, given: Sequence[Population], options: Mapping[str, Any]) -> Any:
    """The median change of both, with the quantiles between which 90 % of the solved runs lie.

    Raises:
      InputError: no run is solved, or no model here conserves them.
    """
    by_key = {tuple(some.key[name] for name in KEY): some for some in given}

    def numbers(row: Row) -> list[Number]:
        some = by_key[tuple(row[name] for name in KEY)]
        return [_spread(some, name, kind) for kind, name in DRIFTS.items()]

    found = layout(frame)
    panels = dotted(found, numbers)
    ends = [end for _, _, dots in panels for dot in dots for end in (dot.low, dot.high) if end]
    if not ends:
        raise InputError("nothing to draw: no run of a model with wq, wk and wv is solved")
    powers = chart_theme.decades([math.log10(end) for end in ends])
    axis = chart_theme.log_axis("value", powers, "change from start to end", alt.X, most=6)
    solved = sum(frame["solved"])
    return dots_chart(panels, axis, [*DRIFTS]).properties(
        title=chart_theme.heading(
            "How far from gradient flow?",
            "How much wq² − wk² and wk² − wv² changed, in magnitude: gradient flow conserves both. "
            "Dot: the median of the solved runs; bar: from the 5 % to the 95 % quantile. "
            f"n = {solved:,} solved runs in all.",
            found.note,
        )
    )


def _spread(some: Population, name: str, kind: str) -> Number:
    """The median of the solved runs, and the quantiles between which 90 % of them lie."""
    found = some.of(name, "solved")
    middle, low, high = (
        None if x is None else max(x, LEAST) for x in map(found.quantile, (0.5, 0.05, 0.95))
    )
    return (kind, middle, low, high)
