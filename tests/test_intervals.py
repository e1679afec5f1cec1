"""Intervals for rates, against statsmodels, by simulation, and by their own equations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from attnlogic.statistics.intervals import INTERVALS, clopper_pearson, jeffreys, wilson

COUNTS = st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
LEVELS = st.sampled_from([0.5, 0.9, 0.95, 0.99])
STATSMODELS = {"wilson": "wilson", "clopper-pearson": "beta", "jeffreys": "jeffreys"}


@pytest.mark.parametrize("name", INTERVALS)
@given(count=COUNTS, level=LEVELS)
def test_an_interval_equals_that_of_statsmodels(name, count, level):
    successes, runs = count
    low, high = INTERVALS[name](successes, runs, level)
    expected = proportion_confint(successes, runs, 1 - level, STATSMODELS[name])
    # statsmodels leaves Jeffreys' ends at 0 and n inside; by the usual convention they are 0 and 1.
    low_expected = 0.0 if successes == 0 else expected[0]
    high_expected = 1.0 if successes == runs else expected[1]
    assert (low, high) == pytest.approx((low_expected, high_expected), rel=1e-8, abs=1e-12)


@pytest.mark.parametrize("interval", INTERVALS.values(), ids=INTERVALS)
@given(count=COUNTS, level=LEVELS)
def test_an_interval_holds_the_rate_and_mirrors(interval, count, level):
    successes, runs = count
    low, high = interval(successes, runs, level)
    assert 0 <= low <= successes / runs <= high <= 1
    mirrored = interval(runs - successes, runs, level)
    assert (1 - high, 1 - low) == pytest.approx(mirrored, abs=1e-9)


@pytest.mark.parametrize("interval", INTERVALS.values(), ids=INTERVALS)
def test_without_runs_there_is_none(interval):
    assert interval(0, 0, 0.95) is None


@pytest.mark.parametrize("interval", INTERVALS.values(), ids=INTERVALS)
def test_the_edges_are_exact(interval):
    for runs in (1, 3, 50, 10**6):
        assert interval(0, runs, 0.95)[0] == 0.0
        assert interval(runs, runs, 0.95)[1] == 1.0


@given(count=COUNTS, level=LEVELS)
def test_clopper_and_pearsons_ends_are_where_a_tail_has_half_the_error(count, level):
    successes, runs = count
    low, high = clopper_pearson(successes, runs, level)
    if successes:
        assert stats.binom.sf(successes - 1, runs, low) == pytest.approx((1 - level) / 2, rel=1e-6)
    if successes < runs:
        assert stats.binom.cdf(successes, runs, high) == pytest.approx((1 - level) / 2, rel=1e-6)


@pytest.mark.parametrize("rate", [0.003, 0.05, 0.3, 0.5, 0.89])
@pytest.mark.parametrize("runs", [20, 100, 1000])
def test_coverage(rate, runs):
    """By the binomial law itself: the share of outcomes, so weighted, whose interval holds it."""
    outcomes = np.arange(runs + 1)
    weights = stats.binom.pmf(outcomes, runs, rate)
    likely = outcomes[weights > 1e-9]

    def coverage(interval):
        held = [low <= rate <= high for low, high in (interval(int(k), runs, 0.95) for k in likely)]
        return float(weights[likely] @ held)

    assert coverage(clopper_pearson) >= 0.95 - 1e-6
    # A score interval's coverage swings about its level, most where few successes are expected.
    assert coverage(wilson) >= (0.93 if runs * rate >= 5 else 0.85)
    assert coverage(jeffreys) >= (0.92 if runs * rate >= 5 else 0.85)


def test_simulated_coverage_of_wilson():
    """By simulation, too: 20,000 samples, whose share has a standard error of 0.0015."""
    rng = np.random.default_rng(1)
    rates = rng.uniform(size=20_000)
    successes = rng.binomial(200, rates)
    ends = {k: wilson(k, 200) for k in range(201)}
    held = [
        ends[k][0] <= rate <= ends[k][1] for k, rate in zip(successes.tolist(), rates, strict=True)
    ]
    assert np.mean(held) == pytest.approx(0.95, abs=0.006)
