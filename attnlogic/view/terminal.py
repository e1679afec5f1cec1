"""What a command prints, and where: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from math import inf
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polars import DataFrame
    from rich.console import Console, RenderableType
    from rich.table import Table

    from attnlogic.view.sheets import Sheet

WIDE = 160
"""Columns of a table that goes to a file or a pipe: nothing is folded."""


def say(message: Any) -> None:
    """Tell a person something that is not a result."""
    print(message, file=sys.stderr)


def show(what: RenderableType) -> None:
    """Print what rich can draw."""
    _console().print(what)


def show_frame(rows: DataFrame, form: str, sheet: Callable[[DataFrame], Sheet]) -> None:
    """Print a frame as ``json``, ``csv``, or, by way of its sheet, ``markdown`` or ``table``."""
    import polars

    from attnlogic.view import sheets as tables

    if form == "json":
        # JSON has no infinity: an infinite loss is null there.
        finite = rows.with_columns(polars.selectors.float().replace([inf, -inf], None))
        print(json.dumps(finite.to_dicts(), indent=2, allow_nan=False))
    elif form == "csv":
        print(rows.write_csv().rstrip())
    elif form == "markdown":
        print(tables.markdown(sheet(rows)))
    else:
        console = _console()
        console.print(tables.screen(sheet(rows), console.width))


def table(titles: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Table:
    """A plain table of texts."""
    from rich.table import Table

    made = Table(*titles, header_style="bold")
    for row in rows:
        made.add_row(*row)
    return made


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
