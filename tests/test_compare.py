"""Conditions against each other, against statsmodels, lifelines and figures worked out by hand."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines.statistics import logrank_test
from scipy.stats import binom
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from attnlogic.errors import InputError
from attnlogic.problems import NAMES
from attnlogic.results import CONDITION, schema
from attnlogic.statistics.compare import paired_interval
from attnlogic.statistics.compare import statistic as compare

BUDGET = 100


def condition(optimizer, hits, *, lost=(), seeds=None, gate="xor", **rest):
    """The runs of a condition: first hits by seed (None: never); ``lost`` are positions."""
    n = len(hits)
    status = [
        "unsolved" if hit is None else "lost" if i in lost else "solved"
        for i, hit in enumerate(hits)
    ]
    about = {
        "gate": gate, "optimizer": optimizer, "backend": "jax", "precision": "float32",
        "epochs": BUDGET, "threshold": 1e-4, "init": "torch", "until": "budget",
        "model": "attention", "encoding": "01", **rest,
    }  # fmt: skip
    columns = {
        **{name: [about[name]] * n for name in CONDITION},
        "seed": [*range(n)] if seeds is None else seeds,
        "status": status,
        "first_hit": hits,
        **{f"{name}_initial": [0.5] * n for name in NAMES},
    }
    kinds = schema(about["precision"])
    return pl.DataFrame(
        {name: pl.Series(columns.get(name, [None] * n), dtype=kinds[name]) for name in kinds}
    )


def measure(table, name):
    (row,) = table.filter(measure=name).iter_rows(named=True)
    return row


A = condition("adam", [5, 9, None, 7, 30, None], lost=[1])
B = condition("sgd", [8, None, None, None, 60, 3])


def test_pairs_counted_by_hand():
    table = compare(pl.concat([A, B]))
    assert table.schema == compare.schema
    assert table["measure"].to_list() == ["reached", "solved", "first_hit"]
    reached = measure(table, "reached")
    assert [reached[k] for k in ("gate", "a", "b", "pairs")] == ["xor", "adam", "sgd", 6]
    assert [reached[k] for k in ("both", "only_a", "only_b", "neither")] == [2, 2, 1, 1]
    assert reached["difference"] == pytest.approx(1 / 6)
    assert reached["p"] == 1.0  # 2 of 3 discordant seeds: nothing could be less unlikely
    solved = measure(table, "solved")
    assert [solved[k] for k in ("both", "only_a", "only_b", "neither")] == [2, 1, 1, 2]
    assert solved["difference"] == 0


def test_seeds_are_paired_by_number_whatever_their_order():
    shuffled = B.sample(fraction=1, shuffle=True, seed=1)
    assert compare(pl.concat([A, shuffled])).equals(compare(pl.concat([A, B])))


def test_only_common_seeds_count():
    more = condition("sgd", [8, None, None, None, 60, 3, 1, 1], seeds=[*range(6), 90, 91])
    assert compare(pl.concat([A, more])).equals(compare(pl.concat([A, B])))


PAIRS = st.lists(
    st.tuples(*[st.one_of(st.none(), st.integers(0, BUDGET - 1))] * 2), min_size=1, max_size=80
)


@given(pairs=PAIRS)
@settings(max_examples=60, deadline=None)
def test_p_is_that_of_statsmodels_and_of_lifelines(pairs):
    a, b = ([pair[i] for pair in pairs] for i in (0, 1))
    table = compare(pl.concat([condition("adam", a), condition("sgd", b)]))
    reached = measure(table, "reached")
    cells = [[reached["both"], reached["only_a"]], [reached["only_b"], reached["neither"]]]
    expected = mcnemar(cells, exact=True).pvalue if reached["only_a"] + reached["only_b"] else 1.0
    assert reached["p"] == pytest.approx(min(1.0, expected), rel=1e-9)
    p = measure(table, "first_hit")["p"]
    if not any(hit is not None for hit in (*a, *b)):
        assert p is None
        return
    times = [[BUDGET - 1 if hit is None else hit for hit in hits] for hits in (a, b)]
    seen = [[hit is not None for hit in hits] for hits in (a, b)]
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = logrank_test(*times, *seen).p_value
    # No variance (all hits at one time): no difference can be seen.
    assert p == pytest.approx(expected if np.isfinite(expected) else 1.0, rel=1e-6)


def test_the_differences_interval_by_its_formula():
    """Bonett and Price (2012): each discordant cell gets one more, and n two."""
    hits = ([1] * 30 + [None] * 10, [1] * 22 + [None] * 8 + [1] * 3 + [None] * 7)
    found = measure(
        compare(pl.concat([condition("adam", hits[0]), condition("sgd", hits[1])])), "reached"
    )
    assert (found["only_a"], found["only_b"]) == (8, 3)
    p, q = 9 / 42, 4 / 42
    half = 1.959963984540054 * np.sqrt((p + q - (p - q) ** 2) / 42)
    assert (found["low"], found["high"]) == pytest.approx((p - q - half, p - q + half), rel=1e-12)


def test_coverage_of_the_differences_interval():
    """By the trinomial law itself, on 40 pairs: each outcome weighted with its probability."""
    n, only_a, only_b = 40, 0.25, 0.1
    held = 0.0
    for a in range(n + 1):
        for b in range(n + 1 - a):
            weight = binom.pmf(a, n, only_a) * binom.pmf(b, n - a, only_b / (1 - only_a))
            if weight < 1e-7:
                continue
            low, high = paired_interval(a, b, n, 0.95)
            held += weight * (low <= only_a - only_b <= high)
    assert held == pytest.approx(0.95, abs=0.012)


def test_holms_adjustment_is_that_of_statsmodels_within_each_measure():
    rng = np.random.default_rng(0)
    parts = [
        condition(name, [int(h) if h < BUDGET else None for h in rng.geometric(p, 60)], gate=gate)
        for gate in ("xor", "nand")
        for name, p in (("adam", 0.05), ("sgd", 0.01), ("polyak", 0.012), ("lbfgs", 0.03))
    ]
    table = compare(pl.concat(parts))
    assert len(table) == 2 * 6 * 3  # two gates, six pairs of optimizers, three measures
    for name in ("reached", "solved", "first_hit"):
        rows = table.filter(measure=name)
        expected = multipletests(rows["p"].to_numpy(), method="holm")[1]
        np.testing.assert_allclose(rows["p_holm"].to_numpy(), expected, rtol=1e-12)


def test_gates_are_not_compared_with_each_other():
    table = compare(pl.concat([A, B, condition("adam", [1, 2], gate="nand")]))
    assert table["gate"].unique().to_list() == ["xor"]


def test_two_conditions_of_one_optimizer_are_told_apart_by_what_differs():
    table = compare(pl.concat([A, A.with_columns(backend=pl.lit("torch")), B]))
    assert table["a"].unique(maintain_order=True).to_list() == ["adam · jax", "adam · torch"]
    assert table["b"].unique(maintain_order=True).to_list() == ["adam · torch", "sgd"]


def test_a_seed_that_a_condition_has_twice_is_refused():
    """Each of the two would be paired with each of the other condition's."""
    with pytest.raises(InputError, match="xor · adam has seed 3 more than once"):
        compare(pl.concat([A, A.filter(seed=3), B]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"threshold": 1e-3}, ["thresholds are 0.0001 and 0.001", "one threshold"]),
        ({"init": "normal", "w1_initial": 0.25}, ["seed 0 starts at other", "torch and normal"]),
        ({"b_initial": 0.5000001}, ["seed 0 starts at other parameters"]),
    ],
)
def test_runs_that_differ_in_more_than_optimizer_and_budget_are_refused(change, words):
    other = B.with_columns(pl.lit(v).cast(B.schema[k]).alias(k) for k, v in change.items())
    with pytest.raises(InputError) as error:
        compare(pl.concat([A, other]))
    for word in words:
        assert word in str(error.value)


