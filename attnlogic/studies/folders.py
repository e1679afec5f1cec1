"""Where a study is written by default: where it lies under ``runs/``, or in a new folder there."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attnlogic.errors import InputError
from attnlogic.results import is_locked, made_alike, read_study, same

HOME = Path("runs")


def directory_of(asked: Mapping[str, Any]) -> Path:
    """The folder under ``runs/`` that has this study, finished or not; else a new one.

    A study is the same if it asks for the same runs, made by the same versions and devices. One of
    a user's own code is never: what that code calls may have changed. One that another process is
    writing is left to it.

    Args:
      asked: the description of the study.
    """
    if any("code" in kind for kind in asked["kinds"]):
        return new_directory()
    for file in sorted(HOME.glob("*/study.json"), reverse=True):  # the last one first
        try:
            there = read_study(file.parent).description
        except InputError:
            continue
        if there.get("format") != asked["format"] or is_locked(file.parent):
            continue
        if same(there, asked) and made_alike(there, asked):
            return file.parent
    return new_directory()


def new_directory() -> Path:
    """A folder that does not exist yet: ``runs/`` and the time of day."""
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    path, again = HOME / now, 1
    while path.exists():
        again += 1
        path = HOME / f"{now}-{again}"
    return path
