"""Runs that a backend has trained: what it gives back, in whatever order they are done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from attnlogic.outcomes import Outcome, concatenate


class Finished(NamedTuple):
    """Consecutive runs of a batch that have been trained to their end.

    Attributes:
      first: the place of the first of them in the batch, from 0.
      outcome: theirs; NumPy arrays (n,).
    """

    first: int
    outcome: Outcome

    @property
    def end(self) -> int:
        """The place after the last of them."""
        return self.first + len(self.outcome.first_hit)


def in_order(several: Iterable[Finished]) -> Outcome:
    """The outcome of all these runs, in the batch's order: (N,)."""
    return concatenate([one.outcome for one in sorted(several, key=lambda one: one.first)])
