"""The runs of which a statistic is computed and its charts are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import polars as pl

    from attnlogic.results import Population, Selection


class Given(Protocol):
    """Runs in memory, for several statistics and charts."""

    @property
    def selection(self) -> Selection:
        """Where the runs are from."""

    @property
    def populations(self) -> Sequence[Population]:
        """The population of each condition."""

    @property
    def frames(self) -> Sequence[pl.DataFrame]:
        """The rows of each condition; asked for only where there are no tallies."""


@dataclass(frozen=True)
class ReadOnce:
    """Given runs that are read once, when something first needs them.

    Attributes:
      selection: where the runs are from.
      every_run: whether something needs rows: then the populations are computed from these.
    """

    selection: Selection
    every_run: bool = False

    @cached_property
    def populations(self) -> Sequence[Population]:
        """The population of each condition."""
        from attnlogic.results import populations

        if self.every_run and not self.selection.tallies:
            return [some for rows in self.frames for some in populations(rows)]
        return [*self.selection.populations()]

    @cached_property
    def frames(self) -> Sequence[pl.DataFrame]:
        """The rows of each condition."""
        return [*self.selection.frames()]
