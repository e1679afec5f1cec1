"""One part: a Parquet file that says in itself what it holds, and in its name what its bytes are.

Its name is ``LOWEST-HIGHEST.DIGEST.parquet``: the range of its seeds, and the digest of all its
bytes, so that any change of a byte, and any other name, is found. Its runs are listed in the file's
own metadata.
"""

from __future__ import annotations

import io
import json
import re
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from attnlogic.results.rows import SeedRanges, seed_ranges
from attnlogic.results.store.description import FORMAT
from attnlogic.results.store.digests import DIGITS, digest_of_bytes, digest_of_file
from attnlogic.results.store.files import sync_folder, write_whole
from attnlogic.results.store.shapes import Optional, misfit

KEY = "attnlogic"
"""The key of what a part says of itself, in the metadata of its Parquet file."""

_NAME = re.compile(rf"(\d+)-(\d+)\.([0-9a-f]{{{DIGITS}}})\.parquet", re.ASCII)

_SHAPE = {
    "format": int,
    "rows": int,
    "runs": [{"condition": int, "digest": str, "seeds": [[int]], "matching": Optional(int)}],
    "replaces": Optional([str]),
}


class PartRuns(NamedTuple):
    """The runs of one condition in a part.

    Attributes:
      condition: the condition's place in the study.
      digest: the condition's digest.
      seeds: their seeds.
      matching: of a census that keeps some rows, how many of these runs match; else None.
    """

    condition: int
    digest: str
    seeds: SeedRanges
    matching: int | None = None


class Part(NamedTuple):
    """A part whose bytes are those that were written.

    Attributes:
      path: the file.
      rows: how many runs it has.
      runs: which.
      columns: its columns with their types.
      replaces: the names of parts whose runs are all in this one: they need not be there.
    """

    path: Path
    rows: int
    runs: tuple[PartRuns, ...]
    columns: dict[str, Any]
    replaces: frozenset[str] = frozenset()


def folder_of_parts(directory: Path, kind: str) -> Path:
    """The folder for parts of a kind in a study's folder, made if need be.

    Raises:
      OSError: the system's own, with the path that could not be made.
    """
    folder = directory / "parts" / kind
    if not folder.is_dir():
        folder.mkdir()
        sync_folder(folder.parent)
    return folder


def write_part_file(
    folder: Path, frame: pl.DataFrame, runs: Sequence[PartRuns], replaces: Iterable[str] = ()
) -> Path:
    """Write a part, whole or not at all; the same content replaces itself.

    Args:
      folder: the folder of its kind.
      frame: what is kept of the runs.
      runs: which runs.
      replaces: the names of parts whose runs are all in this one.

    Raises:
      OSError: the system's own, with the path that could not be written.
    """
    listed = [
        {name: value for name, value in one._asdict().items() if value is not None} for one in runs
    ]
    said: dict[str, Any] = {"format": FORMAT, "rows": _rows(runs), "runs": listed}
    if names := sorted(replaces):
        said["replaces"] = names
    content = io.BytesIO()
    frame.write_parquet(content, metadata={KEY: json.dumps(said)})
    seeds = seed_ranges.union(*(one.seeds for one in runs))
    name = f"{seeds[0][0]}-{seeds[-1][1] - 1}.{digest_of_bytes(content.getbuffer())}.parquet"
    write_whole(folder / name, content.getbuffer())
    return folder / name


def runs_of_rows(rows: pl.DataFrame, digests: Sequence[str]) -> list[PartRuns]:
    """Which runs some rows are.

    Args:
      rows: with the columns of ``run_schema``.
      digests: that of each condition of the study.
    """
    by_condition = rows.group_by("condition", maintain_order=True).agg("seed")
    return [
        PartRuns(number, digests[number], seed_ranges.of_seeds(seeds.to_numpy()))
        for number, seeds in zip(by_condition["condition"], by_condition["seed"], strict=True)
    ]


def _rows(runs: Iterable[PartRuns]) -> int:
    return sum(seed_ranges.count(one.seeds) for one in runs)


class NotSoundError(Exception):
    """A file is not the part that its name says; the message is the reason."""


def read_part_file(path: Path) -> Part:
    """Read a part's bytes and what it says of itself.

    Raises:
      NotSoundError: it is no regular file, its bytes are not those that were written, or
        what it says of itself does not fit.
    """
    try:
        mode = path.lstat().st_mode
        named = _NAME.fullmatch(path.name)
        if not stat.S_ISREG(mode):
            raise NotSoundError(f"{_WHAT.get(stat.S_IFMT(mode), 'a special file')}, not a file")
        if named is None:
            raise NotSoundError("its name is not that of a part")
        if digest_of_file(path) != named[3]:
            raise NotSoundError("damaged: its bytes are not those that were written")
        return _part(path, int(named[1]), int(named[2]))
    except FileNotFoundError:
        raise NotSoundError("it is gone") from None
    except OSError as error:
        raise NotSoundError(f"it cannot be read: {error.strerror}") from error


_WHAT = {stat.S_IFLNK: "a link", stat.S_IFDIR: "a folder"}


def _part(path: Path, lowest: int, highest: int) -> Part:
    """What a file with the right bytes says of itself."""
    foreign = NotSoundError("it says nothing of itself that is of this format")
    try:
        with path.open("rb") as file:  # polars would take the path as a pattern
            said = json.loads(pl.read_parquet_metadata(file)[KEY])
            file.seek(0)
            columns = dict(pl.read_parquet_schema(file))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, KeyError) as error:
        raise foreign from error
    except (ValueError, RecursionError) as error:
        raise foreign from error
    if misfit(said, _SHAPE) or said["format"] != FORMAT:
        raise foreign
    if any(len(pair) != 2 for one in said["runs"] for pair in one["seeds"]):
        raise foreign
    runs = tuple(
        PartRuns(
            one["condition"], one["digest"], seed_ranges.union(one["seeds"]), one.get("matching")
        )
        for one in said["runs"]
    )
    seeds = seed_ranges.union(*(one.seeds for one in runs))
    if not seeds or (lowest, highest + 1) != (seeds[0][0], seeds[-1][1]):
        raise NotSoundError("its name does not fit the seeds in it")
    if said["rows"] != _rows(runs):
        raise foreign
    return Part(path, said["rows"], runs, columns, frozenset(said.get("replaces", ())))
