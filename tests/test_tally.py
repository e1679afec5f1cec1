"""Tallies: what they say is what the rows say, they add, and they do not grow with the runs."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
import synthetic
from synthetic import rows

import attnlogic
from attnlogic.errors import InputError
from attnlogic.outcomes import LADDER, RUNGS, STATUSES
from attnlogic.results import Tally, populations
from attnlogic.results.choosing.normal import conditions
from attnlogic.results.counts import tallies as module
from attnlogic.results.counts.populations import population
from attnlogic.results.rows.count_columns import COUNTS, ENTRY
from attnlogic.results.rows.quantities import KEPT
from attnlogic.results.rows.run_columns import schema
from attnlogic.statistics.endings import statistic as endings
from attnlogic.statistics.intervals import jeffreys
from attnlogic.statistics.ladder import statistic as ladder
from attnlogic.statistics.solutions import statistic as solutions
from attnlogic.statistics.stability import statistic as stability
from attnlogic.statistics.starts import statistic as starts
from attnlogic.statistics.summary import statistic as summarize
from attnlogic.statistics.times import statistic as times

BIN = 2**-7
"""How wide a bin is, at most, as a share of its values."""

STUDIES = {
    "xor": [
        rows(gate, by, seeds)
        for gate in ("xor", "true")
        for by in ("adam", "polyak", "sgd(lr=50)")
        for seeds in (range(60), range(60, 150))
    ],
    "nand": [rows("nand", by, range(100), threshold=1e-2) for by in ("adamw", "lbfgs")],
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two studies' runs: solved, lost, unsolved, stopped and diverged ones."""
    return {
        name: synthetic.study(tmp_path_factory.mktemp(name), *parts)
        for name, parts in STUDIES.items()
    }


def test_there_are_runs_of_every_kind(runs):
    for study in runs.values():
        for part in conditions(study):
            assert set(part["status"]) == {*STATUSES}
            assert part["stopped_at"].count() > 5
            assert part["exits"].max() > 1


@pytest.fixture(scope="module")
def tallies(runs):
    return {name: attnlogic.tally(study) for name, study in runs.items()}


@pytest.fixture(params=STUDIES)
def case(request):
    return request.param


@pytest.fixture
def study(runs, case):
    return runs[case]


@pytest.fixture
def tally(tallies, case):
    return tallies[case]


STATISTICS = {f.name: f for f in (summarize, times, stability, endings, solutions, starts, ladder)}
BINNED = {
    "summary": {"C_q05", "C_q25", "C_median", "C_q75", "C_q95"},
    "stability": {"worst_after_hit_median", "worst_after_hit_q95", "worst_after_hit_max"},
    "solutions": {
        "distance_median", "distance_q95", "distance_max", "apart_q05", "apart_median", "apart_q95",
        "drift_qk", "drift_kv",
    },
}  # fmt: skip
ROUNDED = {"C_mean", "C_sd"}


@pytest.mark.parametrize("name", sorted(set(STATISTICS) - {"starts"}))
def test_what_a_tally_says_is_what_the_rows_say(study, tally, name):
    """Counts, rates, intervals, times: equal. Quantiles of other numbers: within a bin."""
    tell = STATISTICS[name]
    exact, tallied = tell(study), tell(tally)
    assert exact.schema == tallied.schema
    assert len(exact) == len(tallied) > 0
    for column in exact.columns:
        pairs = zip(exact[column], tallied[column], strict=True)
        for row, (one, other) in enumerate(pairs):
            if column in BINNED.get(name, ()) and one is not None:
                centre = exact["C_exact"][row] or 0.0 if name == "summary" else 0.0
                assert other - centre == pytest.approx(one - centre, rel=BIN, abs=1e-15), column
            elif column in ROUNDED and one is not None:
                assert other == pytest.approx(one, rel=1e-12), column
            else:
                assert one == other, column


def test_bins_of_starts_share_the_runs_out_as_nearly_as_the_tallys_bins_allow(study, tally):
    exact, tallied = starts(study), starts(tally)
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


def test_an_interval_can_be_chosen(study, tally):
    found, expected = (summarize(x, interval=jeffreys)["reach_high"] for x in (tally, study))
    assert found.equals(expected)


def assert_same(one, other):
    """The same counts; sums but for the order in which they were added up."""
    a, b = one.counts.sort(ENTRY), other.counts.sort(ENTRY)
    assert one.seeds == other.seeds
    assert a.drop("total", "squares").equals(b.drop("total", "squares"))
    for sums in ("total", "squares"):
        np.testing.assert_allclose(a[sums], b[sums], rtol=1e-12)


def assert_equal(one, other):
    assert one.counts.equals(other.counts)
    assert one.seeds == other.seeds


