"""HittingTimes to the first hit, against lifelines, SciPy and figures worked out by hand."""

import warnings

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.utils import restricted_mean_survival_time
from scipy.stats import CensoredData, ecdf

from attnlogic.results.counts.distribution import Distribution
from attnlogic.results.counts.populations import population
from attnlogic.results.rows.run_columns import schema
from attnlogic.statistics.hitting_times import (
    RESAMPLES,
    Estimate,
    HittingTimes,
    expected_running_time,
    median,
    restricted_mean,
)

BUDGET = 100
NEVER = Estimate(None, None, None)


def population_of(hits, *, stopped=(), diverged=(), budget=BUDGET, **columns):
    """A condition's runs: first hits (None: never), then runs that stopped, then that diverged."""
    n = len(hits) + len(stopped) + len(diverged)
    about = {
        "gate": "xor", "optimizer": "adam", "backend": "jax", "precision": "float32",
        "init": "torch", "epochs": budget, "threshold": 1e-4,
    }  # fmt: skip
    columns = {
        **{name: [value] * n for name, value in about.items()},
        "first_hit": [*hits, *[None] * (n - len(hits))],
        "stopped_at": [*[None] * len(hits), *stopped, *[None] * len(diverged)],
        "diverged_at": [*[None] * (n - len(diverged)), *diverged],
        **columns,
    }
    kinds = schema("float32")
    full = {name: pl.Series(columns.get(name, [None] * n), dtype=kinds[name]) for name in kinds}
    return population(pl.DataFrame(full))


def runs(hits, **about):
    """When they hit."""
    return HittingTimes.of(population_of(hits, **about))


NOBODY = HittingTimes(Distribution.of([]), Distribution.of([]), BUDGET)


HITS = st.lists(st.one_of(st.none(), st.integers(1, BUDGET - 1)), min_size=2, max_size=60)


@given(hits=HITS)
@settings(max_examples=60, deadline=None)
def test_the_median_is_the_rank_and_its_interval_that_of_lifelines(hits):
    value, low, high = median(runs(hits))
    if all(hit is None for hit in hits):
        assert (value, low, high) == NEVER
        return
    known = [np.inf if hit is None else hit for hit in hits]
    rank = np.quantile(known, 0.5, method="inverted_cdf")
    assert value == (None if np.isinf(rank) else rank)
    fit = KaplanMeierFitter().fit(
        [BUDGET - 1 if hit is None else hit for hit in hits], [hit is not None for hit in hits]
    )
    for end, band in zip((low, high), fit.confidence_interval_.to_numpy().T, strict=True):
        band = np.where(np.isnan(band), 0, band)  # at no survivors
        below = fit.confidence_interval_.index[band <= 0.5 + 1e-9]  # 0.5 may be off by a rounding
        assert end == (below[0] if len(below) else None)


@given(hits=HITS)
@settings(max_examples=60, deadline=None)
def test_the_median_and_its_band_are_scipys(hits):
    """SciPy's take a number a run; ours the counts of equal runs, however many."""
    if all(hit is None for hit in hits):
        return
    observed = [hit for hit in hits if hit is not None]
    never = [BUDGET - 1] * (len(hits) - len(observed))
    survival = ecdf(CensoredData(uncensored=observed, right=never)).sf
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore")  # its band is not a number where all have hit
        band = survival.confidence_interval(method="log-log")
    for end, edge in zip(
        median(runs(hits)),
        (survival.probabilities, band.low.probabilities, band.high.probabilities),
        strict=True,
    ):
        below = survival.quantiles[np.where(np.isnan(edge), 0, edge) <= 0.5 + 1e-12]
        below = below[np.isin(below, observed)]
        assert end == (below[0] if below.size else None)


@given(hits=HITS)
@settings(max_examples=60, deadline=None)
def test_the_restricted_mean_is_the_area_under_the_survival_function(hits):
    observed = [hit is not None for hit in hits]
    times = [BUDGET if hit is None else hit for hit in hits]
    fit = KaplanMeierFitter().fit(times, observed)
    mean = restricted_mean(runs(hits))
    assert mean.value == pytest.approx(restricted_mean_survival_time(fit, BUDGET), rel=1e-9)
    assert mean.low <= mean.value <= mean.high


def test_expected_running_time_by_hand():
    # Hits cost 10 + 20; a run without a hit its budget, or what it took to stop or diverge.
    spent = 10 + 20 + BUDGET + 40 + 7
    found = expected_running_time(runs([10, 20, None], stopped=[40], diverged=[7]))
    assert found.value == spent / 2
    assert found.low < found.value


def test_expected_running_time_in_evaluations_by_hand():
    some = population_of([10, None], evaluations_first_hit=[31, None], evaluations=[900, 450])
    assert expected_running_time(HittingTimes.of(some, evaluations=True)).value == 31 + 450


