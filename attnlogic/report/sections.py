"""A statistic's section of the page: its charts as SVG, its table, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from attnlogic.errors import InputError
from attnlogic.report.vector import svg_in_page
from attnlogic.words import in_shell

if TYPE_CHECKING:
    import polars as pl

    from attnlogic.report.few_runs import Few
    from attnlogic.results import Selection
    from attnlogic.statistics import Chart, Statistic
    from attnlogic.view import Sheet

MAX_TABLE_ROWS = 300
"""Rows of a table on the page, at most."""


class Picture(NamedTuple):
    """A chart on the page.

    Attributes:
      about: what it shows.
      svg: the picture; empty where there is nothing to draw.
      missing: why not.
      size: its width in pixels.
    """

    about: str
    svg: str = ""
    missing: str = ""
    width: int = 0


class Section(NamedTuple):
    """A statistic on the page.

    Attributes:
      name: the statistic's.
      question: likewise.
      reading: how to read it.
      command: what prints the table.
      pictures: its charts.
      table: what a person reads; None where it cannot be said.
      notes: what was left out, and why something is not there.
    """

    name: str
    question: str
    reading: str
    command: str
    pictures: tuple[Picture, ...] = ()
    table: Sheet | None = None
    notes: tuple[str, ...] = ()


def section(statistic: Statistic, every: Selection, some: Few | None, path: str) -> Section:
    """The section of a statistic. What cannot be said or drawn is a note, never an error.

    Args:
      statistic: the statistic.
      every: the runs.
      some: those that it has where it needs each run by itself; None of a tally.
      path: of the runs, for the command.
    """
    command = f"attnlogic {statistic.name} {in_shell(path)}"
    said = Section(statistic.name, statistic.question, statistic.reading, command)
    of_some = statistic.needs_rows and some is not None
    runs = some.selection if some is not None and of_some else every
    try:
        frame = statistic(runs)
    except InputError as error:
        return said._replace(notes=(_sentence(error),))
    if frame.is_empty():
        return said._replace(notes=("There are no runs here of which this can be said.",))
    notes = [some.note] if some is not None and of_some and some.note else []
    shown = statistic.shown(frame)
    if len(shown.rows) > MAX_TABLE_ROWS:
        notes.append(
            f"The table has the first {MAX_TABLE_ROWS} of {len(shown.rows):,} rows: {command} "
            "--format csv has all."
        )
        shown = shown._replace(rows=shown.rows[:MAX_TABLE_ROWS])
    pictures = [_picture(statistic, chart, frame, runs, some) for chart in statistic.charts]
    return said._replace(pictures=_said_once(pictures), table=shown, notes=tuple(notes))


def _picture(
    statistic: Statistic, chart: Chart, frame: pl.DataFrame, runs: Selection, some: Few | None
) -> Picture:
    """A chart that needs each run by itself is of the first runs, where the page has not all."""
    by_itself = chart.needs_rows and not statistic.needs_rows and some is not None
    of = some.selection if some is not None and by_itself else runs
    about = f"{chart.about}. {some.note}" if some is not None and by_itself else chart.about
    try:
        drawn = statistic.drawn(chart, frame, of)
    except InputError as error:
        return Picture(chart.about, missing=_sentence(error))
    svg, width = svg_in_page(drawn, chart.name)
    return Picture(about.strip(), svg, width=width)


def _said_once(pictures: Sequence[Picture]) -> tuple[Picture, ...]:
    """Two pictures that are missing for one reason say it once."""
    reasons: set[str] = set()
    kept = []
    for picture in pictures:
        if not picture.missing or picture.missing not in reasons:
            kept.append(picture)
        reasons.add(picture.missing)
    return tuple(kept)


def _sentence(error: InputError) -> str:
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "'", ")")) else ".")
