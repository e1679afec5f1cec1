"""Whether runs stay where they hit, counted by hand and against the histories themselves."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest

import attnlogic
from attnlogic.results.rows.run_columns import schema
from attnlogic.statistics.stability import statistic as stability


def frame(*runs):
    """Runs from (first_hit, sustained_from, exits, rises, worst_after_hit)."""
    names = ("first_hit", "sustained_from", "exits", "rises", "worst_after_hit")
    rows = [
        {
            "gate": "xor", "optimizer": "adam", "seed": i,
            "status": "unsolved" if run[0] is None else "lost" if run[1] is None else "solved",
            **dict(zip(names, run, strict=True)),
            "epochs": 1000, "threshold": 1e-4, "backend": "jax", "precision": "float64",
            "init": "torch",
        }
        for i, run in enumerate(runs)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=schema("float64"))


def only(found):
    (row,) = found.iter_rows(named=True)
    return row


def test_five_runs_by_hand():
    runs = frame(
        (10, 10, 0, 0, 1e-5),
        (20, 900, 7, 30, 0.5),
        (30, 40, 1, 2, 2e-4),
        (40, None, 3, 9, 0.1),  # lost: it never settled
        (None, None, 0, 0, None),
    )
    row = only(stability(runs))
    assert (row["runs"], row["reached"], row["held"]) == (5, 4, 1)
    interval = binomtest(1, 4).proportion_ci(method="wilson")
    assert (row["stay_rate"], row["stay_low"], row["stay_high"]) == pytest.approx((0.25, *interval))
    assert [row[f"exits_{q}"] for q in ("median", "q95", "max")] == [1, 7, 7]
    assert [row[f"rises_{q}"] for q in ("median", "q95", "max")] == [2, 30, 30]
    assert [row[f"worst_after_hit_{q}"] for q in ("median", "max")] == [2e-4, 0.5]
    assert [row[f"settling_{q}"] for q in ("median", "q95", "max")] == [10, 880, 880]


def test_none_reached_and_no_runs():
    row = only(stability(frame((None, None, 0, 0, None))))
    assert (row["reached"], row["held"], row["stay_rate"]) == (0, 0, None)
    assert {
        row[name] for name in stability.schema if name.endswith(("_median", "_q95", "_max"))
    } == {None}
    assert stability(pl.DataFrame(schema=schema("float32"))).is_empty()


def test_it_says_what_the_histories_say(tmp_path):
    study = attnlogic.Study(["xor"], ["adam"], 12, epochs=900, threshold=1e-3)
    found = stability(attnlogic.run(study, out=tmp_path / "demo", progress=False))
    assert found.schema == stability.schema
    held, exits, reached = 0, [], 0
    for seed in range(12):
        losses = attnlogic.train("xor", "adam", seed, epochs=900, progress=False).history.losses
        below = losses <= np.float32(1e-3)
        if below.any():
            reached += 1
            after = below[np.argmax(below) :]
            held += bool(after.all())
            exits.append(int((after[:-1] & ~after[1:]).sum()))
    row = only(found)
    assert (row["reached"], row["held"], row["exits_max"]) == (reached, held, max(exits))
    assert row["exits_median"] == np.quantile(exits, 0.5, method="inverted_cdf")
    assert reached > held > 0
