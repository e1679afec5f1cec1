"""Rows of sweeps that were never trained: as many solved runs of each value as one says."""

from functools import cache

import polars as pl
from stored import one

from attnlogic.backend import Training
from attnlogic.optimizers import optimizer
from attnlogic.outcomes import concatenate
from attnlogic.problems import gate
from attnlogic.results import table

SOLVED, LOST, MISSED = [4, 3, 0.5, 0.25], [4, 0.5, 3, 2], [4, 3, 2, 2]


@cache
def _each():
    """One solved run, one that reached the threshold and left it, and one that never reached it."""
    runs = concatenate([one(losses) for losses in (SOLVED, LOST, MISSED)])
    training = Training(gate("xor"), optimizer("adam"), 40, 1.0, "float32")
    return table(training, "abacus", "torch", range(3), runs)


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
