"""A study's description, ``study.json``: read, checked and written."""

from __future__ import annotations

import json
import math
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attnlogic.backend import MAX_EPOCHS, PRECISIONS
from attnlogic.errors import InputError, described
from attnlogic.problems import SEED_LIMIT
from attnlogic.results.rows import seed_ranges
from attnlogic.results.store.digests import DIGITS, digest
from attnlogic.results.store.files import write_whole
from attnlogic.results.store.shapes import Each, Optional, misfit

FORMAT = 3
"""The number of this layout. In the first, which had none, each row had its condition's columns;
the second's parts had no checksum."""

NAME = "study.json"

KEEP = ("rows", "tally")
"""What a study keeps of its runs: each run's row, or each condition's tally."""

_KIND = {
    "parts": str,
    "model": Optional(str),
    "quantities": Each(str),
    "parameters": [str],
    "code": Optional(str),
}

_EARLIER: dict[str, Any] = {
    "precision": str,
    "threshold": Optional(float),
    "until": Optional(str),
    "backend": Optional(str),
    "devices": Optional([str]),
    "versions": Optional(Each(str)),
    "attnlogic": Optional(str),
    "created": Optional(str),
    "platform": Optional(str),
    "machine": Optional(str),
    "jobs": Optional(int),
    "kinds": Optional([_KIND]),
    "data": Optional(Each({"inputs": [[float]], "targets": [float]})),
    "seeds": Optional({"first": int, "count": int}),
    "conditions": [
        {
            "gate": str,
            "optimizer": str,
            "epochs": Optional(int),
            "init": Optional(str),
            "model": Optional(str),
            "encoding": Optional(str),
            "threshold": Optional(float),
            "backend": Optional(str),
            "precision": Optional(str),
            "until": Optional(str),
        }
    ],
}
"""What the formats before this one had."""

_SHAPE: dict[str, Any] = _EARLIER | {
    "threshold": float,
    "until": str,
    "backend": str,
    "kinds": [_KIND],
    "conditions": [
        _EARLIER["conditions"][0]
        | {"epochs": int, "init": str, "kind": int, "seeds": [[int]], "digest": str}
    ],
    "keep": Optional(str),
    "keep_rows": Optional(str),
    "resumed": Optional(
        [
            {
                "created": str,
                "attnlogic": str,
                "versions": Each(str),
                "devices": [str],
                "platform": str,
                "machine": str,
            }
        ]
    ),
    "checksum": str,
}

_FOLDER = re.compile(r"\w[\w-]*", re.ASCII)


_MEND = "the command that trained the study, given again with --out, writes it anew"


class DamagedDescriptionError(InputError):
    """A ``study.json`` that is there and cannot be used, whatever it once said."""


def read_description(directory: Path) -> dict[str, Any]:
    """The checked content of a study's ``study.json``.

    Raises:
      InputError: there is none, or it is of a later version.
      DamagedDescriptionError: it cannot be read, was changed, or holds something of a wrong type.
    """
    path = directory / NAME
    try:
        if stat.S_ISREG(path.lstat().st_mode):
            content = path.read_bytes()
        else:
            raise DamagedDescriptionError(f"cannot read '{path}': it is no regular file")
    except (FileNotFoundError, NotADirectoryError):
        why = f"it has no {NAME}" if directory.is_dir() else "there is no such folder"
        raise InputError(
            f"no study in '{directory}' ({why}): name the folder given to --out"
        ) from None
    except OSError as error:
        raise DamagedDescriptionError(f"cannot read '{path}': {error.strerror}") from error
    try:
        description = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DamagedDescriptionError(f"cannot read '{path}': {error}: {_MEND}") from error
    _refuse_later(path, description)
    if wrong := _misfit(description) or _changed(description):
        raise DamagedDescriptionError(f"'{path}' does not describe a study: {wrong}")
    return dict(description)


def sealed(description: Mapping[str, Any]) -> dict[str, Any]:
    """A description as it is read back: as JSON has it, checked, with its checksum.

    Raises:
      ValueError, TypeError: it is not fit for JSON, or does not describe a study.
    """
    said = json.loads(json.dumps({**description, "checksum": ""}, allow_nan=False))
    said["checksum"] = _checksum(said)
    if wrong := _misfit(said):
        raise ValueError(wrong)
    return dict(said)


