"""What a statistic is: one question, with all that commands, exports, docs and tests need of it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from attnlogic.errors import InputError, unknown
from attnlogic.statistics.chart import Chart
from attnlogic.statistics.given import Given, ReadOnce
from attnlogic.view import Sheet

if TYPE_CHECKING:
    import polars as pl

    from attnlogic.results import Selectable, Selection

Row = dict[str, Any]
"""A row of a statistic's frame: the column's name -> a value, None for what does not exist."""


class Column(NamedTuple):
    """A column of a statistic's frame.

    Attributes:
      name: as in the frame.
      type: ``str``, ``int`` or ``float``.
      unit: of the numbers: ``"epochs"``, ``"runs"``, …; ``""`` for a number without one.
      meaning: one line.
    """

    name: str
    type: type
    unit: str
    meaning: str


CONDITION = (
    Column("gate", str, "", "the gate"),
    Column("optimizer", str, "", "the optimizer with the settings that are not its defaults"),
)
SETTINGS = (
    Column("backend", str, "", "the backend that trained the runs"),
    Column("precision", str, "", "float32 or float64"),
    Column("epochs", int, "epochs", "the budget of a run"),
    Column("threshold", float, "loss", "a run has hit once its loss is at most this"),
    Column("init", str, "", "how initial parameters are drawn"),
    Column("until", str, "", "when a run ends: with its budget, or at its first hit"),
    Column("model", str, "", "the model with the settings that are not its defaults"),
    Column("encoding", str, "", "what stands for false and true: 01, pm1, or real for a file's"),
)


def by_condition(*columns: Column) -> tuple[Column, ...]:
    """The columns of a statistic with rows for each condition, from its own columns."""
    return (*CONDITION, *columns, *SETTINGS)


class Option(NamedTuple):
    """A setting of a statistic, which its command has as ``--name``.

    Attributes:
      name: the argument's name.
      default: its value if nothing else is asked for; its type is the option's.
      help: one line.
      read: checks a value and gives the one that is computed with; raises ``InputError``.
      choices: what the Tab key completes.
    """

    name: str
    default: Any
    help: str
    read: Callable[[Any], Any]
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Statistic:
    """One question that can be asked of runs. Call it with runs to get its frame.

    Attributes:
      name: of its command, and of ``attnlogic.{name}``.
      question: what it answers, in one line.
      columns: of its frame, in order.
      rows: the computation: from the populations of all conditions, one after the other (an
        iterator of ``results.Population``, or of frames if it ``needs_rows``), and the options, as
        keyword arguments, to the frame's rows.
      sheet: from the frame and the options (a dict) to the table that a person reads.
      reading: how to read its charts and its table, in two or three plain sentences.
      needs_rows: whether it needs every run, so that a tally will not do.
      options: its settings.
      charts: its pictures; the first is the one that its command draws.
      after_hit: whether all that it says is of what happened after the first hit, which is known of
        the training's own threshold alone.
    """

    name: str
    question: str
    columns: tuple[Column, ...]
    rows: Callable[..., Iterable[Row]]
    sheet: Callable[[pl.DataFrame, Mapping[str, Any]], Sheet]
    reading: str
    needs_rows: bool = False
    options: tuple[Option, ...] = ()
    charts: tuple[Chart, ...] = ()
    after_hit: bool = False

    def __post_init__(self) -> None:
        lines = [self.question, "", *textwrap.wrap(self.reading, 88), ""]
        if self.options:
            lines += [
                "Options:",
                *(f"  {o.name}={o.default!r}: {o.help}" for o in self.options),
                "",
            ]
        lines += ["Columns:", *(f"  {described(column)}" for column in self.columns)]
        lines += ["", "Charts:", *(f"  {chart.name}: {chart.about}" for chart in self.charts)]
        # What help(…) and notebooks show of an object is its own docstring.
        object.__setattr__(self, "__doc__", "\n".join(lines))

    def __call__(self, runs: Selectable, **options: Any) -> pl.DataFrame:
        """Compute it.

        Args:
          runs: a study, a tally (unless it needs every run), a frame of runs' rows, such as
            ``Runs.table()`` or what ``attnlogic runs`` has written, the path of a study or tally,
            or a list of these; or some of their runs: see ``attnlogic.select``.
          **options: the statistic's own; see ``options``.

        Returns:
          A frame with the columns of ``columns``. Null stands for what does not exist.

        Raises:
          InputError: an option is unknown or out of range, rows lack a column, or the statistic
            needs every run and got a tally.
        """
        from attnlogic.results import select

        settings = self.settings(options)  # an error in them comes before any reading
        selection = select(runs)
        self.check(selection)
        some = selection.frames() if self.needs_rows else selection.populations()
        return self._frame(some, settings)

    def chart(self, runs: Selectable, name: str = "", **options: Any) -> Any:
        """Draw it: an Altair chart, which a notebook shows.

        Args:
          runs: as for the call.
          name: of one of ``charts``; without it the first.
          **options: as for the call.

        Raises:
          InputError: as for the call, no such chart, a chart needs every run and got a tally, or
            there is nothing to draw.
        """
        known = {chart.name: chart for chart in self.charts}
        if name and name not in known:
            raise unknown(f"chart of {self.name}", name, known)
        from attnlogic.results import select

        chart = known[name] if name else self.charts[0]
        self.settings(options)  # an error in them comes before any reading
        given = ReadOnce(select(runs), every_run=chart.needs_rows)
        self._check_chart(chart, given)
        return self.drawn(chart, self.computed(given, **options), given, **options)

    def computed(self, given: Given, **options: Any) -> pl.DataFrame:
        """The frame, as calling it gives it, of runs in memory.

        Raises:
          InputError: as for the call.
        """
        settings = self.settings(options)
        self.check(given.selection)
        some = given.frames if self.needs_rows else given.populations
        return self._frame(iter(some), settings)

    def drawn(self, chart: Chart, frame: pl.DataFrame, given: Given, **options: Any) -> Any:
        """One of its charts, of the frame that ``computed`` gave of these runs and options.

        If the runs are some of many, the caption says which.

        Raises:
          InputError: as for ``chart``.
        """
        from attnlogic.view import with_sentence

        self._check_chart(chart, given)
        some = given.frames if self.needs_rows or chart.needs_rows else given.populations
        drawn = chart.draw(frame, some, self.settings(options))
        return with_sentence(drawn, given.selection.note)

    @property
    def schema(self) -> pl.Schema:
        """The columns of its frame with their polars types."""
        import polars as pl

        return pl.Schema({column.name: column.type for column in self.columns})

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Every option with its value, its default where none is given.

        Raises:
          InputError: an option is unknown or out of range.
        """
        names = [option.name for option in self.options]
        for name in given:
            if name not in names:
                raise unknown(f"option of {self.name}", name, names)
        return {o.name: o.read(given.get(o.name, o.default)) for o in self.options}

    def shown(
        self, frame: pl.DataFrame, given: Mapping[str, Any] | None = None, note: str = ""
    ) -> Sheet:
        """The table that a person reads.

        Where a gate has an optimizer twice, its name says what else differs: the model, the budget.

        Args:
          frame: what calling it gave.
          given: the options that it was given.
          note: what is to be said of the runs: ``Selection.note``.
        """
        renamed, alike = named(frame)
        sheet = self.sheet(renamed, self.settings(given or {}))
        return sheet._replace(note=" ".join(said for said in (sheet.note, alike, note) if said))

    def html(self, runs: Selectable, **options: Any) -> str:
        """The table that a person reads, in HTML; all text is escaped.

        Raises:
          InputError: as for the call.
        """
        from attnlogic.view import html_table

        return html_table(self.shown(self(runs, **options), options))

    def check(self, selection: Selection) -> None:
        """Raise ``InputError`` if it cannot be asked of these runs."""
        if self.needs_rows and selection.tallies:
            raise _needs_rows(self.name)
        if self.after_hit and selection.threshold is not None:
            raise InputError(
                f"{self.name} says what happened after the first hit, which is known of the "
                "training's own threshold alone: attnlogic study --threshold trains with another"
            )

    def _check_chart(self, chart: Chart, given: Given) -> None:
        self.check(given.selection)
        if chart.needs_rows and given.selection.tallies:
            raise _needs_rows(f"the chart {chart.name}")

    def _frame(self, given: Iterator[Any], settings: Mapping[str, Any]) -> pl.DataFrame:
        import polars as pl

        return pl.DataFrame(list(self.rows(given, **settings)), schema=self.schema)

    def __repr__(self) -> str:
        return f"<statistic {self.name}: {self.question}>"


