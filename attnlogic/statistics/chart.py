"""What a chart is: a picture of a statistic, drawn by the function of a file of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import polars as pl


class Chart(NamedTuple):
    """A picture of a statistic, drawn by the function ``draw`` of the file ``{name}_chart.py``.

    Attributes:
      name: of the picture, among those of all statistics.
      about: what it shows, in one line.
      needs_rows: whether it needs every run, so that a tally will not do.
    """

    name: str
    about: str
    needs_rows: bool = False

    def draw(self, frame: pl.DataFrame, given: Sequence[Any], options: Mapping[str, Any]) -> Any:
        """The picture as an Altair chart.

        Args:
          frame: the statistic's.
          given: the runs of each condition: populations, or frames if the chart, or its statistic,
            needs every run.
          options: the statistic's, every one with its value.

        Raises:
          InputError: there is nothing to draw.
        """
        file = import_module(f"attnlogic.statistics.{self.name.lower()}_chart")
        return file.draw(frame, given, options)
