"""Success by the side of V(C)'s maximum on which runs start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import altair as alt

from attnlogic.errors import InputError
from attnlogic.statistics.panels import dotted, layout, rate_of, runs_each
from attnlogic.statistics.rates import in_percent
from attnlogic.view import chart_theme, dots_chart

if TYPE_CHECKING:
    import polars as pl

SIDES = ("solution", "valley")


def draw(frame: pl.DataFrame, given: Sequence[Any], options: Mapping[str, Any]) -> alt.VConcatChart:
    """The shares of runs that are solved, and that end on the other side, by the side of the start.

    Raises:
      InputError: V has sides for no condition.
    """
    if frame.is_empty():
        raise InputError(
            "nothing to draw: no condition here has sides: they need a C and a gate with one "
            "solution, whose V has a maximum"
        )
    found = layout(frame)

    def block(prefix: str, title: str) -> Any:
        dots = dotted(found, lambda row: [rate_of(row, prefix, row["start"])])
        return dots_chart(dots, chart_theme.percent_axis("value", title, alt.X), SIDES)

    blocks = block("solve", "solved, %"), block("cross", "crossed to the other side, %")
    return alt.vconcat(*blocks, spacing=24).properties(
        title=chart_theme.heading(
            "Does the side of the start decide the end?",
            "Solution and valley: the sides of V(C)'s maximum on which the initial C lies; "
            "gradient flow with a settled readout cannot cross it. "
            f"{in_percent(options['level'])} intervals; of each side {runs_each(frame['runs'])}.",
            found.note,
        )
    )
