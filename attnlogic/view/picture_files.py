"""Charts as files: SVG, PNG, or a page that needs no network; whole or not at all."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

from attnlogic.errors import InputError
from attnlogic.results import write_whole

FORMATS = ("svg", "png", "html")


def file_format(path: Path) -> str:
    """The picture's format, from the file's name.

    Raises:
      InputError: the ending is none of ``FORMATS``.
    """
    ending = path.suffix.lower().lstrip(".")
    if ending not in FORMATS:
        raise InputError(f"'{path}': expected a name that ends in .{', .'.join(FORMATS)}")
    return ending


def writable_picture(path: Path) -> None:
    """Check, before any work, that a picture can be written there.

    Raises:
      InputError: as ``file_format``, or there is no such folder, or a folder has that name.
    """
    file_format(path)
    if not path.parent.is_dir():
        raise InputError(f"'{path}': there is no folder '{path.parent}': make it first")
    if path.is_dir():
        raise InputError(f"'{path}' is a folder: name a file in it")


def save(chart: Any, path: Path) -> None:
    """Write a chart to an .svg, .png or .html file.

    Raises:
      InputError: the ending is another, or the file cannot be written.
    """
    kind = file_format(path)
    content: Any = io.BytesIO() if kind == "png" else io.StringIO()
    options: dict[str, Any] = {"inline": True} if kind == "html" else {}
    if kind == "png":
        options["scale_factor"] = 2
    chart.save(content, format=kind, **options)
    picture = content.getvalue()
    if kind == "svg":
        picture = _compact(picture)
    try:
        write_whole(path, picture if isinstance(picture, bytes) else picture.encode())
    except OSError as error:
        raise InputError(f"cannot write '{path}': {error.strerror or error}") from error


_UNSEEN = (
    r'<path [^>]*d="(M0,0h0v0h0Z)?"[^>]*/>',  # paths of no size, which Vega adds to each group
    r' (class="[^"]*"|aria-hidden="true"|pointer-events="none"|opacity="1"|stroke-width="1")',
)
"""What an SVG of Vega's has that makes no difference to a reader: for scripts, or the default."""


def _compact(svg: str) -> str:
    """The picture in a third of the bytes, with nothing that could be seen changed.

    Points of paths are cut to a tenth of a pixel, steps are written as such, and what cannot be
    seen is dropped.
    """
    for pattern in _UNSEEN:
        svg = re.sub(pattern, "", svg)
    return re.sub(r'\bd="(M[-\d.,ML]+)"', lambda found: f'd="{_short_path(found[1])}"', svg)


def _short_path(path: str) -> str:
    """A path of straight lines, ``M1.23,4.56L…``, with points to a tenth and steps as H and V."""
    short: list[str] = []
    last: tuple[str, ...] = ()
    for command, x, y in re.findall(r"([ML])(-?[\d.]+),(-?[\d.]+)", path):
        here = tuple(f"{float(number):.1f}".removesuffix(".0") for number in (x, y))
        if command == "M":
            short.append(f"M{here[0]},{here[1]}")
        elif here == last:
            continue
        elif last and here[1] == last[1]:
            short.append(f"H{here[0]}")
        else:
            short.append(f"V{here[1]}" if here[0] == last[0] else f"L{here[0]},{here[1]}")
        last = here
    return "".join(short)
