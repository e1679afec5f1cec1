"""Outcomes are written part by part: each run once, in order, and none is lost."""

from itertools import accumulate, pairwise

import numpy as np
import pytest

from attnlogic.outcomes import LADDER, Outcome
from attnlogic.studies import parts
from attnlogic.studies.parts import write_in_parts

RUNS = [*range(20)]


def some(n, first):
    """The outcome of n runs; the stopping epoch of each is its place among all."""
    leaves = dict.fromkeys(Outcome._fields, np.zeros(n)) | {
        "initial": np.zeros((6, n)),
        "final": np.zeros((6, n)),
        "ladder": (np.zeros(n),) * len(LADDER),
        "stopped_at": np.arange(first, first + n),
        **{name: {"C": np.zeros(n)} for name in Outcome._fields[-3:]},
    }
    return Outcome(**leaves)


@pytest.fixture
def clock(monkeypatch):
    """The time, which a test sets; no other time passes."""
    now = [0.0]
    monkeypatch.setattr(parts.time, "monotonic", lambda: now[0])
    return now


def written(sizes, clock, seconds=None, error=None, fail=()):
    """The runs of each part that is written when outcomes of these sizes come.

    Args:
      seconds: how long each outcome takes.
      error: raised once they have come.
      fail: calls that raise an interrupt after they have written.
    """
    calls = []

    def outcomes():
        begin = accumulate([0, *sizes])
        for first, size, takes in zip(begin, sizes, seconds or [0.0] * len(sizes), strict=False):
            clock[0] += takes
            yield some(size, first)
        if error:
            raise error

    def write(first, outcome):
        assert outcome.stopped_at[0] == first
        calls.append(outcome.stopped_at.tolist())
        if len(calls) in fail:
            raise KeyboardInterrupt

    try:
        write_in_parts(outcomes(), write)
    except (KeyboardInterrupt, RuntimeError) as raised:
        calls.append(type(raised))
    return calls


def cut(*sizes):
    """The runs in order, in parts of these sizes."""
    ends = [0, *accumulate(sizes)]
    return [RUNS[a:b] for a, b in pairwise(ends)]


@pytest.mark.parametrize(
    ("limit", "sizes", "expected"),
    [
        (6, [3, 3, 3, 1], [6, 4]),
        (5, [3, 3, 3, 1], [6, 4]),  # an outcome is not cut
        (7, [3, 3, 3, 1], [9, 1]),
        (1, [3, 3, 3, 1], [3, 3, 3, 1]),
        (10, [3, 3, 3, 1], [10]),
        (11, [3, 3, 3, 1], [10]),
        (3, [3], [3]),
        (3, [], []),
    ],
)
def test_a_part_is_written_once_it_has_enough_rows(monkeypatch, clock, limit, sizes, expected):
    monkeypatch.setattr(parts, "PART_ROWS", limit)
    assert written(sizes, clock) == cut(*expected)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ([4, 4, 4, 4, 4, 4], [9, 9]),  # at 12 and at 24
        ([10, 10, 9.99, 0.01], [3, 3, 6]),  # exactly at the limit; the time counts anew
        ([9.99, 0, 0, 0], [12]),
        ([25, 0, 0], [3, 6]),
    ],
)
def test_a_part_is_written_once_it_is_old_enough(clock, seconds, expected):
    clock[0] = 1e6
    sizes = [3] * len(seconds)
    assert sum(expected) <= len(RUNS)
    assert written(sizes, clock, seconds) == cut(*expected)


def test_the_limits_are_what_they_say():
    assert parts.PART_SECONDS == 10
    assert parts.PART_ROWS * 200 < 2**24  # bytes: about 200 a row


@pytest.mark.parametrize("error", [RuntimeError("a wire snapped"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize(("sizes", "expected"), [([3, 3, 3], [6, 3]), ([3, 3], [6]), ([], [])])
def test_what_waits_is_written_before_an_error(monkeypatch, clock, error, sizes, expected):
    monkeypatch.setattr(parts, "PART_ROWS", 6)
    assert written(sizes, clock, error=error) == [*cut(*expected), type(error)]


def test_an_interrupt_while_a_part_is_written_has_it_written_again(monkeypatch, clock):
    monkeypatch.setattr(parts, "PART_ROWS", 3)
    first, second, _ = cut(3, 3, 3)
    assert written([3, 3, 3], clock, fail=(2,)) == [first, second, second, KeyboardInterrupt]
