"""What lies in a study's folder: the parts that are sound, and the files that are not read.

A file is hashed once in a process, in threads; a later look finds it by its size and times.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from attnlogic.errors import InputError
from attnlogic.results.rows import SeedRanges, seed_ranges, seeds_without
from attnlogic.results.store.part_files import NotSoundError, Part, read_part_file
from attnlogic.results.store.scanning import scan
from attnlogic.words import printable

SET_ASIDE = ".set-aside"
"""What is appended to the name of a file that a study does not read, once it goes on."""


class Unread(NamedTuple):
    """A file in a study's folder that is not read, and whose runs enter no number.

    Attributes:
      path: the file.
      reason: why, in a few words.
    """

    path: Path
    reason: str

    def __str__(self) -> str:
        return printable(f"'{self.path}': {self.reason}")

    @property
    def is_of_another_study(self) -> bool:
        """Whether it is a sound part, but not of this study."""
        return self.reason in (OTHER_STUDY, OTHER_SEEDS)


OTHER_STUDY, OTHER_SEEDS = "a part of another study", "it has seeds that the study has not"


class Inventory(NamedTuple):
    """What lies in a study's folder.

    Attributes:
      parts: the parts that are sound; no run is in two of them.
      unread: what looks like a part and is none of these.
      seeds: of each condition, by its number, the seeds whose runs are there.
      replaced: parts that another one of these replaces, and that can be removed.
    """

    parts: tuple[Part, ...]
    unread: tuple[Unread, ...]
    seeds: dict[int, SeedRanges]
    replaced: tuple[Path, ...] = ()


def take_inventory(
    directory: Path,
    description: Mapping[str, Any],
    columns: Sequence[Mapping[str, Any]],
    on_read: Callable[[int], None] = lambda size: None,
) -> Inventory:
    """Look at everything in a study's folder of parts.

    Args:
      directory: the study's folder.
      description: the content of its ``study.json``.
      columns: those of the parts of each kind, with their types.
      on_read: called with the size of each file that has been checked, from this thread.

    Raises:
      InputError: the folder is gone, or one in it cannot be read.
    """
    _refuse_gone(directory)
    folders = [kind["parts"] for kind in description["kinds"]]
    unread = [*_strangers(directory / "parts", {*folders})]
    shut = {one.path for one in unread}
    files = [
        (path, kind)
        for kind, folder in enumerate(folders)
        if directory / "parts" not in shut and directory / "parts" / folder not in shut
        for path in _look_like_parts(directory / "parts" / folder)
    ]
    with ThreadPoolExecutor(os.cpu_count(), "checking parts") as threads:
        checked = []
        for size, part in threads.map(lambda one: _checked(one[0]), files):
            on_read(size)
            checked.append(part)
    sound: list[tuple[Part, int]] = []
    for (path, kind), part in zip(files, checked, strict=True):
        if not isinstance(part, Part):
            unread.append(Unread(path, part))
        elif part.columns != columns[kind]:
            unread.append(Unread(path, "it has other columns than the study"))
        else:
            sound.append((part, kind))
    return _each_run_once(sound, description["conditions"], unread)


_CHECKED: dict[tuple[Any, ...], Part | str] = {}
"""What is known of files that have been read: the part, or the reason why it is none."""


def _checked(path: Path) -> tuple[int, Part | str]:
    """The size of a file, and the part in it or the reason why there is none."""
    try:
        status = path.lstat()
    except OSError as error:
        return 0, f"it cannot be read: {error.strerror}"
    key = (path, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    if key not in _CHECKED:
        try:
            _CHECKED[key] = read_part_file(path)
        except NotSoundError as error:
            _CHECKED[key] = str(error)
    return status.st_size, _CHECKED[key]


def forget_checked() -> None:
    """Have the next inventory read every file again."""
    _CHECKED.clear()


def _refuse_gone(directory: Path) -> None:
    """Raise ``InputError`` for a folder that has been there before; else it would seem empty."""
    if not directory.is_dir():
        raise InputError(
            f"'{directory}' is gone: was it moved or removed, or is the path relative and the "
            "working directory another now?"
        )


def _strangers(parts: Path, folders: set[str]) -> Iterator[Unread]:
    """What lies beside the folders of parts, and these themselves where they are links."""
    if parts.is_symlink():
        yield Unread(parts, "a link, not a folder")
        return
    for entry in _entries(parts):
        path = Path(entry.path)
        if entry.name in folders:
            if not entry.is_dir(follow_symlinks=False):
                yield Unread(path, "a link, not a folder" if entry.is_symlink() else "no folder")
        elif _looks_like_a_part(entry) and not (_is_folder(entry) and not _entries(path)):
            yield Unread(path, "it is not of this study")


def _look_like_parts(folder: Path) -> list[Path]:
    return sorted(Path(entry.path) for entry in _entries(folder) if _looks_like_a_part(entry))


def _looks_like_a_part(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith(".") or entry.name.endswith(SET_ASIDE):
        return False
    return entry.name.endswith(".parquet") or entry.is_symlink() or _is_folder(entry)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise InputError(f"cannot read '{folder}': {error.strerror}") from error


def _each_run_once(
    found: Sequence[tuple[Part, int]], conditions: list[dict[str, Any]], unread: list[Unread]
) -> Inventory:
    """Accept parts one after the other; what is another study's, or there already, is not read.

    What a part replaces is passed over: a process that was killed may have left it."""
    there: dict[int, SeedRanges] = {}
    parts: list[Part] = []
    replaced: set[Path] = set()
    for part, kind in sorted(found, key=_turn):
        if part.path in replaced:
            continue
        if reason := _stranger(part, kind, conditions):
            unread.append(Unread(part.path, reason))
        elif any(
            seed_ranges.intersect(one.seeds, there.get(one.condition, ())) for one in part.runs
        ):
            unread.append(Unread(part.path, "its runs are in another part already"))
        else:
            parts.append(part)
            replaced |= {part.path.with_name(name) for name in part.replaces}
            for one in part.runs:
                there[one.condition] = seed_ranges.union(there.get(one.condition, ()), one.seeds)
    sound = {part.path for part, _ in found}
    return Inventory(tuple(parts), tuple(sorted(unread)), there, tuple(sorted(replaced & sound)))


def _turn(found: tuple[Part, int]) -> tuple[Any, ...]:
    """Parts that replace others come first, and of these those of the most runs."""
    part = found[0]
    return (-part.rows if part.replaces else 0, part.runs[0].seeds, part.path)


def _stranger(part: Part, kind: int, conditions: list[dict[str, Any]]) -> str | None:
    """Why a part is not one of a study's kind; None if it is."""
    seen = set()
    for one in part.runs:
        if one.condition in seen or not 0 <= one.condition < len(conditions):
            return OTHER_STUDY
        seen.add(one.condition)
        condition = conditions[one.condition]
        if one.digest != condition["digest"]:
            return OTHER_STUDY
        if kind != condition["kind"]:
            return "it lies in another kind's folder"
        if seeds_without(one.seeds, seed_ranges.union(condition["seeds"])):
            return OTHER_SEEDS
    return None


