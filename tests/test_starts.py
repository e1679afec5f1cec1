"""Which starts succeed, counted by hand and in general."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnlogic.errors import InputError
from attnlogic.results.rows.run_columns import schema
from attnlogic.statistics.intervals import wilson
from attnlogic.statistics.starts import statistic as starts


def frame(C, loss, hit):
    n = len(C)
    about = {
        "gate": "nand", "optimizer": "adam", "epochs": 10, "threshold": 1e-4, "backend": "jax",
        "precision": "float64", "init": "torch",
    }  # fmt: skip
    columns = {
        **{name: [value] * n for name, value in about.items()},
        "seed": [*range(n)], "C_initial": C, "initial_loss": loss,
        "first_hit": [1 if h else None for h in hit],
    }  # fmt: skip
    full = {name: columns.get(name, [None] * n) for name in schema("float64")}
    return pl.DataFrame(full, schema=schema("float64"))


def test_eight_runs_by_hand():
    C = [-0.5, -0.1, 0.3, 0.1, -0.4, 0.2, -0.2, 0.4]
    hit = [True, False, False, True, True, False, True, False]
    found = starts(frame(C, [*range(8)], hit), bins=4)
    assert found.schema == starts.schema
    rows = found.filter(measure="C_initial").select("from", "to", "runs", "reached").rows()
    assert rows == [(-0.5, -0.4, 2, 2), (-0.2, -0.1, 2, 1), (0.1, 0.2, 2, 1), (0.3, 0.4, 2, 0)]
    rows = found.filter(measure="initial_loss").select("from", "to", "runs", "reached").rows()
    assert rows == [(0, 1, 2, 1), (2, 3, 2, 1), (4, 5, 2, 1), (6, 7, 2, 1)]
    first = found.row(0, named=True)
    assert (first["reach_rate"], first["reach_low"], first["reach_high"]) == (1, *wilson(2, 2))


VALUES = st.lists(st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.25, 1.0, 3.0]), min_size=1, max_size=40)


@given(values=VALUES, bins=st.sampled_from([2, 4, 8]))
def test_bins_share_the_runs_out(values, bins):
    hit = [value < 0.5 for value in values]
    found = starts(frame(values, np.abs(values), hit), bins=bins)
    for measure, told in (("C_initial", np.array(values)), ("initial_loss", np.abs(values))):
        rows = found.filter(measure=measure)
        assert 1 <= len(rows) <= bins
        assert rows["runs"].sum() == len(values)
        assert rows["reached"].sum() == sum(hit)
        ends = rows.select("from", "to").rows()
        # Upwards, without overlap: equal values stay together, and each bin holds what it says.
        assert all(a <= b for a, b in ends)
        assert all(high < low for (_, high), (low, _) in pairwise(ends))
        for (low, high), n in zip(ends, rows["runs"], strict=True):
            assert ((told >= low) & (told <= high)).sum() == n
    assert all(low >= 0 or high < 0 for low, high in found.filter(measure="C_initial")
               .select("from", "to").rows())  # fmt: skip


def test_bins_are_equal_where_there_are_no_ties():
    values = np.random.default_rng(0).normal(size=1000)
    found = starts(frame(values.tolist(), np.exp(values).tolist(), [True] * 1000))
    assert found.filter(measure="initial_loss")["runs"].to_list() == [125] * 8
    below = int((values < 0).sum())
    assert found.filter(measure="C_initial")["runs"].to_list() == pytest.approx(
        [below / 4] * 4 + [(1000 - below) / 4] * 4, abs=1
    )


def test_a_start_that_is_not_finite_is_in_no_bin():
    found = starts(frame([0.1, None, -0.1], [1.0, np.inf, 2.0], [True, False, True]), bins=2)
    assert found.filter(measure="C_initial")["runs"].sum() == 2
    assert found.filter(measure="initial_loss")["runs"].sum() == 2


@pytest.mark.parametrize("bins", [0, -2, 3])
def test_bins_come_in_pairs(bins):
    with pytest.raises(InputError, match="even whole number from 2"):
        starts(frame([0.1], [1.0], [True]), bins=bins)


def test_no_runs_no_rows():
    assert starts(pl.DataFrame(schema=schema("float32"))).is_empty()