@pytest.mark.parametrize("cuts", [(0,), (1, 2, 77), range(0, 900, 150)])
def test_the_tally_of_a_union_is_the_sum(study, tally, cuts):
    rows = study.table().sample(fraction=1, shuffle=True, seed=5)
    ends = [0, *cuts, len(rows)]
    parts = [rows[a:b] for a, b in pairwise(ends)]
    together = Tally.none()
    for part in parts:
        together = together + attnlogic.tally(part)
    assert_same(together, tally)
    assert_same(attnlogic.tally(rows.lazy()), tally)


def test_however_many_rows_are_counted_at_once_the_tally_is_the_same(study, tally, monkeypatch):
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 64)
    assert_same(attnlogic.tally(study), tally)


def test_two_studies_add_up_to_their_conditions(tallies):
    both = sum(tallies.values(), Tally.none())
    expected = pl.concat([summarize(tally) for tally in tallies.values()])
    assert summarize(both).equals(expected)


def test_every_value_is_counted_and_lies_in_its_bin(study, tally):
    """Against the rows themselves, for every group and quantity."""
    tallied = {tuple(p.key.values()): p for p in tally.populations()}
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


def test_whole_numbers_are_counted_exactly(study, tally):
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
        columns["seed"] = np.arange(n)
        columns["first_hit"] = rng.integers(0, 100, n)
        for name in ("C", "wq", "wk", "wv", "w1", "w2", "wq_initial", "wk_initial", "wv_initial"):
            columns[name] = rng.normal(size=n)
        full = {k: pl.Series(columns.get(k, [None] * n), dtype=kinds[k]) for k in kinds}
        return len(attnlogic.tally(pl.DataFrame(full)).counts)

    assert tally(200_000) < 1.5 * tally(20_000)


def test_a_file_keeps_it_and_says_what_it_is(study, tally, tmp_path):
    tally.write(tmp_path / "all.parquet")
    assert_equal(Tally.read(tmp_path / "all.parquet"), tally)
    with pytest.raises(InputError, match="cannot read"):
        Tally.read(tmp_path / "none.parquet")
    study.table().write_parquet(tmp_path / "rows.parquet")
    with pytest.raises(InputError, match="is no tally"):
        Tally.read(tmp_path / "rows.parquet")
    (tmp_path / "text").write_text("gate,optimizer\n")
    with pytest.raises(InputError, match=r"cannot read '.*text' as a tally"):
        Tally.read(tmp_path / "text")
    with pytest.raises(InputError, match=r"cannot read '.*': Is a directory"):
        Tally.read(tmp_path)
    with pytest.raises(InputError, match="cannot write"):
        tally.write(tmp_path / "no" / "such" / "folder.parquet")


@pytest.mark.parametrize("name", ["t[1].parquet", "*.parquet", "{t1,u} .parquet", "~", "t?"])
def test_a_file_may_have_any_name(tallies, tmp_path, monkeypatch, name):
    """A path is no pattern: a neighbour that it would match as one is neither read nor written."""
    monkeypatch.chdir(tmp_path)
    tallies["nand"].write("t1.parquet")
    neighbour = (tmp_path / "t1.parquet").read_bytes()
    for path in (name, tmp_path / name):
        tallies["xor"].write(path)
        assert (tmp_path / name).is_file()
        assert_equal(Tally.read(path), tallies["xor"])
    assert (tmp_path / "t1.parquet").read_bytes() == neighbour


def test_its_text_is_short(tallies):
    assert repr(tallies["xor"]) == "Tally(900 runs of 6 conditions)"
    assert repr(Tally.none()) == "Tally(0 runs of 0 conditions)"


def test_a_quantity_that_tallies_do_not_keep_is_refused_of_rows_too(study, tally):
    """So that a statistic that works on rows works on a tally."""
    for some in (*populations(study), *tally.populations()):
        with pytest.raises(KeyError, match=r"'C_off' is not kept of the group 'all'"):
            some.of("C_off", "all")
        with pytest.raises(KeyError, match="'exit'"):
            some.of("exit", "reached")


def test_no_runs():
    empty = attnlogic.tally(pl.DataFrame(schema=schema("float32")))
    assert empty.counts.schema == COUNTS
    for tell in STATISTICS.values():
        assert tell(empty).is_empty()
    assert summarize(empty).schema == summarize.schema


def test_one_run(runs):
    row = runs["xor"].table()[:1]
    for tell in STATISTICS.values():
        assert len(tell(attnlogic.tally(row))) == len(tell(row)) >= 1
    assert population(row).runs == attnlogic.tally(row).populations()[0].runs == 1


def test_the_rungs_are_those_of_the_ladder():
    assert [float(rung.removeprefix("first_hit_")) for rung in RUNGS] == pytest.approx(LADDER)