def set_aside(path: Path) -> Path:
    """Rename a file so that it is no longer in the way; nothing is lost. Returns its new name."""
    number, new = 1, path.with_name(path.name + SET_ASIDE)
    while os.path.lexists(new):
        number += 1
        new = path.with_name(f"{path.name}.{number}{SET_ASIDE}")
    return path.rename(new)


def remove_halves(directory: Path, description: Mapping[str, Any]) -> None:
    """Remove the files that a process was writing when it was killed; no link is followed."""
    folders = [directory / "parts" / kind["parts"] for kind in description["kinds"]]
    for folder in (directory, *(one for one in folders if not one.is_symlink())):
        for entry in _entries(folder):
            if entry.name.startswith(".") and entry.name.endswith(".tmp"):
                Path(entry.path).unlink(missing_ok=True)


def earlier_parts(directory: Path, description: Mapping[str, Any]) -> list[Path]:
    """The parts of a study of an earlier version: regular files, reached through no link.

    Raises:
      InputError: the folder is gone, one in it cannot be read, or a run is in two parts.
    """
    _refuse_gone(directory)
    parts = directory / "parts"
    folders = [] if parts.is_symlink() else [*filter(_is_folder, _entries(parts))]
    files = [
        Path(entry.path)
        for folder in folders
        for entry in _entries(Path(folder.path))
        if entry.name.endswith(".parquet") and entry.is_file(follow_symlinks=False)
    ]
    try:
        runs = scan(description, files).select("condition", "seed").collect()
    except pl.exceptions.PolarsError:  # what reads the rows says which part it is
        return files
    twice = runs.filter(runs.is_duplicated())
    if len(twice):
        raise InputError(
            f"'{directory}' has seed {twice['seed'][0]} of a condition twice: a part was copied, "
            "and the copy must be removed"
        )
    return files
