"""Writing a study: a folder of its own, a description, and parts, whole or not at all.

See ``store`` for the layout.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import polars as pl

from attnlogic.errors import InputError
from attnlogic.results.files import write_frame, write_whole
from attnlogic.results.store import Runs


@contextmanager
def new_study(directory: Path, description: dict[str, Any]) -> Iterator[Runs]:
    """Start a study in a folder that is new or empty, and write its description.

    If the ``with`` block ends with an error before any part has been written, all that was made
    here is removed again: the description and the folders, with the parents that did not exist.

    Args:
      directory: the folder; taken literally.
      description: what ``study.json`` is to say; fit for JSON.

    Yields:
      The study's runs, none so far.

    Raises:
      InputError: the folder holds something already, or cannot be made or written.
    """
    content = json.dumps(description, indent=2).encode() + b"\n"
    _refuse_used(directory)
    runs = Runs(directory, description)
    parts, file = directory / "parts", directory / "study.json"
    missing = [path for path in (directory, *directory.parents) if not os.path.lexists(path)]
    with ExitStack() as undo:
        try:
            for path in reversed(missing):
                if not path.is_dir():  # a/.. is there once a has been made
                    path.mkdir()
                    undo.callback(_remove_if_empty, path)
            parts.mkdir()
            undo.callback(_remove_if_empty, parts)
            undo.callback(_remove_empty_folders, parts)
            write_whole(file, content)
            undo.callback(file.unlink, missing_ok=True)
        except OSError as error:
            raise InputError(
                f"cannot write to '{directory}': {error.strerror}: name another folder with --out"
            ) from error
        try:
            yield runs
        except BaseException:
            if runs.part_files():
                undo.pop_all()
            raise
        undo.pop_all()


def create(directory: Path, description: dict[str, Any]) -> Runs:
    """Start a study in a folder that is new or empty, to be filled by ``write_part``.

    Raises:
      InputError: as for ``new_study``.
    """
    with new_study(directory, description) as runs:
        return runs


def _refuse_used(directory: Path) -> None:
    """Raise ``InputError`` if a folder cannot be made there, or holds something already."""
    there = next(path for path in (directory, *directory.parents) if os.path.lexists(path))
    another = "name another folder with --out"
    if not there.exists():
        raise InputError(f"'{there}' is a link to nothing ('{there.readlink()}'): {another}")
    if not there.is_dir():
        raise InputError(f"'{there}' is a file: {another}")
    try:
        if there == directory and any(directory.iterdir()):
            raise InputError(f"'{directory}' is not empty: {another}")
    except OSError as error:
        raise InputError(f"cannot read '{directory}': {error.strerror}: {another}") from error


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _remove_empty_folders(parent: Path) -> None:
    with suppress(OSError):
        for path in parent.iterdir():
            _remove_if_empty(path)


def write_part(directory: Path, kind: str, first: int, rows: pl.DataFrame) -> None:
    """Add some runs as a file, there whole or not at all.

    Args:
      directory: the study's folder.
      kind: the name of the folder for conditions of their kind.
      first: the number of the first run among all of that kind; the others follow it.
      rows: with the columns of ``run_schema``.

    Raises:
      OSError: the system's own, with the path that could not be written.
    """
    folder = directory / "parts" / kind
    folder.mkdir(exist_ok=True)
    write_frame(folder / f"{first}-{first + len(rows) - 1}.parquet", rows)
