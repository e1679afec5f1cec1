"""What a command prints, and where: results on stdout, everything else on stderr.

A stream that cannot carry a character (ASCII, Windows code pages) gets the nearest ASCII, so that a
table is never an error.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import sys
import unicodedata
from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING, Any

from attnlogic.words import printable

if TYPE_CHECKING:
    from polars import DataFrame
    from rich.console import Console, RenderableType

    from attnlogic.view.sheet import Sheet

NEAREST_ASCII = "attnlogic-nearest-ascii"
"""The name of the codec error handler that ``carry_any_text`` installs."""


def carry_any_text() -> None:
    """Have stdout and stderr write the nearest ASCII for what their encoding lacks."""
    codecs.register_error(NEAREST_ASCII, _nearest_ascii)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=NEAREST_ASCII)


def _nearest_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    from anyascii import anyascii

    lacking = error.object[error.start : error.end]
    return "".join(_one_in_ascii(anyascii(c), c) for c in lacking), error.end


def _one_in_ascii(nearest: str, character: str) -> str:
    if nearest or unicodedata.combining(character):  # an accent may go
        return nearest
    return "?"


def carried(text: str, encoding: str) -> str:
    """The text as a stream of this encoding can carry it; before it is aligned in columns."""
    text = printable(text)
    try:
        codecs.register_error(NEAREST_ASCII, _nearest_ascii)
        return text.encode(encoding, NEAREST_ASCII).decode(encoding)
    except LookupError:  # an encoding that Python does not know
        return text


def say(message: Any) -> None:
    """Print to stderr what is not a result."""
    print(printable(str(message)), file=sys.stderr)


def write(text: str) -> None:
    """Print a result to stdout; end without an error where nobody reads it any more."""
    write_bytes(f"{printable(text)}\n".encode(sys.stdout.encoding or "utf-8", NEAREST_ASCII))


def write_bytes(content: bytes) -> None:
    """Write a result to stdout as it is; see ``write``."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # such as | head
        discard_output()
        raise SystemExit(0) from None


def discard_output() -> None:
    """Send what is left in stdout's buffer nowhere, so that the last flush cannot fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


def show(what: RenderableType) -> None:
    """Print what rich can draw."""
    console = _console()
    if sys.stdout.isatty():
        console.print(what)
        return
    with console.capture() as captured:
        console.print(what)
    # rich fills every line with blanks, which a file has no use for.
    write("\n".join(line.rstrip() for line in captured.get().splitlines()))


def show_frame(frame: DataFrame, form: str, sheet: Sheet | None = None) -> None:
    """Print a frame as ``json`` or ``csv``, or its sheet as ``markdown`` or ``table``."""
    import polars

    from attnlogic.view.sheet import markdown

    if form == "json":
        # JSON has no infinity: an infinite loss is null there.
        finite = frame.with_columns(polars.selectors.float().replace([inf, -inf], None))
        write(json.dumps(finite.to_dicts(), indent=2, allow_nan=False))
    elif form == "csv":
        write(frame.write_csv().rstrip())
    elif sheet is not None:
        if form == "markdown":
            write(markdown(sheet))
        else:
            show_sheet(sheet)


def show_sheet(sheet: Sheet) -> None:
    """Print a sheet as a table."""
    from attnlogic.view.sheet import Sheet, screen

    encoding = sys.stdout.encoding or "utf-8"
    headings = tuple(
        h._replace(title=carried(h.title, encoding), note=carried(h.note, encoding))
        for h in sheet.headings
    )
    rows = [[carried(cell, encoding) for cell in row] for row in sheet.rows]
    findings = tuple(carried(finding, encoding) for finding in sheet.findings)
    known = Sheet(headings, rows, carried(sheet.note, encoding), findings)
    show(screen(known, _width()))


def _width(environment: Mapping[str, str] = os.environ) -> int | None:
    """Columns of the output: the terminal's; of a file or pipe $COLUMNS, or as many as it takes."""
    if sys.stdout.isatty():
        return _console().width
    columns = environment.get("COLUMNS", "")
    return int(columns) if columns.isdigit() and int(columns) else None


UNLIMITED = 10_000
"""Columns of a line where there is no limit, in characters."""


def _console() -> Console:
    from rich.console import Console

    width = None if sys.stdout.isatty() else _width() or UNLIMITED
    return Console(highlight=False, width=width, emoji=False, markup=False)
