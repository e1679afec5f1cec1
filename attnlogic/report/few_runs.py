"""The first runs of each condition: where there are too many to look at every one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from attnlogic.words import counted

if TYPE_CHECKING:
    import polars as pl

    from attnlogic.results import Selection


class Few(NamedTuple):
    """Runs, all or the first of each condition.

    Seeds are drawn alike, so the first of them are a fair sample.

    Attributes:
      selection: the runs.
      note: what was left out, in a sentence; empty where nothing was.
    """

    selection: Selection
    note: str


def few(selection: Selection, runs: int, most: int) -> Few:
    """At most about so many runs, of each condition equally many: those of its lowest seeds.

    Args:
      selection: without tallies.
      runs: how many it has.
      most: runs of all conditions.
    """
    import polars as pl

    from attnlogic.results import select

    if runs <= most:
        return Few(selection, "")
    conditions = sum(1 for _ in selection.conditions())
    each = max(1, most // conditions)
    frames: list[pl.DataFrame] = [
        selection.collect(rows.lazy().sort("seed").head(each)) for rows in selection.conditions()
    ]
    first = select(pl.concat(frames, how="diagonal_relaxed"))
    note = f"Of each condition the {counted(each, 'run')} of the lowest seeds, of {runs:,} in all."
    return Few(first, note)
