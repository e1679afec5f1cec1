"""Rows of sweeps that were never trained: as many solved runs of each value as one says."""

from functools import cache

import polars as pl
from stored import as_part, one, training
from synthetic import described, with_condition

from attnlogic.outcomes import concatenate

SOLVED, LOST, MISSED = [4, 3, 0.5, 0.25], [4, 0.5, 3, 2], [4, 3, 2, 2]


@cache
def _each():
    """One solved run, one that reached the threshold and left it, and one that never reached it."""
    runs = concatenate([one(losses) for losses in (SOLVED, LOST, MISSED)])
    return with_condition(as_part(runs, range(3)), described(training()))


def rows(solved, runs=100, lost=0, **columns):
    """Runs of one condition, of which so many are solved, and so many were lost again."""
    counts = [solved, lost, runs - solved - lost]
    parts = [_each()[k : k + 1] for k, count in enumerate(counts) for _ in range(count)]
    frame = pl.concat(parts).with_columns(seed=pl.arange(runs, dtype=pl.UInt32))
    return frame.with_columns(
        pl.lit(value, frame.schema[name]).alias(name) for name, value in columns.items()
    )


def sweep_of_lr(counts, runs=100, gate="xor"):
    """A sweep of adamw's lr over 0.001, 0.01, … with so many solved runs of each value."""
    texts = [f"adamw(lr={10.0 ** (k - 3):g})" for k in range(len(counts))]
    return pl.concat(
        rows(solved, runs, optimizer=text, gate=gate)
        for text, solved in zip(texts, counts, strict=True)
    )
