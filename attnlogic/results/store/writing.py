"""Writing a study: a folder of its own, a description, and parts; and going on with one.

See ``runs`` for the layout.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from attnlogic.errors import InputError
from attnlogic.results.store.agreement import going_on
from attnlogic.results.store.description import (
    FORMAT,
    NAME,
    DamagedDescriptionError,
    read_description,
    sealed,
    write_description,
)
from attnlogic.results.store.inventory import Unread, remove_halves, set_aside
from attnlogic.results.store.lock import LOCK, WRITER, locked
from attnlogic.results.store.part_files import folder_of_parts, runs_of_rows, write_part_file
from attnlogic.results.store.runs import Runs


class Opened(NamedTuple):
    """A study that is held for writing.

    Attributes:
      runs: its runs so far.
      is_new: whether it was started now.
      set_aside: the files that were not sound and have been renamed: where they were, and why.
    """

    runs: Runs
    is_new: bool
    set_aside: tuple[Unread, ...] = ()


ANOTHER_FOLDER = "name another folder with --out"


@contextmanager
def open_study(
    directory: Path, description: Mapping[str, Any], *, extend: bool = False
) -> Iterator[Opened]:
    """Hold a study's folder for writing: a new one, or one that is gone on with.

    In a new or empty folder the study is started. If the ``with`` block then ends with an error
    before any part has been written, all that was made here is removed again. In a folder that
    holds the same study, what is there is kept, and what is not sound is set aside.

    Args:
      directory: the folder; taken literally.
      description: what is asked; fit for JSON.
      extend: whether more may be asked than the folder's study has.

    Yields:
      The study so far.

    Raises:
      InputError: the folder holds something else, cannot be made or written, or another process
        writes to it. Nothing has been changed then.
    """
    asked = sealed(description)  # before anything is made
    if _is_started(directory):
        with _going_on(directory, asked, extend) as opened:
            yield opened
    else:
        with _new(directory, asked) as runs:
            yield Opened(runs, is_new=True)


def create(directory: Path, description: Mapping[str, Any]) -> Runs:
    """Start a study in a folder that is new or empty, to be filled by ``write_part``.

    Raises:
      InputError: the folder holds something already, or cannot be made or written.
    """
    with _new(directory, sealed(description)) as runs:
        return runs


def write_part(runs: Runs, kind: str, rows: pl.DataFrame) -> None:
    """Add some runs as a file, there whole or not at all.

    Args:
      runs: the study.
      kind: the name of the folder for conditions of their kind.
      rows: with the columns of ``run_schema``, one row at least. No other part has these runs; the
        same rows once more replace themselves.

    Raises:
      OSError: the system's own, with the path that could not be written.
    """
    folder = folder_of_parts(runs.directory, kind)
    digests = [one["digest"] for one in runs.description["conditions"]]
    write_part_file(folder, rows, runs_of_rows(rows, digests))


def _is_started(directory: Path) -> bool:
    """Whether a study was once started in a folder."""
    names = {NAME, "parts", LOCK}
    try:
        there = {entry.name for entry in os.scandir(directory)}
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise InputError(
            f"cannot read '{directory}': {error.strerror}: {ANOTHER_FOLDER}"
        ) from error
    # Without a description the lock tells that the rest is ours.
    return NAME in there or (LOCK in there and there <= names | {WRITER, f".{NAME}.tmp"})


@contextmanager
def _new(directory: Path, description: dict[str, Any]) -> Iterator[Runs]:
    """Start a study; if it ends with an error and without a part, remove all that was made."""
    _refuse_used(directory)
    missing = [path for path in (directory, *directory.parents) if not os.path.lexists(path)]
    with ExitStack() as undo, ExitStack() as lock:
        try:
            for path in reversed(missing):
                if not path.is_dir():  # a/.. is there once a has been made
                    path.mkdir()
                    undo.callback(_remove_if_empty, path)
            lock.enter_context(locked(directory))
            _refuse_started(directory)
            undo.callback((directory / LOCK).unlink, missing_ok=True)
            undo.callback(_remove_folders_of_parts, directory / "parts")
            undo.callback((directory / NAME).unlink, missing_ok=True)
            _begin(directory, description)
        except OSError as error:
            raise _unwritable(directory, error) from error
        runs = Runs(directory, description)
        try:
            yield runs
        except BaseException:
            if directory.is_dir() and runs.part_files():
                undo.pop_all()
            raise
        undo.pop_all()


@contextmanager
def _going_on(directory: Path, asked: Mapping[str, Any], extend: bool) -> Iterator[Opened]:
    """Go on with a study that was started before."""
    _merged(directory, asked, extend)  # what is refused is refused before anything is made
    with ExitStack() as lock:
        try:
            lock.enter_context(locked(directory))
            there, description = _merged(directory, asked, extend)
            if description != there:
                if there is None and os.path.lexists(directory / NAME):
                    set_aside(directory / NAME)
                description = sealed(description)
                _begin(directory, description)
            runs = Runs(directory, description)
            found = runs.inventory()
            for one in found.unread:
                set_aside(one.path)
            for path in found.replaced:
                path.unlink(missing_ok=True)
            (directory / "parts").mkdir(exist_ok=True)
            remove_halves(directory, description)
        except OSError as error:
            raise _unwritable(directory, error) from error
        yield Opened(runs, is_new=False, set_aside=found.unread)


def _begin(directory: Path, description: Mapping[str, Any]) -> None:
    (directory / "parts").mkdir(exist_ok=True)
    write_description(directory, description)


def _read(directory: Path) -> dict[str, Any] | None:
    """The folder's description; None where it is damaged or was never written."""
    try:
        return read_description(directory)
    except DamagedDescriptionError:
        if not os.path.lexists(directory / LOCK):  # the file may be somebody else's
            raise
        return None
    except InputError:
        if os.path.lexists(directory / NAME):
            raise
        return None


