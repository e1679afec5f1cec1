"""Comparisons whose failures say what to mend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from attnlogic.backend import Finished
from attnlogic.outcomes import Outcome, numbers_of
from attnlogic.problems import Problem

Array = npt.NDArray[Any]


def expect(true: object, message: str) -> None:
    """Fail with a message for the backend's author, unless it is true."""
    __tracebackhide__ = True
    if not true:
        raise AssertionError(message)


def expect_each_once(given: Sequence[Finished], count: int) -> None:
    """Fail unless the runs of a batch have been given, each of them one time."""
    __tracebackhide__ = True
    for one in given:
        expect(
            isinstance(one, Finished),
            f"train gave {type(one).__name__}: give attnlogic.backend.Finished(first, outcome)",
        )
        expect(
            isinstance(one.first, int | np.integer) and 0 <= one.first <= one.end <= count,
            f"train gave runs from place {one.first!r} on of a batch of {count} runs: "
            "Finished.first is the place in the batch of the first of the runs, from 0",
        )
    runs = [run for one in given for run in range(one.first, one.end)]
    times = np.bincount(np.array(runs, np.int64), minlength=count)
    for run in np.flatnonzero(times != 1):
        raise AssertionError(
            f"train gave run {run} of the batch (counted from 0) {times[run]} times: give each "
            "run's outcome one time"
        )


def leaves(runs: Outcome, problem: Problem) -> dict[str, Array]:
    """All that is kept of N runs by name: parameters at both ends, then numbers; each (N,)."""
    ends = {"initial": runs.initial, "final": runs.final}
    parameters = {
        f"{name}_{end}": np.asarray(row)
        for end, packed in ends.items()
        for name, row in zip(problem.names, packed, strict=True)
    }
    return parameters | {name: np.asarray(leaf) for name, leaf in numbers_of(runs).items()}


def equal(one: Array, other: Array, rtol: float = 0) -> npt.NDArray[np.bool_]:
    """Where two leaves are equal: whole numbers exactly, others within a relative tolerance.

    NaN equals NaN, and infinity itself.
    """
    same = one == other
    if one.dtype.kind != "f":
        return np.asarray(same)
    return np.asarray(same | np.isclose(one, other, rtol=rtol, atol=rtol, equal_nan=True))


def expect_rows(
    found: Outcome, expected: Outcome, problem: Problem, mend: str, rtol: float = 0
) -> None:
    """Fail unless outcomes are as expected.

    Args:
      found, expected: of N runs.
      problem: what was trained, or one like it.
      mend: what to mend if they are not, beside what differs.
      rtol: how much a number that is not whole may differ, relative and absolute. With 0 there
        must be the same bits.
    """
    __tracebackhide__ = True
    ours, theirs = leaves(found, problem), leaves(expected, problem)
    same = np.array([equal(ours[name], theirs[name], rtol) for name in theirs])
    wrong = np.flatnonzero(~same.all(axis=0)).tolist()
    if not wrong:
        return

    def is_row(run: int, other: int) -> bool:
        return all(equal(ours[name][run], theirs[name][other], rtol) for name in theirs)

    if all(any(is_row(run, other) for other in wrong) for run in wrong):
        runs = ", ".join(map(str, wrong[:-1])) + f" and {wrong[-1]}"
        raise AssertionError(
            f"runs {runs} of the batch (counted from 0) came back in each other's place: "
            "Finished.first is the place in the batch of the first of the runs"
        )
    run = wrong[0]
    name = [*theirs][int(np.argmin(same[:, run]))]
    raise AssertionError(
        f"{name} of run {run} (counted from 0) is {ours[name][run]}, "
        f"expected {theirs[name][run]}: {mend}"
    )
