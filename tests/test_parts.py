"""Finished runs are written part by part: each once, in whatever order, and none is lost."""

import contextlib
from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnlogic.backend import Finished
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
            yield Finished(first, some(size, first))
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
        ([4, 4, 4, 4, 4, 4], [6, 6, 6]),  # at 8, since it might be 12 when the next ones come
        ([2.5, 2.5, 2.5, 2.5, 2.5], [9, 6]),  # at 7.5: the next are there at 10, just too late
        ([2.4, 2.4, 2.4, 2.4, 2.4], [12, 3]),
        ([5, 5, 4.99, 0.01], [3, 3, 6]),  # the time counts anew
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


# --- in any order -------------------------------------------------------------------------------


def written_in_this_order(places, limit, monkeypatch, error=None):
    """The first and the last run of each part, of runs that come one by one."""
    monkeypatch.setattr(parts, "PART_ROWS", limit)
    found = []

    def work():
        for place in places:
            yield Finished(place, some(1, place))
        if error:
            raise error

    def write(first, outcome):
        assert outcome.stopped_at.tolist() == [*range(first, first + len(outcome.stopped_at))]
        found.append((first, first + len(outcome.stopped_at) - 1))

    with contextlib.suppress(KeyboardInterrupt):
        write_in_parts(work(), write)
    return found


@pytest.mark.parametrize(
    ("places", "limit", "expected"),
    [
        ([1, 0, 3, 2], 9, [(0, 3)]),
        ([3, 2, 1, 0], 9, [(0, 3)]),
        ([0, 2, 1, 3], 2, [(0, 0), (1, 2), (3, 3)]),
        ([0, 1, 2, 4, 3, 5, 6, 7], 4, [(0, 2), (3, 6), (7, 7)]),  # 4 waits until its gap is filled
        ([0, 2, 4, 6, 8], 3, [(0, 0), (2, 2), (4, 4), (6, 6), (8, 8)]),  # memory is not given away
    ],
)
def test_runs_that_stand_together_are_one_part_in_whatever_order_they_come(
    monkeypatch, clock, places, limit, expected
):
    assert sorted(written_in_this_order(places, limit, monkeypatch)) == expected


@given(st.permutations(range(12)), st.integers(1, 13), st.integers(0, 12))
def test_each_finished_run_is_written_one_time(places, limit, finished):
    with pytest.MonkeyPatch.context() as monkeypatch:
        done, error = places[:finished], KeyboardInterrupt()
        found = written_in_this_order(done, limit, monkeypatch, error)
    assert sorted(run for a, b in found for run in range(a, b + 1)) == sorted(done)


def test_runs_that_were_finished_while_a_part_was_written_are_kept(monkeypatch):
    """Of a backend with threads: it hears of the interrupt at its yield, and gives them."""
    found, ended = [], []

    def work():
        try:
            yield Finished(0, some(2, 0))
        except KeyboardInterrupt:
            yield Finished(4, some(3, 4))
            yield Finished(2, some(2, 2))
            ended.append(True)
            raise

    def write(first, outcome):
        found.append((first, outcome.stopped_at.tolist()))
        if len(found) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(parts, "PART_ROWS", 1)
    with pytest.raises(KeyboardInterrupt):
        write_in_parts(work(), write)
    assert ended == [True]
    # The part that was interrupted is written again as it was, and so replaces itself.
    assert sorted(found) == [(0, [0, 1]), (0, [0, 1]), (2, [2, 3, 4, 5, 6])]
