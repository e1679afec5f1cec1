"""Files that are there whole or not at all."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import BinaryIO

import polars as pl


def write_frame(path: Path, frame: pl.DataFrame) -> None:
    """Write a frame to a Parquet file, whole or not at all.

    Raises:
      OSError: the system's own, with this path: polars would hide a full disk in an error of its
        own.
    """
    content = io.BytesIO()
    frame.write_parquet(content)
    write_whole(path, content.getvalue())


def write_whole(path: Path, content: bytes | memoryview) -> None:
    """Write a file whole or not at all: under another name, renamed once it is on the disk.

    Raises:
      OSError: the system's own, with this path.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with new_file(temporary) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:  # a full disk names no file, other errors the temporary one
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


def new_file(path: Path) -> BinaryIO:
    """Open a new file for writing, in place of what has its name: no link there is followed.

    Raises:
      OSError: the system's own.
    """
    path.unlink(missing_ok=True)
    return path.open("xb")


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, so that no power cut takes one back."""
    if os.name == "nt":  # where a folder cannot be opened
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
