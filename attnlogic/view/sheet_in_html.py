"""A sheet as a table in HTML, for notebooks and pages."""

from __future__ import annotations

from html import escape

from attnlogic.view.sheet import Sheet


def html_table(sheet: Sheet) -> str:
    """A sheet with every column, its findings and its notes; all text is escaped.

    Example:
      >>> from attnlogic.view import Heading, Sheet
      >>> html_table(Sheet((Heading("gate", text=True),), [["<b>"]]))[:60]
      '<table><thead><tr><th style="text-align: left">gate</th></tr'
    """
    sides = ["left" if heading.text else "right" for heading in sheet.headings]

    def row(tag: str, cells: tuple[str, ...] | list[str]) -> str:
        inside = (
            f'<{tag} style="text-align: {side}">{escape(cell)}</{tag}>'
            for side, cell in zip(sides, cells, strict=True)
        )
        return f"<tr>{''.join(inside)}</tr>"

    body = "".join(row("td", cells) for cells in sheet.rows)
    said = "".join(f"<p>{escape(text)}</p>" for text in (*sheet.findings, sheet.caption()) if text)
    return f"<table><thead>{row('th', sheet.titles)}</thead><tbody>{body}</tbody></table>{said}"
