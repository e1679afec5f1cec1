"""Conditions of few runs read together: in lists that fit in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def together(counts: Sequence[tuple[int, int]], most: int) -> Iterator[tuple[list[int], int]]:
    """Conditions with their numbers of runs, in lists of one or of up to ``most`` runs."""
    some: list[int] = []
    rows = 0
    for condition, runs in counts:
        if some and rows + runs > most:
            yield some, rows
            some, rows = [], 0
        some.append(condition)
        rows += runs
    if some:
        yield some, rows
