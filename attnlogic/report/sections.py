"""A statistic's section of the page: its charts as SVG, its table, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from attnlogic.errors import InputError
from attnlogic.report.vector import svg_in_page
from attnlogic.words import in_shell

if TYPE_CHECKING:
    import polars as pl

    from attnlogic.results import Population, Selection
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
    """

    about: str
    svg: str = ""
    missing: str = ""


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


class Given(NamedTuple):
    """The runs of a page, read once for all statistics.

    Attributes:
      selection: where they are from.
      populations: of each condition.
      frames: of each condition the runs by themselves, all or the first; empty of a tally.
      note: what ``frames`` leaves out; empty where that is nothing.
      path: of the runs, for commands.
    """

    selection: Selection
    populations: list[Population]
    frames: list[pl.DataFrame]
    note: str
    path: str


def section(statistic: Statistic, given: Given) -> Section:
    """The section of a statistic. What cannot be said or drawn is a note, never an error."""
    command = f"attnlogic {statistic.name} {in_shell(given.path)}"
    said = Section(statistic.name, statistic.question, statistic.reading, command)
    try:
        frame = statistic.computed(given)
    except InputError as error:
        return said._replace(notes=(sentence(error),))
    if frame.is_empty():
        return said._replace(notes=("There are no runs here of which this can be said.",))
    notes = [given.note] if statistic.needs_rows and given.note else []
    shown = statistic.shown(frame)
    if len(shown.rows) > MAX_TABLE_ROWS:
        notes.append(
            f"The table has the first {MAX_TABLE_ROWS} of {len(shown.rows):,} rows: {command} "
            "--format csv has all."
        )
        shown = shown._replace(rows=shown.rows[:MAX_TABLE_ROWS])
    pictures = [_picture(statistic, chart, frame, given) for chart in statistic.charts]
    return said._replace(pictures=_said_once(pictures), table=shown, notes=tuple(notes))


def _picture(statistic: Statistic, chart: Chart, frame: pl.DataFrame, given: Given) -> Picture:
    try:
        drawn = statistic.drawn(chart, frame, given)
    except InputError as error:
        return Picture(chart.about, missing=sentence(error))
    alone = chart.needs_rows and not statistic.needs_rows  # else the section says it
    about = f"{chart.about}. {given.note}" if alone and given.note else chart.about
    return Picture(about, svg_in_page(drawn, chart.name))


def _said_once(pictures: Sequence[Picture]) -> tuple[Picture, ...]:
    """Two pictures that are missing for one reason say it once."""
    reasons: set[str] = set()
    kept = []
    for picture in pictures:
        if not picture.missing or picture.missing not in reasons:
            kept.append(picture)
        reasons.add(picture.missing)
    return tuple(kept)


def sentence(error: InputError) -> str:
    """What an error says, as a sentence of the page."""
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "'", ")")) else ".")
