"""A sheet: a table in words, made from a statistic's frame, for a screen or for Markdown."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rich.table import Table


class Heading(NamedTuple):
    """The head of a sheet's column.

    Attributes:
      title: what stands above the column.
      note: a sentence that explains the column, printed below a sheet that shows it.
      text: whether the cells are words (set to the left); numbers are set to the right.
      optional: whether a narrow terminal hides the column.
    """

    title: str
    note: str = ""
    text: bool = False
    optional: bool = False


class Sheet(NamedTuple):
    """A table in words.

    Attributes:
      headings: of the columns.
      rows: the cells. A cell with an interval has its only space before the interval: on a narrow
        terminal it is folded there.
      note: what a reader must know of the sheet as a whole.
      findings: what the table says in words: sentences, printed below it, a line each.
    """

    headings: tuple[Heading, ...]
    rows: list[list[str]]
    note: str = ""
    findings: tuple[str, ...] = ()

    @property
    def titles(self) -> tuple[str, ...]:
        """The titles of the columns."""
        return tuple(heading.title for heading in self.headings)

    def caption(self, hidden: tuple[str, ...] = ()) -> str:
        """The notes of the sheet and of its columns, hidden columns left out and named."""
        shown = [h.note for h in self.headings if h.title not in hidden]
        notes = [self.note, *dict.fromkeys(shown)]
        if hidden:
            notes.append(
                f"Hidden, since the terminal is narrow: {', '.join(hidden)}. "
                "--format json, csv or markdown has every column."
            )
        return " ".join(note for note in notes if note)

    def __str__(self) -> str:
        """The table as text, as wide as it takes: for ``print``, also in a notebook."""
        from rich.console import Console

        from attnlogic.view.terminal import UNLIMITED

        plain = Console(
            file=io.StringIO(), width=UNLIMITED, force_terminal=False, force_jupyter=False,
            highlight=False, emoji=False, markup=False,
        )  # fmt: skip
        with plain.capture() as captured:
            plain.print(screen(self))
        return "\n".join(line.rstrip() for line in captured.get().splitlines())

    def _repr_html_(self) -> str:
        """What a notebook shows: the table in HTML; all text is escaped."""
        from attnlogic.view.sheet_in_html import html_table

        return html_table(self)


CONDITION = (Heading("gate", text=True), Heading("optimizer", text=True))
"""The first two headings of most sheets."""


def folded(sheet: Sheet, width: int | None) -> tuple[Sheet, tuple[str, ...]]:
    """The sheet as it fits a width, and the titles of the columns that it had to hide.

    Args:
      sheet: the table.
      width: columns of the terminal; None for as many as the sheet takes. If that is too narrow,
        intervals go below their numbers; if that is not enough, optional columns are hidden.
    """
    if _width(sheet) <= (width or _width(sheet)):
        return sheet, ()
    rows = [[cell.replace(" ", "\n", 1) for cell in row] for row in sheet.rows]
    heads = tuple(h._replace(title=h.title.replace(" ", "\n", 1)) for h in sheet.headings)
    narrow = sheet._replace(headings=heads, rows=rows)
    if _width(narrow) <= (width or 0):
        return narrow, ()
    kept = [i for i, heading in enumerate(sheet.headings) if not heading.optional]
    hidden = tuple(heading.title for heading in sheet.headings if heading.optional)
    shown = narrow._replace(
        headings=tuple(narrow.headings[i] for i in kept), rows=[[r[i] for i in kept] for r in rows]
    )
    return shown, hidden


def _width(sheet: Sheet) -> int:
    """Columns of a terminal that the sheet takes, with one blank between two columns."""
    columns = zip(sheet.titles, *sheet.rows, strict=True)
    widest = [max(len(part) for cell in column for part in cell.split("\n")) for column in columns]
    return sum(widest) + len(widest) - 1


def screen(sheet: Sheet, width: int | None = None) -> Table:
    """A sheet as a rich table; see ``folded`` for the width."""
    from rich import box
    from rich.table import Table

    shown, hidden = folded(sheet, width)
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, padding=0, header_style="bold",
        caption="\n".join([*shown.findings, sheet.caption(hidden)]), caption_justify="left",
    )  # fmt: skip
    for heading in shown.headings:
        table.add_column(
            heading.title, justify="left" if heading.text else "right", overflow="fold"
        )
    for row in shown.rows:
        table.add_row(*row)
    return table


def markdown(sheet: Sheet) -> str:
    """A sheet in Markdown, with every column."""
    rule = ["---" if heading.text else "--:" for heading in sheet.headings]
    cells = ([cell.replace("|", "\\|") for cell in row] for row in sheet.rows)
    lines = [f"| {' | '.join(row)} |" for row in (sheet.titles, rule, *cells)]
    findings = [f"- {finding}" for finding in sheet.findings]
    return "\n".join([*lines, *(["", *findings] if findings else []), "", sheet.caption()])
