"""What reads a census: every command and statistic takes it, or says what it lacks."""

import itertools
import json

import pytest
from abacus import SMALL, Abacus, Counting, left, work
from pages import page_of, section_text
from test_census import STUDY, WHERE, assert_same_tally, census_of

import attnlogic
from attnlogic.errors import InputError
from attnlogic.results import kept_rows, load, merge, select, verify, write_counted
from attnlogic.results.counts import census, census_counts
from attnlogic.studies import Study

FIRST, SECOND = range(17), range(17, 28)


def study(seeds, gates=("xor", "nand"), optimizers=("sgd", "adam")):
    return Study([*gates], [*optimizers], seeds=seeds, threshold=0.3)


@pytest.fixture
def whole(tmp_path):
    return census_of(tmp_path / "whole", keep_rows=WHERE)


def assert_same_rows(found, expected):
    """Conditions may be in another order, and so the columns of their settings."""
    by = ["gate", "optimizer", "seed"]
    assert found.select(expected.columns).sort(by).equals(expected.sort(by))


# --- more of it -----------------------------------------------------------------------------------


def test_it_is_extended_by_seeds_gates_and_optimizers(tmp_path, whole):
    small = study(FIRST, ["nand"], ["adam"])
    found = census_of(tmp_path / "census", study=small, keep_rows=WHERE)
    counting = Counting()
    found = census_of(tmp_path / "census", counting, STUDY, keep_rows=WHERE, extend=True)
    assert len(counting.trained) == len(whole) - len(FIRST)
    assert_same_tally(select(found).tally(), select(whole).tally())
    assert_same_rows(kept_rows(found)[0], kept_rows(whole)[0])
    with pytest.raises(InputError, match=r"keep_rows: .* there, wq > 0 asked for"):
        census_of(tmp_path / "census", keep_rows="wq > 0", extend=True)


def halves(top, **how):
    """A census in two: other seeds of one gate, and another gate whose optimizers come first."""
    one = census_of(top / "one", study=study(FIRST, ["xor"]), keep_rows=WHERE, **how)
    more = census_of(top / "two", study=study(SECOND, optimizers=["adam", "sgd"]), keep_rows=WHERE)
    rest = census_of(top / "three", study=study(FIRST, ["nand"]), keep_rows=WHERE)
    return [one, more, rest]


@pytest.mark.parametrize("order", [*itertools.permutations(range(3))])
def test_merged_it_is_one_census(tmp_path, whole, often, order):
    several = halves(tmp_path)
    found = merge([several[k] for k in order], tmp_path / "both")
    assert not load(found.directory).unread
    assert not verify(found)[1]
    assert (len(found), found.asked) == (len(whole), whole.asked)
    assert_same_tally(select(found).tally(), select(whole).tally())
    (rows, matching), (expected, all_of_them) = kept_rows(found), kept_rows(whole)
    assert matching == all_of_them
    assert_same_rows(rows, expected)
    assert len(found.part_files()) < 4 * 2 * 4  # put together, for each set of conditions


def test_a_merged_census_goes_on_like_any_other(tmp_path, whole):
    merged = merge(halves(tmp_path)[:2], tmp_path / "both")
    counting = Counting()
    found = census_of(merged.directory, counting, STUDY, keep_rows=WHERE, extend=True)
    assert len(counting.trained) == 2 * len(FIRST)
    assert_same_tally(select(found).tally(), select(whole).tally())


def test_censuses_that_share_a_run_are_not_merged(tmp_path):
    one = census_of(tmp_path / "one", study=study(FIRST))
    more = census_of(tmp_path / "two", study=study(range(16, 20)))
    with pytest.raises(InputError, match=r"xor · sgd: seed 16 would count twice: .* Leave one"):
        merge([one, more], tmp_path / "both")
    assert not (tmp_path / "both").exists()


def test_what_keeps_something_else_is_not_merged(tmp_path):
    one = census_of(tmp_path / "one", study=SMALL)
    with pytest.raises(InputError, match="not of one kind: keep is tally and rows"):
        merge([one, work(tmp_path / "rows")], tmp_path / "both")
    other = census_of(tmp_path / "other", study=SMALL, keep_rows=WHERE)
    with pytest.raises(InputError, match="not of one kind: keep_rows is none and status"):
        merge([one, other], tmp_path / "both")
    assert not (tmp_path / "both").exists()


@pytest.mark.parametrize("good", range(6))
def test_an_interrupted_merge_goes_on(tmp_path, whole, often, monkeypatch, good):
    several, written = halves(tmp_path), []

    def write(*what):
        if len(written) == good:
            raise KeyboardInterrupt
        written.append(what)
        write_counted(*what)

    with monkeypatch.context() as patch:
        patch.setattr("attnlogic.results.choosing.merging.write_counted", write)
        with pytest.raises(KeyboardInterrupt):
            merge(several, tmp_path / "both")
    assert (tmp_path / "both").exists() == bool(good)
    found = merge(several, tmp_path / "both")
    assert_same_tally(select(found).tally(), select(whole).tally())
    before = left(tmp_path / "both")
    assert len(merge(several, tmp_path / "both")) == len(whole)
    assert left(tmp_path / "both") == before


