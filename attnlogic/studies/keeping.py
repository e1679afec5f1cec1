"""What a study keeps of its runs: every row, or tallies and perhaps the rows that match."""

from __future__ import annotations

from typing import Any, NamedTuple

from attnlogic.errors import InputError, unknown
from attnlogic.results import KEEP


class Keeping(NamedTuple):
    """What is kept of each run.

    Attributes:
      keep: ``"rows"``, or ``"tally"``.
      keep_rows: with ``"tally"``: an expression for rows that are kept besides; None for none.
    """

    keep: str = "rows"
    keep_rows: str | None = None

    @property
    def said(self) -> dict[str, Any]:
        """What a study's description says of it: nothing where every row is kept."""
        said = {"keep": self.keep} if self.keep != "rows" else {}
        return said if self.keep_rows is None else said | {"keep_rows": self.keep_rows}


ROWS = Keeping()
"""Every row."""


def keeping(keep: str, keep_rows: str | None) -> Keeping:
    """What is to be kept.

    Raises:
      InputError: it is unknown, or rows are to be chosen where every one is kept.
    """
    if keep not in KEEP:
        raise unknown("value of keep", keep, KEEP)
    if keep_rows is not None and keep == "rows":
        raise InputError(
            "keep_rows (--keep-rows): every row is kept: ask for it with keep='tally' "
            "(--keep tally), which keeps these rows alone"
        )
    return Keeping(keep, keep_rows)
