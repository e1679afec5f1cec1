"""Values with how many runs have each, against NumPy on the numbers one by one."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from attnlogic.results.counts.distribution import Distribution

NUMBERS = st.lists(st.sampled_from([-3.0, -1.0, -0.5, 0.0, 0.5, 2.0, 1e3]), max_size=40)
SHARES = st.integers(1, 16).map(lambda k: k / 16)


@given(NUMBERS)
def test_sums_and_moments_are_numpys(numbers):
    found = Distribution.of(numbers)
    assert found.n == len(numbers)
    assert found.total == pytest.approx(sum(numbers))
    assert found.mean() == (pytest.approx(np.mean(numbers)) if numbers else None)
    expected = pytest.approx(np.std(numbers, ddof=1)) if len(numbers) > 1 else None
    assert found.sd() == expected
    for value in {0.5, 7.0, *numbers}:
        assert found.count(value) == numbers.count(value)


@given(NUMBERS, st.integers(0, 40), SHARES)
def test_runs_without_the_quantity_are_above_every_value(numbers, without, q):
    runs = len(numbers) + without
    assume(runs > 0)
    expected = np.quantile([*numbers, *[np.inf] * without], q, method="inverted_cdf")
    got = Distribution.of(numbers).quantile(q, of=runs)
    assert got == (None if np.isinf(expected) else expected)
    if not without:
        assert Distribution.of(numbers).quantile(q) == expected


@pytest.mark.parametrize(
    ("q", "epoch"),
    [(0.07, 7), (0.28, 28), (0.29, 29), (0.57, 57), (0.575, 58), (0.7, 70), (0.71, None)],
)
def test_a_share_that_is_no_binary_fraction_is_taken_as_written(q, epoch):
    # 70 of 100 runs hit. In floats 0.07·100 is above 7, and 0.57·100 below 57.
    assert Distribution.of(np.arange(70, 0, -1)).quantile(q, of=100) == epoch


def test_the_moments_of_bins_are_those_of_what_fell_in():
    numbers = np.random.default_rng(0).normal(1, 0.1, 500)
    bins = np.floor(numbers * 10) / 10
    edges = np.unique(bins)
    parts = [numbers[bins == edge] for edge in edges]
    found = Distribution(
        edges,
        np.array([part.mean() for part in parts]),
        np.array([len(part) for part in parts]),
        np.array([((part - part.mean()) ** 2).sum() for part in parts]),
    )
    assert found.mean() == pytest.approx(numbers.mean(), rel=1e-13)
    assert found.sd() == pytest.approx(numbers.std(ddof=1), rel=1e-12)


@given(NUMBERS, SHARES)
def test_magnitudes(numbers, q):
    found = Distribution.of(numbers).magnitudes()
    assert found.n == len(numbers)
    if numbers:
        assert found.quantile(q) == np.quantile(np.abs(numbers), q, method="inverted_cdf")
    else:
        assert found.quantile(q) is None


def test_what_is_infinite_can_be_left_out():
    found = Distribution.of([np.inf, 1.0, -np.inf, 2.0, 2.0]).finite()
    assert found.values.tolist() == [1, 2]
    assert found.counts.tolist() == [1, 2]