def _needs_rows(what: str) -> InputError:
    return InputError(f"{what} needs every run, not a tally: name studies that keep rows")


_NOT_SAID = {"model": "attention", "encoding": "01", "init": "torch"}
"""What goes without saying."""


def named(frame: pl.DataFrame) -> tuple[pl.DataFrame, str]:
    """The frame with conditions that can be told apart, and what holds of all of them."""
    import polars as pl

    from attnlogic.results import CONDITION, labels

    if not frame.height or not {*CONDITION} <= {*frame.columns}:
        return frame, ""
    keys = frame.select(*CONDITION).unique(maintain_order=True)
    names = keys.with_columns(_name=pl.Series(labels(keys.to_dicts()), dtype=pl.String))
    found = frame.join(names, on=[*CONDITION], how="left", nulls_equal=True, maintain_order="left")
    found = found.with_columns(optimizer=pl.col("_name")).drop("_name")
    alike = {name: keys[name].unique().to_list() for name in _NOT_SAID}
    said = [
        f"{name} {values[0]}"
        for name, values in alike.items()
        if len(values) == 1 and values[0] not in (_NOT_SAID[name], None)
    ]
    return found, f"Of all: {', '.join(said)}." if said else ""


def described(column: Column) -> str:
    """A column in one line: its name, unit and meaning."""
    unit = f" [{column.unit}]" if column.unit else ""
    return f"{column.name}{unit}: {column.meaning}"
