"""What is said when a study goes on: how much is there, and what has changed since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attnlogic.results import Opened, made_by
from attnlogic.words import counted


def said_of(opened: Opened, asked: Mapping[str, Any], missing: int) -> Iterator[str]:
    """What is there of a study, and what is trained now; nothing of a new one.

    Args:
      opened: the folder's study.
      asked: the description of what is to be trained.
      missing: how many runs are trained.
    """
    if opened.is_new:
        return
    runs, aside = opened.runs, len(opened.set_aside)
    there = len(runs)
    line = f"{runs.directory}: {counted(there, 'run')} kept, {missing:,} to train"
    if aside:
        line += f"; {counted(aside, 'file')} damaged or not of this study, set aside"
    yield line
    for one in opened.set_aside[:_LISTED]:
        yield f"set aside: {one}"
    if missing and there:
        yield from _changes(runs.description, asked)


_LISTED = 5
"""Files that are named, at most."""


def _changes(there: Mapping[str, Any], asked: Mapping[str, Any]) -> Iterator[str]:
    """What makes runs now that did not make those that are there."""
    now, before = made_by(asked), made_by(there)
    changed = [
        f"{name} {_text(before[name])} before, {_text(now[name])} now"
        for name in now
        if name != "versions" and now[name] != before[name]
    ]
    old, new = before["versions"], now["versions"]
    changed += [
        f"{name} {old.get(name, 'none')} before, {new.get(name, 'none')} now"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]
    if changed:
        yield f"rows may differ in their last bits from those kept: {'; '.join(changed)}"


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
