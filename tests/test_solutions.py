"""Which solutions are found, on rows made by hand and on runs whose flow is known."""

import numpy as np
import polars as pl
import pytest

import attnlogic
from attnlogic.problems import SIGNS
from attnlogic.results.rows.run_columns import schema
from attnlogic.statistics.solutions import statistic as solutions


def frame(name, *runs, optimizer="adam"):
    """Runs from (status, end, start), each of six numbers; C is the product of the first three."""
    columns = ("wq", "wk", "wv", "w1", "w2", "b")
    rows = [
        {
            "gate": name, "optimizer": optimizer, "seed": i, "status": status,
            "C": float(np.prod(end[:3])), **dict(zip(columns, end, strict=True)),
            **{f"{c}_initial": value for c, value in zip(columns, start, strict=True)},
            "epochs": 10, "threshold": 1e-4, "backend": "jax", "precision": "float64",
            "init": "torch", "model": "attention", "encoding": "01",
        }
        for i, (status, end, start) in enumerate(runs)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=schema("float64"))


START = (0.5, 0.25, 1.0, 0.1, 0.2, 0.3)
RUNS = [
    ("solved", (1.0, -1.0, 0.9, 0.75, 0.25, 1.0), START),  # C = -0.9
    ("solved", (-1.0, 1.0, 1.1, 0.5, 0.5, 1.0), START),  # C = -1.1
    ("solved", (-1.0, -1.0, -1.0, 0.0, 1.0, 1.0), START),  # C = -1
    ("lost", (9.0, 9.0, 9.0, 9.0, 0.0, 1.0), START),
    ("diverged", (None,) * 6, START),
]


def frame_of_five():
    five = [run for run in RUNS if run[0] != "diverged"]
    gone = frame("nand", ("diverged", (np.nan,) * 6, START)).with_columns(
        pl.selectors.float().fill_nan(None)
    )
    return pl.concat([frame("nand", *five), gone.with_columns(seed=pl.lit(4, pl.UInt32))])


def test_five_runs_by_hand():
    found = solutions(frame_of_five())
    assert found.schema == solutions.schema
    (row,) = found.iter_rows(named=True)
    assert (row["gate"], row["runs"], row["solved"], row["C_exact"]) == ("nand", 5, 3, -1)
    assert row["distance_median"] == pytest.approx(0.1)
    assert row["distance_max"] == pytest.approx(0.1)
    assert {s: row[f"signs_{s}"] for s in SIGNS if row[f"signs_{s}"]} == {
        "+-+": 1, "-++": 1, "---": 1,
    }  # fmt: skip
    # w1 - w2 is 0.5, 0, -1.
    assert row["apart_median"] == 0
    assert (row["apart_q05"], row["apart_q95"]) == (-1, 0.5)
    # It started with wq² - wk² = 3/16 and wk² - wv² = -15/16.
    assert row["drift_qk"] == pytest.approx(3 / 16)
    changes = np.array([1 - 0.81, 1 - 1.21, 0]) + 15 / 16
    assert row["drift_kv"] == pytest.approx(np.median(changes))


def test_the_signs_are_all_eight():
    assert sorted(SIGNS) == sorted({a + b + c for a in "+-" for b in "+-" for c in "+-"})


def test_a_constant_gate_has_no_distance_and_no_runs_nothing():
    (row,) = solutions(frame("true", *RUNS[:2])).iter_rows(named=True)
    assert (row["C_exact"], row["distance_median"], row["solved"]) == (None, None, 2)
    assert solutions(pl.DataFrame(schema=schema("float32"))).is_empty()


def test_none_solved_is_null_and_zero():
    (row,) = solutions(frame("xor", ("lost", *RUNS[0][1:]))).iter_rows(named=True)
    assert row["solved"] == sum(row[f"signs_{s}"] for s in SIGNS) == 0
    for name in ("distance_median", "apart_median", "drift_qk", "drift_kv"):
        assert row[name] is None


def test_small_steps_conserve_what_gradient_flow_does(tmp_path):
    """The flow conserves wq² - wk²; a step breaks it by lr², and there are 1/lr of them."""
    rates = (0.03, 0.003)
    study = attnlogic.Study(
        ["nand"], [f"sgd(lr={lr})" for lr in rates], range(30), epochs=40_000, threshold=1e-2,
        precision="float64",
    )  # fmt: skip
    found = solutions(attnlogic.run(study, out=tmp_path / "flow", progress=False))
    coarse, fine = found["drift_qk"].to_list()
    assert coarse < 0.05
    assert fine == pytest.approx(coarse / 10, rel=0.5)  # to first order, over different runs