def test_a_merge_does_not_go_on_with_what_has_changed(tmp_path, often):
    """One of the censuses went on meanwhile: some of its parts are now one."""
    asked = study(range(28))
    with pytest.raises(KeyboardInterrupt):
        census_of(tmp_path / "one", Abacus(good=2, error=KeyboardInterrupt()), asked)
    other = census_of(tmp_path / "two", study=study(range(40, 50)))
    merged = merge([load(tmp_path / "one"), other], tmp_path / "both")
    assert len(merged) == 6 + len(other)
    one = census_of(tmp_path / "one", study=asked)
    with pytest.raises(InputError, match=r"'.*one' has changed since '.*both' was begun"):
        merge([one, other], tmp_path / "both")


# --- what it lacks --------------------------------------------------------------------------------


def test_other_data_by_one_name_is_refused(tmp_path):
    def of(name, y):
        rows = attnlogic.problems.Data("mine", ((0.0, 0.0), (1.0, 1.0)), y)
        return census_of(tmp_path / name, study=Study(rows, "sgd", 4, threshold=0.3))

    one, other = of("one", (0.0, 1.0)), of("other", (1.0, 1.0))
    with pytest.raises(InputError, match="different data by one name, 'mine'"):
        select([one, other])


@pytest.mark.parametrize("how", [{"where": "C > 0"}, {"threshold": 1e-3}])
def test_what_needs_every_run_says_so(whole, how):
    with pytest.raises(InputError, match="needs every run, so name studies that keep rows"):
        select(whole, **how)
    with pytest.raises(InputError, match="needs every run, so name studies that keep rows"):
        select(whole).table()


def test_it_says_how_many_rows_it_keeps(tmp_path, monkeypatch, type_in):
    for module in (census, census_counts):
        monkeypatch.setattr(module, "MOST_ROWS", 3)
    found = census_of(tmp_path / "census", keep_rows=WHERE)
    rows, matching = kept_rows(found)
    assert len(rows) < matching
    about = json.loads(type_in("info", found.directory, "--format", "json")[1])
    assert (about["keep"], about["keep_rows"]) == ("tally", WHERE)
    assert (about["rows_kept"], about["matching"]) == (len(rows), matching)
    said = f"keeps a tally, and {len(rows)} of the {matching} runs where {WHERE}"
    assert said in type_in("runs", found.directory)[2]


# --- the page -------------------------------------------------------------------------------------


def test_the_page_has_counts_and_the_rows_that_are_kept(tmp_path):
    asked = Study("xor", ["adam", "adamw"], seeds=80, epochs=60)
    runs = attnlogic.run(
        asked, out=tmp_path / "census", progress=False, keep="tally", keep_rows="C < -0.01"
    )
    rows, matching = kept_rows(runs)
    assert 0 < len(rows) < len(runs)
    text, found = page_of(runs)
    assert "counted in bins" in section_text(text, "asked")
    assert "needs every run" in section_text(text, "basins")
    assert f"The study keeps {len(rows)} of the {matching} runs where C < -0.01" in section_text(
        text, "runs"
    )
    block = next(json.loads(content) for kind, content in found.scripts if kind)
    assert sorted(block["columns"]["seed"]) == sorted(rows["seed"])
    assert "prints every run that is kept" in section_text(text, "runs")
    assert "<svg" in text[text.index('id="losses"') :]


@pytest.mark.parametrize("where", [None, "wq > 99"])
def test_without_rows_the_page_has_no_single_runs(tmp_path, where):
    text, found = page_of(census_of(tmp_path / "census", keep_rows=where))
    assert "only a tally of these is kept" in section_text(text, "runs")
    assert "Only a tally of these runs is kept" in section_text(text, "losses")
    assert len(found.scripts) == 1  # no choice
    assert "Shares of runs that reached" in section_text(text, "summary")


# --- commands -------------------------------------------------------------------------------------


def test_commands_take_a_census_as_they_take_rows(type_in, tmp_path):
    words = ["xor", "-o", "polyak", "--seeds", "0:300", "--epochs", "300"]
    where = ["--keep-rows", "first_hit < 120"]
    code, out, _ = type_in("study", *words, "--keep", "tally", *where, "--out", tmp_path / "census")
    assert code == 0
    code, summed, _ = type_in("study", *words, "--out", tmp_path / "rows")
    assert (code, summed) == (0, out)
    for command in ("endings", "times", "verify", "info"):
        assert type_in(command, tmp_path / "census")[0] == 0, command
    columns = ["--columns", "seed,first_hit"]
    code, kept, err = type_in("runs", tmp_path / "census", *columns)
    assert code == 0
    assert "of the " in err
    assert "where first_hit < 120" in err
    _, expected, _ = type_in("runs", tmp_path / "rows", "--where", "first_hit < 120", *columns)
    assert kept == expected
    code, _, err = type_in("curvature", tmp_path / "census")
    assert code == 2
    assert "needs every run" in err
