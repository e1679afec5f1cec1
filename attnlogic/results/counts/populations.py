"""The runs of one condition as statistics see them, whether they are rows or a tally."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from attnlogic.outcomes import STATUSES
from attnlogic.results.counts.distribution import Distribution
from attnlogic.results.rows import CONDITION, GROUPS, KEPT, QUANTITIES, condition, known_of


class Population:
    """The runs of one condition.

    Args:
      key: see below.
      distribution: the distribution of a quantity over a group of the runs, by their names; None
        where it is not known of these runs, such as C of a model that has none.

    Attributes:
      key: the condition: its values of the columns ``CONDITION``.
      known: what theory knows of it; None where that is nothing.
    """

    def __init__(
        self, key: dict[str, Any], distribution: Callable[[str, str], Distribution | None]
    ) -> None:
        self.key, self.known, self._distribution = key, known_of(key), distribution

    def of(self, quantity: str, group: str = "all") -> Distribution:
        """How a quantity is distributed over a group of the runs; see ``knows``.

        Args:
          quantity: one of those that ``KEPT`` has for the group.
          group: one of ``GROUPS``.

        Returns:
          The distribution over the runs that have a value; empty where the quantity is not known.

        Raises:
          KeyError: a tally does not keep that quantity of that group.
        """
        found = self._look_up(quantity, group)
        return Distribution.of([]) if found is None else found

    def knows(self, quantity: str, group: str = "all") -> bool:
        """Whether a quantity is known of these runs: none having a value is something else.

        Args:
          quantity, group: as for ``of``.
        """
        return self._look_up(quantity, group) is not None

    def _look_up(self, quantity: str, group: str) -> Distribution | None:
        if quantity not in KEPT[group]:
            raise KeyError(f"'{quantity}' is not kept of the group '{group}'")
        return self._distribution(quantity, group)

    @property
    def exact(self) -> float | None:
        """C of the exact solution; None where any C will do, or where none is known."""
        return None if self.known is None else self.known.C

    @cached_property
    def _statuses(self) -> Distribution:
        return self.of("status")

    @property
    def runs(self) -> int:
        """How many runs there are."""
        return self._statuses.n

    @cached_property
    def reached(self) -> int:
        """How many reached the threshold."""
        return self.of("first_hit", "reached").n

    def count(self, status: str) -> int:
        """How many have this status."""
        return self._statuses.count(STATUSES.index(status))


def population(
    rows: pl.LazyFrame | pl.DataFrame,
    collect: Callable[[pl.LazyFrame], pl.DataFrame] = pl.LazyFrame.collect,
) -> Population:
    """The population of some rows of one condition: every value exact.

    Args:
      rows: with the columns of ``schema``.
      collect: reads lazy rows. One quantity is read at a time, to keep memory small; of rows in
        memory all are computed at once.
    """
    columns = {*rows.collect_schema()}
    key = condition(collect(rows.lazy().select(*CONDITION).head(1)))
    of = known_of(key)
    expressions = {
        name: quantity.expression(of).cast(pl.Float64)
        for name, quantity in QUANTITIES.items()
        if columns.issuperset(quantity.needs)
    }
    if isinstance(rows, pl.DataFrame):
        return Population(key, _in_memory(rows, expressions))

    def distribution(quantity: str, group: str) -> Distribution | None:
        if quantity not in expressions:
            return None
        chosen = rows.filter(GROUPS[group]).select(value=expressions[quantity])
        return Distribution.of(collect(chosen)["value"].drop_nulls().to_numpy())

    return Population(key, distribution)


def _in_memory(
    rows: pl.DataFrame, expressions: dict[str, pl.Expr]
) -> Callable[[str, str], Distribution | None]:
    """The distributions of rows that are in memory."""
    values = {name: v.to_numpy() for name, v in rows.select(**expressions).to_dict().items()}
    members = {name: m.to_numpy() for name, m in rows.select(**GROUPS).to_dict().items()}

    def distribution(quantity: str, group: str) -> Distribution | None:
        if quantity not in expressions:
            return None
        numbers = values[quantity] if group == "all" else values[quantity][members[group]]
        return Distribution.of(numbers[~np.isnan(numbers)])  # null, in NumPy

    return distribution
