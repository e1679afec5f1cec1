"""The best value of a sweep and its confidence set, against statsmodels and by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from statsmodels.stats.proportion import confint_proportions_2indep

from attnlogic.results import Distribution
from attnlogic.statistics.best_values import Point, marks
from attnlogic.statistics.hitting_times import HittingTimes, log_error, log_normal_ert
from attnlogic.statistics.intervals import clopper_pearson, difference, wilson

RATE = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(one=RATE, other=RATE, level=st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_the_interval_of_a_difference_equals_that_of_statsmodels(one, other, level):
    low, high = difference(one, other, level)
    expected = confint_proportions_2indep(*one, *other, method="newcomb", alpha=1 - level)
    assert (low, high) == pytest.approx(expected, abs=1e-12)
    assert difference(other, one, level) == pytest.approx((-high, -low), abs=1e-12)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ],
)
def test_it_has_the_figures_of_newcombes_table(one, other, expected):
    assert difference(one, other) == pytest.approx(expected, abs=5e-5)  # it prints four decimals


def test_wider_intervals_of_the_rates_make_a_wider_one_of_the_difference():
    narrow, wide = (difference((30, 50), (20, 50), 0.95, by) for by in (wilson, clopper_pearson))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def times(hits, ends=()):
    return HittingTimes(Distribution.of(hits), Distribution.of(ends), 1000)


def point(solved, runs=100, at=10.0):
    return Point(runs, solved, solved, times([at] * solved, [1000.0] * (runs - solved)))


@pytest.mark.parametrize("by", ["solve", "reach"])
@given(rates=st.lists(RATE, min_size=2, max_size=8), level=st.sampled_from([0.8, 0.95]))
def test_a_value_is_tied_unless_its_rate_is_significantly_worse(by, rates, level):
    found = marks([point(*rate) for rate in rates], by, wilson, level)
    if not any(successes for successes, _ in rates):
        assert found == [None] * len(rates)
        return
    best = found.index("best")
    assert rates[best][0] / rates[best][1] == max(s / n for s, n in rates)
    alpha = 2 * (1 - level) / (len(rates) - 1)  # two-sided: its lower end has half of that
    for rate, mark in zip(rates, found, strict=True):
        low, _ = confint_proportions_2indep(*rates[best], *rate, method="newcomb", alpha=alpha)
        if abs(low) > 1e-12 and mark != "best":
            assert mark == (None if low > 0 else "tied")


def test_of_equal_rates_the_quickest_is_best():
    some = [point(50, at=30.0), point(50, at=20.0), point(50, at=25.0)]
    assert marks(some, "solve", wilson, 0.95) == ["tied", "best", "tied"]


def test_with_the_levels_probability_the_truly_best_is_among_the_marked():
    """All rates are equal, the hardest case; each value may then be called the truly best."""
    rng, studies, level = np.random.default_rng(1), 1000, 0.9
    kept = 0
    for solved in rng.binomial(100, 0.6, (studies, 8)):
        kept += marks([point(int(s)) for s in solved], "solve", wilson, level)[0] is not None
    # three standard errors of a share of 1000; without Bonferroni's correction it is 0.63
    assert kept / studies >= level - 3 * math.sqrt(level * (1 - level) / studies)


def test_so_it_is_by_ert():
    rng, studies, level = np.random.default_rng(3), 400, 0.9
    kept = 0
    for first_hits in rng.geometric(0.01, (studies, 6, 60)):
        some = [times(t[t <= 150], [151.0] * int((t > 150).sum())) for t in first_hits]
        points = [Point(60, 0, t.hits.n, t) for t in some]
        kept += marks(points, "ert", wilson, level)[0] is not None
    assert kept / studies >= level - 3 * math.sqrt(level * (1 - level) / studies)


SOME = times([3, 3, 10, 40, 40, 41, 90], [100, 100, 100, 60])


def test_the_error_of_the_logarithm_is_that_of_small_changes_of_the_weights():
    """The infinitesimal jackknife, by differences: each run's weight is changed a little."""
    costs = np.array([3, 3, 10, 40, 40, 41, 90, 100, 100, 100, 60.0])
    hit, n, small = np.arange(11) < 7, 11, 1e-5

    def log_ert(weights):
        return math.log(weights @ costs / (weights @ hit))

    slopes = [
        (log_ert(np.ones(n) + small * run) - log_ert(np.ones(n) - small * run)) / (2 * small)
        for run in np.eye(n)
    ]
    expected = math.sqrt(sum(slope**2 for slope in slopes) * n / (n - 1))
    assert log_error(SOME) == pytest.approx(expected, rel=1e-6)  # the differences' own error


def test_the_interval_of_the_ert_is_that_of_a_bootstrap_of_its_logarithm():
    rng = np.random.default_rng(2)
    hits, misses = rng.integers(50, 500, 150), np.full(100, 1000)
    some = times(hits, misses)
    costs, hit = np.append(hits, misses), np.arange(250) < 150
    drawn = rng.integers(0, 250, (4000, 250))
    samples = np.log(costs[drawn].sum(axis=1) / hit[drawn].sum(axis=1))
    value, low, high = log_normal_ert(some, 0.95)
    assert value == some.ert == costs.sum() / 150
    # 4000 samples know a standard deviation to 1/√8000 = 1.1 %; here are four times that
    assert math.log(high / low) / (2 * 1.959964) == pytest.approx(samples.std(), rel=0.045)
    assert math.sqrt(low * high) == pytest.approx(value)


def test_by_ert_the_quickest_is_best_and_a_value_without_a_hit_is_never_tied():
    quick, slow = times(np.linspace(50, 90, 40)), times(np.linspace(80, 120, 40))
    near = times(np.linspace(50, 91, 40))
    never = times([], [1000] * 40)
    some = [Point(40, 0, t.hits.n, t) for t in (slow, quick, near, never)]
    assert marks(some, "ert", wilson, 0.95) == [None, "best", "tied", None]
    assert marks(some[-1:] * 2, "ert", wilson, 0.95) == [None, None]
    single = [Point(1, 1, 1, times([9.0])), Point(1, 1, 1, times([99.0]))]
    assert marks(single, "ert", wilson, 0.95) == ["best", "tied"]  # one run has no error
    at_once = [Point(2, 2, 2, times([0.0, 0.0])), Point(2, 2, 2, times([0.0, 9.0]))]
    assert marks(at_once, "ert", wilson, 0.95) == ["best", None]


@given(
    hits=st.lists(st.integers(1, 99), min_size=2, max_size=20), level=st.sampled_from([0.8, 0.99])
)
def test_by_ert_a_value_is_tied_by_a_normal_test_of_logarithms(hits, level):

    other = times(hits, [100.0])
    some = [Point(t.runs, 0, t.hits.n, t) for t in (SOME, other, SOME)]
    found = marks(some, "ert", wilson, level)
    best, rest = (SOME, other) if found[1] != "best" else (other, SOME)
    error = math.hypot(log_error(best), log_error(rest))
    p = norm.sf(math.log(rest.ert / best.ert) / error)
    mark = found[1] if best is SOME else found[0]
    assert p >= 0
    assert mark == ("tied" if p >= (1 - level) / 2 else None)
