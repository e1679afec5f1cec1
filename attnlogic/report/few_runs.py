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
      frames: the runs of each condition.
      note: what was left out, in a sentence; empty where nothing was.
    """

    frames: list[pl.DataFrame]
    note: str


def few(selection: Selection, runs: int, most: int) -> Few:
    """At most about so many runs, of each condition equally many: those of its lowest seeds.

    Args:
      selection: without tallies.
      runs: how many it has.
      most: runs of all conditions.
    """
    if runs <= most:
        return Few([*selection.frames()], "")
    each = max(1, most // sum(1 for _ in selection.conditions()))
    frames = [
        selection.collect(rows.lazy().sort("seed").head(each)) for rows in selection.conditions()
    ]
    return Few(frames, f"Of each condition the {counted(each, 'run')} of the lowest seeds, of "
                       f"{runs:,} in all.")  # fmt: skip
