"""One study of several: their conditions and seeds together, each run once.

What was interrupted is gone on with by the same call: what is there is kept.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import polars as pl

from attnlogic.errors import InputError
from attnlogic.results.choosing.selecting import select
from attnlogic.results.choosing.selection import Selection
from attnlogic.results.counts import (
    all_counted,
    numbered,
    of_conditions,
    put_together,
    write_counted,
)
from attnlogic.results.rows import (
    CONDITION,
    SeedRanges,
    condition,
    condition_table,
    in_words,
    kinds,
    run_schema,
    seed_ranges,
    seeds_without,
)
from attnlogic.results.store import (
    ANOTHER_FOLDER,
    Runs,
    going_on,
    open_study,
    read_description,
    same,
    write_part,
)

ROWS_IN_MEMORY = 2**18
"""Rows that wait to be written, at most, before those of the next condition come."""


def merge(studies: Sequence[Runs], out: str | os.PathLike[str]) -> Runs:
    """Write one study with the runs of several; a run that several have is written once.

    It is read, gone on with and added to as if it had been one study from the start.

    Args:
      studies: of one backend, precision, threshold and rule of when runs end, which all keep rows,
        or all tallies; their conditions and seeds may differ. Those that keep tallies share no run.
      out: a new or empty folder, or the one in which this was interrupted.

    Returns:
      The study in ``out``.

    Raises:
      InputError: the studies are not of one kind; two of them disagree about a run, which names the
        first such seed; or the folder holds something else, or cannot be made. Nothing has been
        written then.
      OSError: the system's own, with the path that could not be written.
    """
    folder = Path(out)
    _check_kind(studies)
    _check_digests(studies)
    chosen = select([*studies])  # refuses other data by one name
    description = reduce(_together, (dict(one.description) for one in studies))
    _check_conditions(description)
    _check_folder(folder, studies, description)
    keep_rows = studies[0].keeps_rows
    if keep_rows:
        for _ in chosen.conditions():  # a run that is not the same in two of them is found here
            pass
    else:
        chosen.tally()  # a run that is in two of them is found here
    with open_study(folder, description) as opened:
        there = opened.runs.inventory().seeds
        if keep_rows:
            _write(opened.runs, chosen, there)
        else:
            _write_counted(opened.runs, studies, there)
    return opened.runs


def _together(one: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    return going_on(Path(), one, other, extend=True)


_USUAL = {"keep": "rows", "keep_rows": "none"}
"""What is kept where a description does not say it."""


def _check_kind(studies: Sequence[Runs]) -> None:
    """Raise ``InputError`` for studies that cannot be one."""
    if len(studies) < 2:
        raise InputError("merge: expected two studies at least")
    first = studies[0]
    for runs in studies:
        described = first.description, runs.description
        if runs.is_earlier:
            raise InputError(
                f"'{runs.directory}' was written by an earlier version, which kept no checksums: "
                "it can be read beside others, and not be merged"
            )
        for name in ("keep", "keep_rows", "backend", "precision", "threshold", "until"):
            one, other = (said.get(name, _USUAL.get(name)) for said in described)
            if one != other:
                raise InputError(
                    f"'{first.directory}' and '{runs.directory}' are not of one kind: {name} is "
                    f"{one} and {other}. Statistics take both: attnlogic summary DIR DIR"
                )


def _check_digests(studies: Sequence[Runs]) -> None:
    """Raise ``InputError`` for one digest of two settings: a description was made up."""
    known: dict[str, Any] = {}
    for runs in studies:
        names = [kind["parameters"] for kind in runs.description["kinds"]]
        for one in runs.description["conditions"]:
            said = {k: v for k, v in one.items() if k not in ("seeds", "kind")}
            said["parameters"] = names[one["kind"]]
            if known.setdefault(one["digest"], said) != said:
                raise InputError(
                    f"the description of '{runs.directory}' gives the digest {one['digest']} to "
                    "other settings than another of these studies: it is not as it was written"
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


def _check_folder(folder: Path, studies: Sequence[Runs], description: Mapping[str, Any]) -> None:
    """Raise ``InputError`` for a folder that holds another study than the one that is made."""
    if any(os.path.realpath(folder) == os.path.realpath(runs.directory) for runs in studies):
        raise InputError(f"'{folder}' is one of the studies: {ANOTHER_FOLDER}")
    try:
        there = read_description(folder)
    except InputError:  # what lies there, if anything, is seen when it is opened
        return
    if not same(there, description):
        raise InputError(f"'{folder}' holds another study than these make: {ANOTHER_FOLDER}")


def _write(runs: Runs, chosen: Selection, there: Mapping[int, SeedRanges]) -> None:
    """Write all runs that are not there, in parts of many conditions if these are small."""
    description = runs.description
    numbers = {key: i for i, key in enumerate(runs.condition_table.select(*CONDITION).rows())}
    schemas = [run_schema(runs.precision, own) for own in kinds(description)]
    waiting: dict[int, list[pl.DataFrame]] = {}
    for rows in chosen.conditions():
        for block in chosen.blocks(rows):
            number = numbers[tuple(condition(block).values())]
            kind = description["conditions"][number]["kind"]
            block = block.filter(
                ~seed_ranges.contain(there.get(number, ()), block["seed"].to_numpy())
            )
            numbered = block.with_columns(condition=pl.lit(number, pl.UInt32))
            waiting.setdefault(kind, []).append(numbered.select(*schemas[kind]))
            if sum(len(part) for parts in waiting.values() for part in parts) >= ROWS_IN_MEMORY:
                _flush(runs, waiting)
    _flush(runs, waiting)


def _flush(runs: Runs, waiting: dict[int, list[pl.DataFrame]]) -> None:
    for kind, parts in waiting.items():
        if len(rows := pl.concat(parts)):
            write_part(runs, runs.description["kinds"][kind]["parts"], rows)
    waiting.clear()


def _write_counted(runs: Runs, studies: Sequence[Runs], there: Mapping[int, SeedRanges]) -> None:
    """Write what censuses keep, part by part, but for the parts that are there.

    Raises:
      InputError: a part has been put together with others since some of its runs were written.
    """
    kinds = [one["kind"] for one in runs.description["conditions"]]
    numbers = {one["digest"]: i for i, one in enumerate(runs.description["conditions"])}
    for study in studies:
        place = {i: numbers[one["digest"]] for i, one in enumerate(study.description["conditions"])}
        for part in all_counted(study):
            counted = numbered(part, place)
            for kind in {kinds[number] for number in counted.seeds}:
                some = of_conditions(counted, [n for n in counted.seeds if kinds[n] == kind])
                left = [seeds_without(s, there.get(n, ())) for n, s in some.seeds.items()]
                if not any(left):
                    continue
                if left != [*some.seeds.values()]:
                    raise InputError(
                        f"'{study.directory}' has changed since '{runs.directory}' was begun: "
                        f"{ANOTHER_FOLDER}"
                    )
                folder = runs.description["kinds"][kind]["parts"]
                write_counted(runs, folder, some)
                put_together(runs, folder)
