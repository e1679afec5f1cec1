"""Choosing the runs that a statistic is asked of."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from attnlogic.errors import InputError
from attnlogic.results.choosing.chosen import check, choices, is_chosen
from attnlogic.results.choosing.other_threshold import check_hits, rung_of
from attnlogic.results.choosing.selection import Selection
from attnlogic.results.choosing.sources import FolderSource, FrameSource, Source, together
from attnlogic.results.counts import Population, Tally, tally_of
from attnlogic.results.rows import where as expression
from attnlogic.results.store import Runs, load

One = Runs | Tally | pl.LazyFrame | pl.DataFrame | str | os.PathLike[str]
"""A study, a tally, a frame of runs; or the path of a study's folder or of a tally's file."""

Selectable = One | Sequence[One] | Selection
"""What every statistic takes: one source of runs, a list of several, or what ``select`` gave."""


def select(
    runs: Selectable,
    *,
    gate: str | Sequence[str] | None = None,
    optimizer: str | Sequence[str] | None = None,
    model: str | Sequence[str] | None = None,
    where: str | None = None,
    threshold: float | None = None,
) -> Selection:
    """Choose the runs that a statistic is asked of.

    A seed under a condition counts once, however many sources have it, if they say the same of it.
    Conditions of different studies that have the same settings are one condition.

    Args:
      runs: a study, a tally, a frame of runs, the path of a study or tally, or a list of these.
      gate, optimizer, model: only conditions that have one of these: ``"xor"``, ``"0110"``; a name
        such as ``"adamw"``, whatever its settings; or a text such as ``"adamw(lr=0.01)"``.
        None for all.
      where: only runs for which this is true: an SQL expression over the columns of a run's row,
        such as ``"status == 'lost' and C < -0.6"``.
      threshold: another threshold than that of the training: a rung of ``outcomes.LADDER``. What
        happened after the first hit is not known of it.

    Raises:
      InputError: something cannot be read, is unknown, or cannot be asked of these runs.

    Example:
      >>> from attnlogic.results import schema
      >>> none = pl.DataFrame(schema=schema("float32"))
      >>> select([none, none], where="status == 'lost' and C < -0.6")
      <selection of 2 sources: Only runs of: where status == 'lost' and C < -0.6.>
    """
    asked = choices(gate=gate, optimizer=optimizer, model=model)
    if isinstance(runs, Selection):
        if asked or where is not None or threshold is not None:
            raise InputError("select: these runs were selected before: give all in one call")
        return runs
    given = [*runs] if isinstance(runs, list | tuple) else [runs]
    if not given:
        raise InputError("runs: expected a study, a tally or a frame of runs, got none")
    given = [_read(one) for one in given]
    _check_alike([one for one in given if isinstance(one, Runs)])
    found = [_source(one) for one in given]
    tallies = tuple(one for one in found if isinstance(one, Tally))
    sources = tuple(one for one in found if not isinstance(one, Tally))
    every = [key for one in found for key in one.keys]
    if asked:
        check(asked, every)
    rows = None
    if where is not None:
        _refuse_tallies(tallies, "where", "the values of single runs")
        rows = expression(where, together([source.columns for source in sources]))
    rung = _rung([key for key in every if is_chosen(asked, key)], threshold)
    if rung is not None:
        _refuse_tallies(tallies, "threshold", "how runs ended by another threshold")
    return Selection(sources, tallies, asked, rows, rung)


def populations(runs: Selectable) -> list[Population]:
    """The runs of each condition as statistics see them.

    Args:
      runs: as for ``select``.

    Raises:
      InputError: something cannot be read, or a frame is not one of runs.
    """
    return [*select(runs).populations()]


def tally(runs: Selectable) -> Tally:
    """The tally of some runs, read some at a time, so that memory does not grow with them.

    Args:
      runs: as for ``select``.

    Raises:
      InputError: a part cannot be read, a frame is not one of runs or has a seed of a condition
        twice, two sources disagree about a run, or rows were selected.

    Example:
      >>> from attnlogic.results import schema
      >>> tally(pl.DataFrame(schema=schema("float32")))
      Tally(0 runs of 0 conditions)
    """
    return select(runs).tally()


def _read(one: Any) -> Any:
    if not isinstance(one, str | os.PathLike):
        return one
    path = Path(one)
    return Tally.read(path) if path.is_file() else load(path)


def _source(one: Any) -> Source | Tally:
    if isinstance(one, Runs) and not one.keeps_rows:
        one = tally_of(one)
    if isinstance(one, Tally):
        return one
    return FolderSource(one) if isinstance(one, Runs) else FrameSource(one)


def _refuse_tallies(tallies: Sequence[Tally], argument: str, lacks: str) -> None:
    if tallies:
        raise InputError(
            f"{argument}: a tally does not keep {lacks}: this needs every run, so name studies "
            "that keep rows"
        )


def _rung(keys: Sequence[dict[str, Any]], threshold: float | None) -> float | None:
    """The rung of the ladder to look at; None where it is the runs' own threshold."""
    if threshold is None or all(key["threshold"] == threshold for key in keys):
        return None
    rung = rung_of(threshold)
    check_hits(keys, rung)
    return rung


def _check_alike(studies: Sequence[Runs]) -> None:
    """Raise ``InputError`` if two studies call different data or code by one name."""
    known: dict[Any, tuple[Any, Path]] = {}
    for runs in studies:
        for what, name, value in _defined(runs):
            before, where = known.setdefault((what, name), (value, runs.directory))
            if before != value:
                raise InputError(
                    f"'{where}' and '{runs.directory}' have {what} by one name, '{name}': they are "
                    "no runs of one kind"
                )


def _defined(runs: Runs) -> Iterator[tuple[str, str, Any]]:
    """What the names in a study stand for, where that is its user's own: rows of data, and code."""
    for name, rows in runs.description.get("data", {}).items():
        yield "different data", name, rows
    names = runs.condition_table.select("model", "optimizer").rows()
    for one, (model, optimizer) in zip(runs.description["conditions"], names, strict=True):
        code = runs.description["kinds"][one["kind"]].get("code") if "kind" in one else None
        if code is not None:
            yield "different code", f"{model} · {optimizer}", code