def write_description(directory: Path, description: Mapping[str, Any]) -> None:
    """Write ``study.json``, whole or not at all; a line for each condition.

    Args:
      directory: the study's folder.
      description: as ``sealed`` gives it.

    Raises:
      OSError: the system's own, with the path.
    """
    lines = (f"  {json.dumps(name)}: {_lines(value)}" for name, value in description.items())
    write_whole(directory / NAME, ("{\n" + ",\n".join(lines) + "\n}\n").encode())


def _checksum(description: Mapping[str, Any]) -> str:
    return digest({name: value for name, value in description.items() if name != "checksum"})


def _lines(value: Any) -> str:
    if not (isinstance(value, list) and value and isinstance(value[0], dict)):
        return json.dumps(value)
    return "[\n" + ",\n".join(f"    {json.dumps(one)}" for one in value) + "\n  ]"


def _refuse_later(path: Path, description: Any) -> None:
    number = description.get("format", 1) if isinstance(description, dict) else 1
    if isinstance(number, int) and number > FORMAT:
        raise InputError(
            f"'{path}' has the format {described(number)}, and this version reads up to {FORMAT}: "
            "read it with the version that wrote it, or a later one"
        )


def _misfit(description: Any) -> str | None:
    """What is wrong with a description; None if nothing is."""
    if not isinstance(description, dict):
        return f"expected an object, got {described(description)}"
    number = description.get("format", 1)
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        return f"'format' is {described(number)}, expected 1 … {FORMAT}"
    if number < FORMAT:
        return misfit(description, _EARLIER) or _out_of_range(description)
    wrong = misfit(description, _SHAPE) or _out_of_range(description)
    return wrong or _inconsistent(description)


def _changed(description: dict[str, Any]) -> str | None:
    """Whether a description is another than was written, in words."""
    if "checksum" not in description:  # of an earlier format: none of those had one
        return None
    try:
        if _checksum(description) == description["checksum"]:
            return None
    except (ValueError, RecursionError):  # NaN or infinity: JSON has none
        pass
    return f"its 'checksum' does not fit: the file was changed or damaged: {_MEND}"


def _out_of_range(description: dict[str, Any]) -> str | None:
    """What is of the right type and still means nothing."""
    for at, whole in (("", description), *_each(description["conditions"])):
        if whole.get("precision", "float32") not in PRECISIONS:
            return (
                f"'{at}precision' is {described(whole['precision'])}, expected float32 or float64"
            )
        if not 1 <= whole.get("epochs", 1) <= MAX_EPOCHS:
            return f"'{at}epochs' is {described(whole['epochs'])}, expected 1 … {MAX_EPOCHS}"
        if not math.isfinite(whole.get("threshold", 1)):
            return f"'{at}threshold' is {described(whole['threshold'])}, expected a finite number"
    return None


def _each(conditions: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    return [(f"conditions[{i}].", one) for i, one in enumerate(conditions)]


def _inconsistent(description: dict[str, Any]) -> str | None:
    """What does not fit together, or could lead out of the folder."""
    if (keep := description.get("keep", "rows")) not in KEEP:
        return f"'keep' is {described(keep)}, expected one of {', '.join(KEEP)}"
    folders: set[str] = set()
    for i, kind in enumerate(description["kinds"]):
        folder = kind["parts"]
        if not _FOLDER.fullmatch(folder) or folder in folders:
            return f"'kinds[{i}].parts' is {described(folder)}, expected a name of its own"
        folders.add(folder)
    digests: set[str] = set()
    for at, one in _each(description["conditions"]):
        if not 0 <= one["kind"] < len(folders):
            return f"'{at}kind' is {one['kind']}, expected a place in the list 'kinds'"
        if not re.fullmatch(rf"[0-9a-f]{{{DIGITS}}}", one["digest"]) or one["digest"] in digests:
            return f"'{at}digest' is {described(one['digest'])}, expected one of its own"
        digests.add(one["digest"])
        if not _are_ranges(one["seeds"]):
            return f"'{at}seeds' is {described(one['seeds'])}, expected ranges such as [[0, 1000]]"
    return None


def _are_ranges(seeds: list[list[int]]) -> bool:
    return (
        all(len(pair) == 2 and 0 <= pair[0] < pair[1] <= SEED_LIMIT for pair in seeds)
        and [*map(list, seed_ranges.union(seeds))] == seeds
    )
