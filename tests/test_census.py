"""A census: tallies on disk in place of rows, resumed and verified like rows."""

import polars as pl
import pytest
from abacus import SMALL, Abacus, Counting, left, work
from polars.testing import assert_frame_equal

import attnlogic
from attnlogic.errors import InputError
from attnlogic.problems import SEED_LIMIT
from attnlogic.results import kept_rows, load, select, verify
from attnlogic.results.counts import census, census_counts
from attnlogic.studies import Study, collecting, run, seed_range

STUDY = Study(["xor", "nand"], ["sgd", "adam"], seeds=28, threshold=0.3)
WHERE = "status == 'solved' and wq > 0"


def census_of(out, backend=None, study=STUDY, **how):
    return work(out, backend, study, keep="tally", **how)


def assert_same_tally(found, expected):
    """Counts and seeds are the same; sums are but for rounding, since they are added otherwise."""
    assert {k: s for k, s in found.seeds.items() if s} == expected.seeds
    key = [name for name in expected.counts.columns if name not in ("total", "squares")]
    one, other = (tally.counts.sort(key, nulls_last=True) for tally in (found, expected))
    assert one.select(key).equals(other.select(key))
    for name in ("total", "squares"):
        a, b = one[name], other[name]
        # float64 sums of at most a few hundred numbers of one bin, which have one sign
        assert (((a - b).abs() <= 1e-12 * b.abs()) | a.eq_missing(b)).all()


@pytest.fixture
def rows(tmp_path):
    return work(tmp_path / "rows", study=STUDY)


def test_it_is_the_tally_of_the_rows(tmp_path, rows):
    found = census_of(tmp_path / "census")
    assert (len(found), found.asked) == (len(rows), rows.asked)
    assert_same_tally(select(found).tally(), attnlogic.tally(rows))
    for name, statistic in attnlogic.STATISTICS.items():
        if statistic.needs_rows:
            with pytest.raises(InputError, match="needs every run"):
                statistic(found)
        elif name != "sweep":  # no two conditions differ in one number alone
            # Sums of a few hundred float64 numbers, in another order.
            assert_frame_equal(statistic(found), statistic(attnlogic.tally(rows)), rel_tol=1e-12)


def test_beside_others_it_is_one_source(tmp_path, rows):
    some = census_of(tmp_path / "some", study=Study("xor", "sgd", 10, threshold=0.3))
    rest = work(tmp_path / "rest", study=Study("xor", "sgd", range(10, 28), threshold=0.3))
    both = select([some, rest]).tally()
    assert_same_tally(both, select(rows, gate="xor", optimizer="sgd").tally())


def test_many_parts_are_put_together(tmp_path, rows, often):
    found = census_of(tmp_path / "census")
    assert len(found.part_files()) < 2 * 4 * 2  # four of each set of conditions, of which few
    assert left(found.directory / "parts" / "000-sgd") == sorted(
        path.name for path in found.part_files() if path.parent.name == "000-sgd"
    )
    assert_same_tally(select(found).tally(), attnlogic.tally(rows))
    assert not verify(found)[1]


def test_parts_are_put_together_a_few_at_a_time(tmp_path, rows, often, monkeypatch):
    """So that a census of many parts takes no more memory than one of few."""
    sizes, at_once = [], census_counts._together

    def spy(several):
        sizes.append(len(several))
        return at_once(several)

    monkeypatch.setattr(census, "MOST_PARTS", 1000)
    monkeypatch.setattr(census_counts, "_together", spy)
    found = census_of(tmp_path / "census")
    sizes.clear()
    assert_same_tally(select(found).tally(), attnlogic.tally(rows))
    assert len(found.part_files()) > 2 * census_counts.AT_ONCE
    assert max(sizes) == census_counts.AT_ONCE
    sizes.clear()
    monkeypatch.setattr(census, "MOST_PARTS", 10)
    for folder in (found.directory / "parts").iterdir():
        census.put_together(found, folder.name)
    assert max(sizes) <= census_counts.AT_ONCE


@pytest.mark.parametrize("good", range(1, 40, 6))
def test_it_goes_on_where_it_was_interrupted(tmp_path, rows, often, good):
    with pytest.raises(KeyboardInterrupt):
        census_of(tmp_path / "census", Abacus(good=good, error=KeyboardInterrupt()))
    there = len(load(tmp_path / "census"))
    chunks = 2 * (2 * ([3] * 8 + [1]) + [3] * 2)  # of pieces of 25 runs, by optimizer
    assert there == sum(chunks[:good])
    counting = Counting()
    found = census_of(tmp_path / "census", counting)
    assert len(counting.trained) == len(rows) - there
    assert_same_tally(select(found).tally(), attnlogic.tally(rows))


def test_an_addition_made_twice_counts_once(tmp_path, rows, often, monkeypatch):
    """As if an interrupt had come right after it: it is made again."""
    add = collecting.Collector.add

    def twice(self, *what):
        add(self, *what)
        add(self, *what)

    monkeypatch.setattr(collecting.Collector, "add", twice)
    assert_same_tally(select(census_of(tmp_path / "census")).tally(), attnlogic.tally(rows))


