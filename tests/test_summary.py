"""Rates, times and values of C, against published figures, SciPy, NumPy and hand-counted rows."""

import math
import statistics

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm
from synthetic import as_part, description

from attnlogic.outcomes import STATUSES
from attnlogic.problems.gates import GATES
from attnlogic.results import CONDITION, create, schema, write_part
from attnlogic.statistics.intervals import wilson
from attnlogic.statistics.summary import statistic as summarize

# --- wilson -------------------------------------------------------------------------------------

counts = st.integers(1, 2**32).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
levels = st.sampled_from([0.5, 0.9, 0.95, 0.999])


@pytest.mark.parametrize(
    ("successes", "runs", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_figures_of_newcombes_table(successes, runs, low, high):
    # Newcombe, "Two-sided confidence intervals for the single proportion", 1998: four decimals.
    assert wilson(successes, runs) == pytest.approx((low, high), abs=5e-5)


@given(counts, levels)
def test_wilsons_ends_are_the_rates_from_which_the_observed_one_is_z_deviations_off(count, level):
    successes, runs = count
    z, observed = norm.ppf((1 + level) / 2), successes / runs
    low, high = wilson(successes, runs, level)
    assert 0 <= low <= observed <= high <= 1
    for end in (low, high):
        deviation = math.sqrt(end * (1 - end) / runs)
        if 0 < end < 1:
            # With 2^32 runs the difference is some 1e-5 of two rounded rates: 1e-16 / 1e-5.
            assert abs(observed - end) == pytest.approx(z * deviation, rel=1e-9)
    assert (low == 0) == (successes == 0)
    assert (high == 1) == (successes == runs)


@given(counts, levels)
def test_wilson_equals_scipys(count, level):
    expected = binomtest(*count).proportion_ci(level, method="wilson")
    # The subtraction of two nearly equal numbers costs a few of sixteen digits.
    assert wilson(*count, level) == pytest.approx((expected.low, expected.high), rel=1e-11)


@given(counts)
def test_wilson_of_failures_mirrors_that_of_successes(count):
    successes, runs = count
    low, high = wilson(runs - successes, runs)
    assert wilson(successes, runs) == pytest.approx((1 - high, 1 - low), abs=1e-15)


def test_wilson_at_the_edges():
    square = statistics.NormalDist().inv_cdf(0.975) ** 2
    for runs in (1, 2, 1000, 2**32):
        assert wilson(0, runs) == (0.0, pytest.approx(square / (runs + square), rel=1e-14))
        assert wilson(runs, runs) == (pytest.approx(runs / (runs + square), rel=1e-14), 1.0)
    assert wilson(0, 0) is None


# --- summarize ----------------------------------------------------------------------------------


def frame(runs, **condition):
    """Rows of one condition from (status, first_hit, C), with what else is asked for."""
    kinds = schema(condition.get("precision", "float32"))
    same = {
        "gate": "xor", "optimizer": "adam", "backend": "jax", "precision": "float32",
        "epochs": 100, "threshold": 1e-4, "init": "torch", "until": "budget", "evaluations": 100,
        "model": "attention", "encoding": "01",
    }  # fmt: skip
    columns = {name: [value] * len(runs) for name, value in {**same, **condition}.items()}
    columns["seed"] = range(len(runs))
    for i, name in enumerate(("status", "first_hit", "C")):
        columns[name] = [run[i] for run in runs]
    columns["sustained_from"] = [hit if status == "solved" else None for status, hit, _ in runs]
    return pl.DataFrame(
        {
            name: pl.Series(columns.get(name, [None] * len(runs)), dtype=kind)
            for name, kind in kinds.items()
        }
    )


TEN = [
    ("solved", 10, -0.5), ("solved", 20, -0.75), ("solved", 30, -0.25), ("lost", 5, 7.0),
    ("lost", 40, 8.0), ("unsolved", None, 9.0), ("unsolved", None, 10.0),
    ("unsolved", None, 11.0), ("diverged", None, None), ("diverged", 15, None),
]  # fmt: skip


def test_ten_runs_counted_by_hand():
    rows = summarize(frame(TEN))
    assert rows.schema == summarize.schema
    row = rows.row(0, named=True)
    rates = {
        "reach_low": binomtest(6, 10).proportion_ci(method="wilson").low,
        "reach_high": binomtest(6, 10).proportion_ci(method="wilson").high,
        "solve_low": binomtest(3, 10).proportion_ci(method="wilson").low,
        "solve_high": binomtest(3, 10).proportion_ci(method="wilson").high,
    }
    rates |= {f"hold_{end}": rates[f"solve_{end}"] for end in ("low", "high")}
    assert {name: row.pop(name) for name in rates} == pytest.approx(rates, rel=1e-12)
    assert row == {
        "gate": "xor", "optimizer": "adam", "runs": 10,
        # One that diverged had hit before: it has reached the threshold, and does not solve.
        "reached": 6, "reach_rate": 0.6, "solved": 3, "solve_rate": 0.3,
        "lost": 2, "unsolved": 3, "diverged": 2, "stopped": 0, "evaluations": 1000,
        # Of 5, 10, 15, 20, 30, 40 and four times never: the 3rd, the 5th, the 8th.
        "first_hit_q25": 15, "first_hit_median": 30, "first_hit_q75": None,
        "held": 3, "hold_rate": 0.3, "ert": (5 + 10 + 15 + 20 + 30 + 40 + 4 * 100) / 6,
        "C_mean": -0.5, "C_sd": 0.25, "C_q05": -0.75, "C_q25": -0.75, "C_median": -0.5,
        "C_q75": -0.25, "C_q95": -0.25, "C_exact": -0.5,
        "backend": "jax", "precision": "float32", "epochs": 100, "threshold": 1e-4, "init": "torch",
        "until": "budget", "model": "attention", "encoding": "01",
    }  # fmt: skip


statuses = st.sampled_from(STATUSES)


@given(st.lists(st.tuples(statuses, st.integers(0, 99), st.booleans()), min_size=1, max_size=30))
def test_every_run_counts_once_whatever_became_of_it(drawn):
    runs = [
        (status, hit if status in ("solved", "lost") or (status == "diverged" and early) else None,
         None if status == "diverged" else -0.5)
        for status, hit, early in drawn
    ]  # fmt: skip
    (row,) = summarize(frame(runs)).iter_rows(named=True)
    assert row["runs"] == len(runs) == sum(row[status] for status in STATUSES)
    for status in STATUSES:
        assert row[status] == sum(run[0] == status for run in runs)
    assert row["reached"] == sum(run[1] is not None for run in runs)
    assert row["reach_rate"] == row["reached"] / len(runs)
    assert row["solve_rate"] == row["solved"] / len(runs)
    assert (row["C_mean"] is None) == (row["solved"] == 0)


def test_what_does_not_exist_is_null():
    one, none = (
        summarize(frame(runs)).row(0, named=True)
        for runs in ([("solved", 3, -0.5)], [("unsolved", None, 0.1)] * 3)
    )
    C = [name for name in summarize.schema if name.startswith("C_") and name != "C_exact"]
    assert {name for name, value in one.items() if value is None} == {"C_sd"}
    assert one["C_q05"] == one["C_mean"] == one["C_q95"] == -0.5
    times = ["first_hit_q25", "first_hit_median", "first_hit_q75", "ert"]
    assert {name for name, value in none.items() if value is None} == {*C, *times}
    assert none["solve_rate"] == none["solve_low"] == 0 < none["solve_high"]


def test_moments_of_c_are_taken_in_float64():
    drawn = np.random.default_rng(0).normal(-0.5, 1e-3, 1000).astype(np.float32)
    row = summarize(frame([("solved", 1, C) for C in drawn])).row(0, named=True)
    exact = [float(C) for C in drawn]
    # Summed in float32 the mean is off by 1e-8 and the deviation, a difference, by 1e-5.
    assert row["C_mean"] == pytest.approx(math.fsum(exact) / 1000, rel=1e-14)
    assert row["C_sd"] == pytest.approx(statistics.stdev(exact), rel=1e-11)
    assert row["C_median"] == pytest.approx(statistics.median_low(exact), rel=1e-15)


@pytest.mark.parametrize("gate", GATES, ids=str)
def test_the_exact_c_stands_beside_the_found_one(gate):
    (exact,) = summarize(frame(TEN, gate=gate.name))["C_exact"]
    if gate.name in ("true", "false"):
        assert exact is None  # any C solves a constant
    else:
        # (C+1)(w1+w2) and C(w1+w2) are the table's linear and mixed coefficients: their ratio.
        t00, t01, t10, t11 = gate.targets
        linear, mixed = t01 + t10 - 2 * t00, t11 - t01 - t10 + t00
        assert exact * linear == pytest.approx((exact + 1) * mixed, abs=1e-15)


def test_stops_and_evaluations_are_added_up():
    runs = frame(TEN, evaluations=2**31 - 1).with_columns(
        stopped_at=pl.Series([None] * 7 + [1, 2, 3], dtype=pl.Int32)
    )
    row = summarize(runs).row(0, named=True)
    assert (row["stopped"], row["evaluations"]) == (3, 10 * (2**31 - 1))


DIFFERENCES = [
    {}, {"gate": "nand"}, {"optimizer": "adam(lr=0.1)"}, {"backend": "torch"},
    {"precision": "float64"}, {"epochs": 50}, {"threshold": 1e-5}, {"init": "normal"},
    {"until": "hit"}, {"model": "attention(residual=False)"}, {"encoding": "pm1"},
]  # fmt: skip


def test_whatever_tells_two_conditions_apart_keeps_them_apart():
    parts = [frame([*TEN, *TEN][: i + 1], **change) for i, change in enumerate(DIFFERENCES)]
    rows = summarize(pl.concat(parts, how="vertical_relaxed"))
    assert rows["runs"].to_list() == list(range(1, len(parts) + 1))
    for row, change in zip(rows.iter_rows(named=True), DIFFERENCES, strict=True):
        assert row | change == row


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_no_runs_make_no_rows(precision):
    rows = summarize(pl.DataFrame(schema=schema(precision)))
    assert rows.schema == summarize.schema
    assert rows.height == 0


def test_a_study_its_lazy_frame_and_its_table_say_the_same_in_the_studys_order(tmp_path):
    # In neither alphabetical order nor that of writing.
    order = [("xor", "sgd"), ("xor", "adam"), ("nand", "sgd"), ("nand", "adam")]
    of = [
        frame(TEN[: 10 - i], gate=gate, optimizer=optimizer)
        for i, (gate, optimizer) in enumerate(order)
    ]
    conditions = [rows.select(*CONDITION).row(0, named=True) for rows in of]
    whole = {"precision": "float32", "backend": "jax", "threshold": 1e-4, "until": "budget"}
    about = description(conditions, [range(10 - i) for i in range(4)], **whole)
    runs = create(tmp_path / "study", about)
    for i, rows in reversed([*enumerate(of)]):
        for part in (rows[5:], rows[:5]):
            write_part(runs, f"{i:03d}", as_part(part, i))
    rows = summarize(runs)
    assert [*rows.select("gate", "optimizer", "runs").iter_rows()] == [
        (*condition, 10 - i) for i, condition in enumerate(order)
    ]
    assert rows.equals(summarize(runs.table()))
    assert rows.equals(summarize(runs.table().lazy()))
    assert rows.sort("runs").equals(summarize(runs.frame).sort("runs"))