def test_a_run_that_hits_and_then_stops_cost_what_its_hit_cost():
    assert expected_running_time(runs([10, 20], stopped_at=[50, None])).value == 15


def test_the_ert_of_a_restarted_search_is_what_it_costs_on_average():
    """ERT's meaning, by simulation: start afresh, from another run, until one hits."""
    rng = np.random.default_rng(0)
    hits = [5, 12, 30, 80, None, None, None]
    costs = []
    for _ in range(20_000):
        cost = 0
        while (hit := hits[rng.integers(len(hits))]) is None:
            cost += BUDGET
        costs.append(cost + hit)
    error = np.std(costs) / np.sqrt(len(costs))
    expected = expected_running_time(runs(hits)).value
    assert np.mean(costs) == pytest.approx(expected, abs=4 * error)  # four standard errors
    assert error < 0.01 * expected


def test_the_bootstraps_interval_is_that_of_resampling_runs_one_by_one():
    rng = np.random.default_rng(3)
    hits = [int(h) if h < BUDGET else None for h in rng.geometric(0.02, size=80)]
    spent = np.array([BUDGET if h is None else h for h in hits])
    hit = np.array([h is not None for h in hits])
    chosen = rng.integers(80, size=(20_000, 80))
    low, high = np.quantile(spent[chosen].sum(1) / hit[chosen].sum(1), [0.025, 0.975])
    found = expected_running_time(runs(hits))
    # The ends of 2000 samples have a standard error of about 1 % of the interval's width each.
    assert found.low == pytest.approx(low, abs=0.1 * (high - low))
    assert found.high == pytest.approx(high, abs=0.1 * (high - low))
    assert found == expected_running_time(runs(hits))  # its seed is fixed


def test_the_bootstrap_draws_two_thousand_samples_from_its_seed():
    """The interval's ends to the last digit; each has fifty samples beyond it."""
    assert RESAMPLES * 0.025 == 50
    hits = [*range(1, 60), None]
    drawn = np.random.default_rng(0).multinomial(60, np.full(60, 1 / 60), size=2000)
    with np.errstate(divide="ignore"):
        samples = (drawn @ [*range(1, 60), BUDGET]) / drawn[:, :59].sum(axis=1)
    low, high = np.quantile(samples, [0.025, 0.975], method="higher")
    found = expected_running_time(runs(hits))
    assert (found.low, found.high) == (low, high)


def test_coverage_of_the_median_and_the_ert():
    """On geometric times with a budget: 95 % intervals hold the truth in about 95 % of samples."""
    rng = np.random.default_rng(4)
    p, trials = 0.02, 300
    true_median = np.ceil(np.log(0.5) / np.log(1 - p))
    reach = 1 - (1 - p) ** (BUDGET - 1)  # of hits 1 … BUDGET-1
    k = np.arange(1, BUDGET)
    true_ert = (k @ (p * (1 - p) ** (k - 1)) + (1 - reach) * BUDGET) / reach
    held = np.zeros(2)
    for _ in range(trials):
        rows = runs([int(h) if h < BUDGET else None for h in rng.geometric(p, size=120)])
        for i, (found, true) in enumerate(
            [(median(rows), true_median), (expected_running_time(rows), true_ert)]
        ):
            held[i] += found.low <= true <= (np.inf if found.high is None else found.high)
    # The share of 300 trials has a standard error of 1.3 %. Ties make the median's conservative.
    assert 0.92 <= held[0] / trials <= 1
    assert 0.90 <= held[1] / trials <= 0.99


@pytest.mark.parametrize("estimate", [median, restricted_mean, expected_running_time])
def test_a_condition_without_runs_has_no_times(estimate):
    assert estimate(NOBODY) == NEVER


def test_without_hits_there_is_no_median_and_the_mean_is_the_budget():
    rows = runs([None] * 5)
    assert median(rows) == expected_running_time(rows) == NEVER
    assert restricted_mean(rows) == (BUDGET, BUDGET, BUDGET)


def test_all_hits_at_one_time():
    rows = runs([7] * 5)
    assert median(rows)[0] == 7
    assert restricted_mean(rows) == expected_running_time(rows) == (7, 7, 7)


def test_one_run():
    assert median(runs([7])).value == 7
    assert restricted_mean(runs([7])) == (7, None, None)
    assert restricted_mean(runs([None])) == (BUDGET, None, None)
    assert expected_running_time(runs([7])) == (7, 7, 7)


def test_few_hits_leave_the_erts_upper_end_open():
    """One hit in five: a third of the samples have none."""
    found = expected_running_time(runs([10, *[None] * 4]))
    assert found.value == 10 + 4 * BUDGET
    assert found.high is None