def _merged(
    directory: Path, asked: Mapping[str, Any], extend: bool
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """The description that is there, if a sound one is; and that with which the study goes on.

    Raises:
      InputError: the folder holds something else.
    """
    there = _read(directory)
    if there is not None:
        if there.get("format", 1) < FORMAT:
            raise InputError(
                f"'{directory}' was written by an earlier version, which this one can read and not "
                f"go on with: {ANOTHER_FOLDER}"
            )
        return there, going_on(directory, there, asked, extend=extend)
    wanted = Runs(directory, dict(asked))
    others = [one for one in wanted.inventory().unread if one.is_of_another_study]
    if others:
        raise InputError(
            f"'{directory}' has no sound {NAME}, and '{others[0].path}' is of another study than "
            f"the one asked for: {ANOTHER_FOLDER}"
        )
    return None, dict(asked)


def _unwritable(directory: Path, error: OSError) -> InputError:
    return InputError(f"cannot write to '{directory}': {error.strerror}: {ANOTHER_FOLDER}")


def _refuse_used(directory: Path) -> None:
    """Raise ``InputError`` if a folder cannot be made there, or holds something already."""
    there = next(path for path in (directory, *directory.parents) if os.path.lexists(path))
    if not there.exists():
        raise InputError(f"'{there}' is a link to nothing ('{there.readlink()}'): {ANOTHER_FOLDER}")
    if not there.is_dir():
        raise InputError(f"'{there}' is a file: {ANOTHER_FOLDER}")
    if there == directory and any(directory.iterdir()):
        raise InputError(f"'{directory}' is not empty, and holds no study: {ANOTHER_FOLDER}")


def _refuse_started(directory: Path) -> None:
    """Raise ``InputError`` if another process has been faster, and has ended since."""
    if os.path.lexists(directory / NAME):
        raise InputError(f"another process has started a study in '{directory}': try again")


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _remove_folders_of_parts(parts: Path) -> None:
    with suppress(OSError):
        for path in [*parts.iterdir(), parts]:
            _remove_if_empty(path)
