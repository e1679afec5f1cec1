"""Tallies: what they say is what the rows say, they add, and they do not grow with the runs."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest

import attnlogic
from attnlogic.errors import InputError
from attnlogic.outcomes import LADDER
from attnlogic.results.store import RUNGS, schema
from attnlogic.results.tally import KEPT, SCHEMA, Tally, population, populations
from attnlogic.statistics.endings import endings
from attnlogic.statistics.intervals import jeffreys
from attnlogic.statistics.ladder import ladder
from attnlogic.statistics.solutions import solutions
from attnlogic.statistics.stability import stability
from attnlogic.statistics.starts import starts
from attnlogic.statistics.summary import SUMMARY, summarize
from attnlogic.statistics.times import times

BIN = 2**-7
"""How wide a bin is, at most, as a share of its values."""

STUDIES = {
    "xor": attnlogic.Study(["xor", "true"], ["adam", "polyak", "sgd(lr=50)"], 150, epochs=500),
    "nand": attnlogic.Study("nand", ["adamw", "lbfgs"], 100, epochs=60, threshold=1e-2),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two studies' runs: solved, lost, unsolved, stopped and diverged ones."""
    return {
        name: attnlogic.run(study, out=tmp_path_factory.mktemp(name), progress=False)
        for name, study in STUDIES.items()
    }


@pytest.fixture(params=STUDIES)
def study(runs, request):
    return runs[request.param]


STATISTICS = {
    f.__name__: f for f in (summarize, times, stability, endings, solutions, starts, ladder)
}
BINNED = {
    "summarize": {"C_q05", "C_q25", "C_median", "C_q75", "C_q95"},
    "stability": {"worst_after_hit_median", "worst_after_hit_q95", "worst_after_hit_max"},
    "solutions": {
        "distance_median", "distance_q95", "distance_max", "apart_q05", "apart_median", "apart_q95",
        "drift_qk", "drift_kv",
    },
}  # fmt: skip
ROUNDED = {"C_mean", "C_sd"}


@pytest.mark.parametrize("name", set(STATISTICS) - {"starts"})
def test_what_a_tally_says_is_what_the_rows_say(study, name):
    """Counts, rates, intervals, times: equal. Quantiles of other numbers: within a bin."""
    tell = STATISTICS[name]
    exact, tallied = tell(study), tell(Tally.of(study))
    assert exact.schema == tallied.schema
    assert len(exact) == len(tallied) > 0
    for column in exact.columns:
        pairs = zip(exact[column], tallied[column], strict=True)
        for row, (one, other) in enumerate(pairs):
            if column in BINNED.get(name, ()) and one is not None:
                centre = exact["C_exact"][row] or 0.0 if name == "summarize" else 0.0
                assert other - centre == pytest.approx(one - centre, rel=BIN, abs=1e-15), column
            elif column in ROUNDED and one is not None:
                assert other == pytest.approx(one, rel=1e-12), column
            else:
                assert one == other, column


def test_bins_of_starts_share_the_runs_out_as_nearly_as_the_tallys_bins_allow(study):
    exact, tallied = starts(study), starts(Tally.of(study))
    keys = ["gate", "optimizer", "measure"]
    total = pl.col("runs", "reached").sum()
    assert (
        exact.group_by(keys, maintain_order=True)
        .agg(total)
        .equals(tallied.group_by(keys, maintain_order=True).agg(total))
    )
    assert len(tallied) == len(exact)
    gap = (tallied["from"] - exact["from"]).abs() / exact["from"].abs()
    assert gap.median() < 2 * BIN


def test_an_interval_can_be_chosen(study):
    assert summarize(Tally.of(study), jeffreys)["reach_high"].equals(
        summarize(study, jeffreys)["reach_high"]
    )


def assert_same(one, other):
    """The same counts; sums but for the order in which they were added up."""
    by = [*SCHEMA][:-3]
    a, b = one.frame.sort(by), other.frame.sort(by)
    assert a.drop("total", "squares").equals(b.drop("total", "squares"))
    for sums in ("total", "squares"):
        np.testing.assert_allclose(a[sums], b[sums], rtol=1e-12)


