"""How a quantity is distributed among some runs: its values, each with how many runs have it.

Statistics are computed from this alone, so they do not care whether the values are those of single
runs or, in a tally, the means of bins.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Distribution(NamedTuple):
    """Values in ascending order, equal ones counted together; arrays of shape (k,).

    Attributes:
      bins: what tells the entries apart: the value itself, or a bin's edge.
      values: the value, or the mean in the bin.
      counts: how many runs.
      within: the sum of squared deviations from ``values`` in each entry: 0 for a single value.
    """

    bins: Floats
    values: Floats
    counts: npt.NDArray[np.int64]
    within: Floats

    @classmethod
    def of(cls, numbers: npt.ArrayLike) -> Distribution:
        """The exact distribution of some numbers; shape (n,), none of them NaN."""
        values, counts = np.unique(np.asarray(numbers, np.float64), return_counts=True)
        return cls(values, values, counts, np.zeros(len(values)))

    @property
    def n(self) -> int:
        """How many runs have the quantity at all."""
        return int(self.counts.sum())

    @property
    def total(self) -> float:
        """The sum over the runs."""
        return float(self.values @ self.counts)

    def mean(self) -> float | None:
        """The mean; None without runs."""
        return self.total / self.n if self.n else None

    def sd(self) -> float | None:
        """The standard deviation (of n - 1 degrees of freedom); None for fewer than two runs."""
        if self.n < 2:
            return None
        off = self.values - self.total / self.n
        return float(np.sqrt((self.counts @ off**2 + self.within.sum()) / (self.n - 1)))

    def quantile(self, q: float, of: int | None = None) -> float | None:
        """The smallest value that a share q of the runs does not exceed.

        Args:
          q: above 0, at most 1.
          of: among how many runs, where those without the quantity count as above every value; None
            for those that have it.

        Returns:
          One of ``values``; None if fewer than that share have the quantity, or there are no runs.
        """
        runs = self.n if of is None else of
        rank = max(1, int(np.ceil(q * runs - 1e-9)))  # the smallest rank whose share is at least q
        if rank > self.n:
            return None
        return float(self.values[np.searchsorted(self.counts.cumsum(), rank)])

    def count(self, value: float) -> int:
        """How many runs have exactly this value."""
        return int(self.counts[self.values == value].sum())

    def magnitudes(self) -> Distribution:
        """The distribution of |x|, where no bin holds values of both signs."""
        found = self._at(np.argsort(np.abs(self.values), kind="stable"))
        return found._replace(bins=np.abs(found.bins), values=np.abs(found.values))

    def finite(self) -> Distribution:
        """The distribution without what is infinite."""
        return self._at(np.isfinite(self.values))

    def _at(self, which: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Distribution:
        return Distribution(
            self.bins[which], self.values[which], self.counts[which], self.within[which]
        )
