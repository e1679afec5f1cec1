"""Contenders take turns, ratios have intervals, and other work is seen before each measurement."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import binom

from bench import load, pairs
from bench.load import LIMIT_CORES, BusyError, Load
from bench.machine import VECTORS, machine


@pytest.fixture
def clock(monkeypatch):
    """A clock that only work moves on."""
    now = [0.0]
    monkeypatch.setattr(pairs.time, "perf_counter", lambda: now[0])
    return now


def test_a_machine_that_slows_down_does_not_change_a_ratio(clock):
    """Each call slows the next ones down, by the same factor."""
    slowness, order = [1.0], []

    def work(name, seconds):
        def run():
            order.append(name)
            clock[0] += seconds * slowness[0]
            slowness[0] *= 1.3

        return run

    ours, times = pairs.in_turn(
        work("A", 1.0), {"B": work("B", 3.0), "C": work("C", 7.0)}, 6, lambda: 0.0
    )
    assert "".join(order) == "A" + "BACA" * 6
    assert len(ours) == 13
    for name, expected in (("B", 3.0), ("C", 7.0)):
        found = pairs.ratio(times[name]._asdict())
        assert [*found] == pytest.approx([expected] * 3)


def test_the_load_is_told_before_each_contender(clock):
    loads = iter([0.1, 0.2, 0.3, 0.4])
    _, times = pairs.in_turn(
        lambda: None, {"B": lambda: None, "C": lambda: None}, 2, lambda: next(loads)
    )
    assert times["B"].load == [0.1, 0.3]
    assert times["C"].load == [0.2, 0.4]


def test_ratios_that_are_few_have_no_interval():
    found = pairs.ratio({"seconds": [2.0] * 5, "attnlogic": [1.0] * 5}, 3.0)
    assert found.median == 6.0
    assert np.isnan([found.low, found.high]).all()


def test_an_interval_holds_the_true_ratio_as_often_as_it_says():
    """Of skewed times, 400 times over: at least as often as a 95 % interval does in 1 of 1000."""
    rng = np.random.default_rng(0)
    seconds = 2 * np.exp(rng.exponential(size=(400, 10)) - np.log(2))  # the median is 2
    found = [pairs.ratio({"seconds": row, "attnlogic": np.ones(10)}) for row in seconds]
    held = sum(each.low <= 2 <= each.high for each in found)
    assert held >= binom.ppf(0.001, 400, pairs.CONFIDENCE)


def test_other_work_is_seen_and_ones_own_is_not():
    """A busy process beside this one, for a second; at most one core, as the system counts."""
    quiet = load.others(0.3)
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as other:
        busy = load.others(1.0)
        other.kill()
    assert quiet >= 0
    assert busy > 0.2  # of a core, however many share it


def test_a_machine_that_calms_down_is_waited_for():
    told = iter([1.0, 0.9, LIMIT_CORES])
    watched = Load(True, lambda seconds: next(told), patience=10)
    assert watched() == LIMIT_CORES
    assert watched.seen == [LIMIT_CORES]


def test_a_machine_that_stays_busy_is_refused_only_where_it_must_be_quiet():
    def watch(seconds):
        return 1.5

    with pytest.raises(BusyError, match=r"other work keeps 1\.50 of \d+ cores busy"):
        Load(True, watch, patience=3)()
    with pytest.raises(BusyError, match="--anyway"):
        Load(True, watch).check()
    relaxed = Load(False, watch)
    relaxed.check()
    assert relaxed() == 1.5


def test_the_machine_is_described():
    told = machine()
    assert told["cores"] >= 1
    if told["instructions"]:  # lscpu is there
        assert told["vector_bits"] == VECTORS[told["instructions"][0]]
        assert all(size > 0 for size in told["caches"].values())