@pytest.mark.parametrize("after", ["_write", "_afterwards"])
def test_an_interrupt_while_it_is_written_loses_and_doubles_nothing(
    tmp_path, rows, often, monkeypatch, after
):
    """It comes at the end of each step of the first writing, or within what follows it."""
    flush, done = collecting.Collector.flush, []

    def interrupted(self):
        step = getattr(self, after)

        def then(*what):
            step(*what)
            if not done:
                done.append(what)
                raise KeyboardInterrupt

        monkeypatch.setattr(self, after, then)
        flush(self)

    monkeypatch.setattr(collecting.Collector, "flush", interrupted)
    with pytest.raises(KeyboardInterrupt):
        census_of(tmp_path / "census")
    assert not load(tmp_path / "census").unread
    found = census_of(tmp_path / "census")
    assert_same_tally(select(found).tally(), attnlogic.tally(rows))


def test_parts_left_by_a_kill_while_they_were_put_together_are_passed_over(
    tmp_path, rows, often, monkeypatch
):
    with monkeypatch.context() as patch:
        real = census.write_counted

        def write(*what):
            real(*what)
            if len(what) > 3:
                raise MemoryError

        patch.setattr(census, "write_counted", write)
        with pytest.raises(MemoryError):
            census_of(tmp_path / "census")
    there = load(tmp_path / "census")
    assert there.inventory().replaced
    assert not there.unread
    found = census_of(tmp_path / "census")
    assert not found.inventory().replaced
    assert_same_tally(select(found).tally(), attnlogic.tally(rows))


def test_a_damaged_part_is_trained_again(tmp_path, rows, often):
    found = census_of(tmp_path / "census")
    path = found.part_files()[0]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.warns(UserWarning, match="damaged"):
        assert len(load(tmp_path / "census")) < len(rows)
    counting = Counting()
    found = census_of(tmp_path / "census", counting)
    assert 0 < len(counting.trained) < len(rows)
    assert_same_tally(select(found).tally(), attnlogic.tally(rows))


# --- rows that are kept ---------------------------------------------------------------------------


def test_rows_that_match_are_kept(tmp_path, rows, often):
    found = census_of(tmp_path / "census", keep_rows=WHERE)
    kept, matching = kept_rows(found)
    expected = select(rows, where=WHERE).table()
    assert len(kept) == matching == len(expected) > 0
    assert kept.select(expected.columns).equals(expected)


def test_of_too_many_those_of_the_lowest_seeds_are_kept(tmp_path, rows, often, monkeypatch):
    monkeypatch.setattr(census_counts, "MOST_ROWS", 3)
    kept, matching = kept_rows(census_of(tmp_path / "census", keep_rows=WHERE))
    expected = select(rows, where=WHERE).table()
    lowest = pl.concat([part.head(3) for part in expected.partition_by("gate", "optimizer")])
    assert matching == len(expected)
    assert kept.equals(lowest)


def test_without_an_expression_there_are_none(tmp_path):
    found = census_of(tmp_path / "census")
    with pytest.raises(InputError, match="--keep-rows"):
        kept_rows(found)
    with pytest.raises(InputError, match="keeps a tally and no rows"):
        found.table()


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"keep": "tallies"}, "did you mean 'tally'"),
        ({"keep_rows": WHERE}, "every row is kept"),
        ({"keep": "tally", "keep_rows": "wx > 0"}, "unknown column 'wx'"),
        ({"keep": "tally", "keep_rows": "wq + 1"}, "true or false"),
    ],
)
def test_bad_input_is_refused_before_anything_is_made(tmp_path, how, message):
    with pytest.raises(InputError, match=message):
        work(tmp_path / "study", **how)
    assert left(tmp_path) == []


def test_a_folder_of_rows_is_not_gone_on_with_as_a_census(tmp_path):
    work(tmp_path / "study")
    with pytest.raises(InputError, match="keep: rows there, tally asked for"):
        census_of(tmp_path / "study", study=SMALL)
    census_of(tmp_path / "census", study=SMALL)
    with pytest.raises(InputError, match="keep: tally there, rows asked for"):
        work(tmp_path / "census")
    with pytest.raises(InputError, match="keep_rows: none there"):
        census_of(tmp_path / "census", study=SMALL, keep_rows=WHERE)


def test_without_a_folder_rows_and_tallies_are_two_studies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    one, other = work(None), census_of(None, study=SMALL)
    assert one.directory != other.directory
    assert census_of(None, study=SMALL).directory == other.directory


def test_all_seeds_are_those_of_32_bits():
    assert seed_range("all") == range(SEED_LIMIT) == Study("xor", "adam", "all").seeds


def test_a_census_by_jax(tmp_path):
    study = Study("xor", ["sgd", "polyak"], seeds=2000, epochs=60)
    rows = run(study, out=tmp_path / "rows", progress=False)
    found = run(study, out=tmp_path / "census", progress=False, keep="tally")
    assert_same_tally(select(found).tally(), attnlogic.tally(rows))