def test_budgets_may_differ_and_are_given():
    table = compare(pl.concat([A, B.with_columns(epochs=pl.lit(500, pl.Int32))]))
    assert table.select("epochs_a", "epochs_b").unique().rows() == [(BUDGET, 500)]
    note = compare.sheet(table, compare.settings({})).note
    assert "Budgets differ: 100, 500 epochs." in note
    assert "Budgets" not in compare.sheet(compare(pl.concat([A, B])), compare.settings({})).note


def test_nothing_hit_at_all():
    table = compare(pl.concat([condition(name, [None] * 4) for name in ("adam", "sgd")]))
    for name in ("reached", "solved"):
        row = measure(table, name)
        assert (row["difference"], row["p"], row["p_holm"], row["neither"]) == (0, 1, 1, 4)
    assert measure(table, "first_hit")["p"] is None
    assert measure(table, "first_hit")["p_holm"] is None


@pytest.mark.parametrize(
    "parts",
    [[A], [A, condition("sgd", [1, 2], gate="or")], [A, condition("sgd", [1, 2], seeds=[70, 71])]],
    ids=["one condition", "two gates", "other seeds"],
)
def test_nothing_to_compare_is_said(parts):
    with pytest.raises(InputError, match="nothing to compare"):
        compare(pl.concat(parts))
