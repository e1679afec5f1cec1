"""Parquet files that say what they are, and whether they still are what was written."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import polars as pl

from attnlogic.errors import InputError
from attnlogic.results.store.files import write_whole

_ABOUT, _DIGEST = "attnlogic", "sha256"
"""Keys of the Parquet file's metadata: a JSON object, and a digest of that and of all values."""


def write_stamped(path: Path, frame: pl.DataFrame, about: dict[str, Any]) -> None:
    """Write a frame with what it is, whole or not at all.

    Args:
      path: the file.
      frame: of text, integers and real numbers.
      about: fit for JSON.

    Raises:
      OSError: the system's own, with this path.
    """
    text = json.dumps(about)
    content = io.BytesIO()
    frame.write_parquet(content, metadata={_ABOUT: text, _DIGEST: _digest(text, frame)})
    write_whole(path, content.getvalue())


def read_stamped(path: Path, kind: str) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Read what ``write_stamped`` wrote.

    Args:
      path: the file.
      kind: what it should be, for messages: ``"a tally"``.

    Returns:
      The frame, and what it says of itself: empty for a Parquet file that says nothing.

    Raises:
      InputError: the file cannot be read, or something in it has changed.
    """
    try:
        content = path.read_bytes()  # polars would take the path as a pattern
    except OSError as error:
        raise InputError(f"cannot read '{path}': {error.strerror or error}") from error
    try:
        said = pl.read_parquet_metadata(io.BytesIO(content))
        frame = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError) as error:
        raise InputError(f"cannot read '{path}' as {kind}: {str(error).splitlines()[0]}") from error
    if _DIGEST not in said:  # also a part of a study, which has a digest in its name
        return frame, {}
    text = said.get(_ABOUT, "")
    try:
        if said[_DIGEST] == _digest(text, frame):
            about = json.loads(text)
            return frame, about if isinstance(about, dict) else {}
    except (pl.exceptions.PolarsError, ValueError, RecursionError) as error:
        raise InputError(f"'{path}' is not {kind}, or not whole: {error}") from error
    raise InputError(f"'{path}' is damaged: its content has changed since it was written")


def _digest(text: str, frame: pl.DataFrame) -> str:
    digest = hashlib.sha256(text.encode())
    for column in frame:
        digest.update(f"\0{column.name}\0{column.dtype}\0".encode())
        digest.update(column.is_null().to_numpy().tobytes())
        if column.dtype == pl.String:
            digest.update("\0".join(column.fill_null("").to_list()).encode())
        else:
            digest.update(column.fill_null(0).to_numpy().tobytes())
    return digest.hexdigest()