@pytest.mark.parametrize("cuts", [(0,), (1, 2, 77), range(0, 800, 37)])
def test_the_tally_of_a_union_is_the_sum(study, cuts):
    rows = study.table().sample(fraction=1, shuffle=True, seed=5)
    ends = [0, *cuts, len(rows)]
    parts = [rows[a:b] for a, b in pairwise(ends)]
    together = Tally.none()
    for part in parts:
        together = together + Tally.of(part)
    assert_same(together, Tally.of(study))
    assert_same(Tally.of(study), Tally.of(rows.lazy()))


def test_two_studies_add_up_to_their_conditions(runs):
    both = sum((Tally.of(study) for study in runs.values()), Tally.none())
    expected = pl.concat([summarize(Tally.of(study)) for study in runs.values()])
    assert summarize(both).equals(expected)


def test_every_value_is_counted_and_lies_in_its_bin(study):
    """Against the rows themselves, for every group and quantity."""
    tallied = {tuple(p.key.values()): p for p in Tally.of(study).populations()}
    for exact in populations(study):
        binned = tallied[tuple(exact.key.values())]
        for group, names in KEPT.items():
            for name in names:
                one, other = exact.of(name, group), binned.of(name, group)
                assert one.n == other.n, name
                at = np.searchsorted(np.abs(one.bins), np.abs(other.bins)) if one.n else []
                assert len(at) == len(other.bins)
                np.testing.assert_allclose(other.total, one.total, rtol=1e-12)
                finite = other.finite()
                off = np.abs(finite.values) - np.abs(finite.bins)
                assert (off >= -1e-12 * np.abs(finite.bins)).all(), name
                assert (off <= BIN * np.abs(finite.bins) + 1e-300).all(), name


def test_whole_numbers_are_counted_exactly(study):
    tally = Tally.of(study)
    for exact, binned in zip(populations(study), tally.populations(), strict=True):
        for name, group in (("first_hit", "reached"), ("evaluations", "all"), (RUNGS[0], "all")):
            one, other = exact.of(name, group), binned.of(name, group)
            assert one.values.tolist() == other.values.tolist()
            assert one.counts.tolist() == other.counts.tolist()


def test_its_size_does_not_grow_with_the_runs():
    """Ten times the runs: the same epochs, hardly more bins."""
    rng = np.random.default_rng(0)

    def tally(n):
        kinds = schema("float32")
        some = {
            "gate": "xor", "optimizer": "adam", "backend": "jax", "precision": "float32",
            "init": "torch", "epochs": 100, "threshold": 1e-4, "status": "solved",
        }  # fmt: skip
        columns = {name: [value] * n for name, value in some.items()}
        columns["first_hit"] = rng.integers(0, 100, n)
        for name in ("C", "wq", "wk", "wv", "w1", "w2", "wq_initial", "wk_initial", "wv_initial"):
            columns[name] = rng.normal(size=n)
        full = {k: pl.Series(columns.get(k, [None] * n), dtype=kinds[k]) for k in kinds}
        return len(Tally.of(pl.DataFrame(full)).frame)

    assert tally(200_000) < 1.5 * tally(20_000)


def test_a_file_keeps_it_and_says_what_it_is(study, tmp_path):
    tally = Tally.of(study)
    tally.write(tmp_path / "all.parquet")
    assert Tally.read(tmp_path / "all.parquet").frame.equals(tally.frame)
    with pytest.raises(InputError, match="cannot read"):
        Tally.read(tmp_path / "none.parquet")
    study.table().write_parquet(tmp_path / "rows.parquet")
    with pytest.raises(InputError, match="is no tally"):
        Tally.read(tmp_path / "rows.parquet")
    with pytest.raises(InputError, match="cannot write"):
        tally.write(tmp_path / "no" / "such" / "folder.parquet")


def test_no_runs_one_run():
    empty = Tally.of(pl.DataFrame(schema=schema("float32")))
    assert empty.frame.schema == SCHEMA
    for tell in STATISTICS.values():
        assert tell(empty).is_empty()
    assert summarize(empty).schema == SUMMARY


def test_one_run(runs):
    row = runs["xor"].table()[:1]
    for tell in STATISTICS.values():
        assert len(tell(Tally.of(row))) == len(tell(row)) >= 1
    assert population(row).runs == Tally.of(row).populations()[0].runs == 1


def test_the_rungs_are_those_of_the_ladder():
    assert [float(rung.removeprefix("first_hit_")) for rung in RUNGS] == pytest.approx(LADDER)
