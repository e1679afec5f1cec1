"""One study of several: their conditions and seeds together, each run once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import polars as pl

from attnlogic.errors import InputError
from attnlogic.results.agreement import going_on
from attnlogic.results.condition_columns import condition_table, kinds
from attnlogic.results.grouping import condition, in_words
from attnlogic.results.rows import CONDITION, run_schema
from attnlogic.results.selecting import select
from attnlogic.results.selection import Selection
from attnlogic.results.store import Runs
from attnlogic.results.writing import open_study, write_part

ROWS_IN_MEMORY = 2**18
"""Rows that wait to be written, at most, before those of the next condition come."""


def merge(studies: Sequence[Runs], out: str | os.PathLike[str]) -> Runs:
    """Write one study with the runs of several; a run that several have is written once.

    It is read, gone on with and added to as if it had been one study from the start.

    Args:
      studies: of one backend, precision, threshold and rule of when runs end; their conditions and
        seeds may differ.
      out: a new or empty folder.

    Returns:
      The study in ``out``.

    Raises:
      InputError: the studies are not of one kind; two of them disagree about a run, which names the
        first such seed; or the folder cannot be made. Nothing has been written then.
      OSError: the system's own, with the path that could not be written.
    """
    folder = Path(out)
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"'{folder}' is not empty: name another folder with --out")
    _check_kind(studies)
    chosen = select([*studies])  # refuses other data by one name
    description = reduce(_together, (dict(one.description) for one in studies))
    _check_conditions(description)
    for _ in chosen.conditions():  # a run that is not the same in two of them is found here
        pass
    with open_study(folder, description) as opened:
        _write(opened.runs, chosen)
    return opened.runs


def _together(one: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    return going_on(Path(), one, other, extend=True)


def _check_kind(studies: Sequence[Runs]) -> None:
    """Raise ``InputError`` for studies that cannot be one."""
    if len(studies) < 2:
        raise InputError("merge: expected two studies at least")
    first = studies[0]
    for runs in studies:
        if runs.is_earlier:
            raise InputError(
                f"'{runs.directory}' was written by an earlier version, which kept no checksums: "
                "it can be read beside others, and not be merged"
            )
        if not runs.keeps_rows:
            raise InputError(
                f"'{runs.directory}' keeps a tally and no rows: statistics take it beside others, "
                "and attnlogic tally DIR DIR --out FILE adds them up"
            )
        for name in ("backend", "precision", "threshold", "until"):
            one, other = first.description[name], runs.description[name]
            if one != other:
                raise InputError(
                    f"'{first.directory}' and '{runs.directory}' are not of one kind: {name} is "
                    f"{one} and {other}. Statistics take both: attnlogic summary DIR DIR"
                )


def _check_conditions(description: Mapping[str, Any]) -> None:
    """Raise ``InputError`` for conditions that have the same settings and are not the same."""
    table = condition_table(description).select(*CONDITION)
    twice = table.filter(table.is_duplicated())
    if len(twice):
        raise InputError(
            f"{in_words(twice.row(0, named=True))} is not the same in all studies: the code of a "
            "model or optimizer of your own, or the parameters that are kept, differ"
        )


def _write(runs: Runs, chosen: Selection) -> None:
    """Write all runs, in parts of many conditions if these are small."""
    description = runs.description
    numbers = {key: i for i, key in enumerate(runs.condition_table.select(*CONDITION).rows())}
    schemas = [run_schema(runs.precision, own) for own in kinds(description)]
    waiting: dict[int, list[pl.DataFrame]] = {}
    for rows in chosen.conditions():
        for block in chosen.blocks(rows):
            number = numbers[tuple(condition(block).values())]
            kind = description["conditions"][number]["kind"]
            numbered = block.with_columns(condition=pl.lit(number, pl.UInt32))
            waiting.setdefault(kind, []).append(numbered.select(*schemas[kind]))
            if sum(len(part) for parts in waiting.values() for part in parts) >= ROWS_IN_MEMORY:
                _flush(runs, waiting)
    _flush(runs, waiting)


def _flush(runs: Runs, waiting: dict[int, list[pl.DataFrame]]) -> None:
    for kind, parts in waiting.items():
        write_part(runs, runs.description["kinds"][kind]["parts"], pl.concat(parts))
    waiting.clear()
