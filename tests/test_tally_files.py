"""A tally's file: what it counted, in words; and what is refused of it."""

import io
import json
import math

import polars as pl
import pytest
from abacus import work
from synthetic import rows

import attnlogic
from attnlogic.errors import InputError
from attnlogic.outcomes import STATUSES
from attnlogic.results import CONDITION, Tally
from attnlogic.results.counts.tallies import FORMAT
from attnlogic.results.rows.count_columns import COUNTS
from attnlogic.results.rows.quantities import GROUPS, KEPT, QUANTITIES
from attnlogic.results.store.stamped import write_stamped
from attnlogic.statistics import STATISTICS
from attnlogic.studies import Study

ROWS = rows("xor", "polyak", range(40))


@pytest.fixture
def path(tmp_path):
    """A tally's file."""
    file = tmp_path / "tally.parquet"
    attnlogic.tally(ROWS).write(file)
    return file


def metadata(path):
    return pl.read_parquet_metadata(path)


def about(path):
    return json.loads(metadata(path)["attnlogic"])


def spans(tally):
    (ranges,) = tally.seeds.values()
    return [*ranges]


# --- what it counted ----------------------------------------------------------------------------


def test_it_says_which_seeds_of_which_conditions_it_counted(path):
    said = about(path)
    assert said["tally"] == FORMAT
    (one,) = said["conditions"]
    assert one.pop("seeds") == [[0, 40]]
    assert one == ROWS.select(*CONDITION).row(0, named=True)


def test_adjacent_seeds_join_and_gaps_stay():
    first, second, third = (
        attnlogic.tally(rows("xor", "adam", seeds))
        for seeds in (range(10), range(10, 30), range(50, 60))
    )
    assert spans(third + first + second) == [(0, 30), (50, 60)]
    scattered = rows("xor", "adam", range(20)).filter(pl.col("seed").is_in([3, 4, 5, 9]))
    assert spans(attnlogic.tally(scattered.sample(4, shuffle=True, seed=1))) == [(3, 6), (9, 10)]


@pytest.mark.parametrize(
    ("one", "other", "seed"),
    [
        (range(64), range(10, 80), 10),
        (range(10, 80), range(64), 10),
        (range(5), range(5), 0),
        (range(100), range(30, 40), 30),
        (range(30, 40), range(100), 30),
        (range(9), range(8, 20), 8),
    ],
)
def test_tallies_that_share_a_run_do_not_add(one, other, seed):
    a, b = (attnlogic.tally(rows("xor", "adam", seeds)) for seeds in (one, other))
    with pytest.raises(InputError, match=f"xor · adam: seed {seed} would count twice"):
        a + b


def test_the_same_seeds_of_other_conditions_are_other_runs():
    frames = [
        rows("xor", "adam", range(9)), rows("or", "adam", range(9)),
        rows("xor", "sgd", range(9)), rows("xor", "adam", range(9), threshold=1e-2),
        rows("xor", "adam", range(9), epochs=70), rows("xor", "adam", range(9), "float64"),
        rows("xor", "adam", range(9), until="hit"),
    ]  # fmt: skip
    total = Tally.total(map(attnlogic.tally, frames))
    assert repr(total) == "Tally(63 runs of 7 conditions)"
    with pytest.raises(InputError, match="seed 0"):
        total + attnlogic.tally(frames[3])


def test_a_run_that_a_frame_has_twice_is_refused():
    with pytest.raises(InputError, match="xor · polyak has seed 7 more than once"):
        attnlogic.tally(pl.concat([ROWS, ROWS[7:8]]))
    with pytest.raises(InputError, match=r"seed.*got None"):
        attnlogic.tally(ROWS.with_columns(seed=pl.lit(None, pl.UInt32)))


# --- words, and values that are not there -------------------------------------------------------


def test_what_is_no_number_is_counted_in_words(path):
    counts = pl.read_parquet(path)
    for quantity, column in (("status", "status"), ("ending", None), ("signs", None)):
        there = counts.filter(pl.col("quantity") == quantity, pl.col("word").is_not_null())
        assert {*there["word"]} <= {*QUANTITIES[quantity].words}
        assert there["bin"].null_count() == len(there)
        if column:
            by_hand = dict(ROWS[column].cast(pl.String).value_counts().rows())
            assert dict(there.select("word", "count").rows()) == by_hand
            assert {*by_hand} == {*STATUSES}
    numbers = counts.filter(~pl.col("quantity").is_in(["status", "ending", "signs"]))
    assert numbers["word"].null_count() == len(numbers)


def test_the_counts_of_a_quantity_add_up_to_its_group(path):
    """Runs that have no value are counted, too: none is not the same as not counted."""
    counts = pl.read_parquet(path)
    for group, names in KEPT.items():
        members = ROWS.filter(GROUPS[group])
        for name in names:
            of = counts.filter((pl.col("group") == group) & (pl.col("quantity") == name))
            assert of["count"].sum() == len(members), (group, name)
            none = of.filter(pl.col("bin").is_null() & pl.col("word").is_null())
            assert len(none) == 1
            if name in ROWS.columns:
                assert none["count"].item() == members[name].null_count()


@pytest.mark.parametrize(("group", "quantity"), [("reached", "first_hit"), ("all", "status")])
def test_a_quantity_that_was_not_counted_is_no_zero(path, group, quantity):
    tally = Tally.read(path)
    lacks = tally.counts.filter((pl.col("group") != group) | (pl.col("quantity") != quantity))
    with pytest.raises(InputError, match=f"this tally lacks '{quantity}'"):
        STATISTICS["summary"](Tally(lacks, tally.seeds))


def test_a_word_of_a_later_version_is_refused(path):
    tally = Tally.read(path)
    renamed = tally.counts.with_columns(pl.col("word").replace("lost", "strayed"))
    with pytest.raises(InputError, match="status 'strayed' that this version does not know"):
        STATISTICS["summary"](Tally(renamed, tally.seeds))


@pytest.mark.parametrize("lacking", [(), ("wq", "wq_initial"), ("C", "C_initial", "C_first_hit")])
@pytest.mark.parametrize("name", [name for name in STATISTICS if name != "sweep"])
def test_rows_and_tally_have_the_same_counts_and_the_same_gaps(name, lacking):
    """Also of a model that lacks a parameter or C, of which nothing is known to be 0."""
    statistic = STATISTICS[name]
    model = "attention(scores=softmax)" if "C" in lacking else "attention"
    frame = rows("nand", "adam", range(60), model=model)
    frame = frame.drop(lacking, strict=False)
    if statistic.needs_rows:
        with pytest.raises(InputError, match="needs every run"):
            statistic(attnlogic.tally(frame))
        return
    exact, tallied = statistic(frame), statistic(attnlogic.tally(frame))
    assert exact.select(pl.all().is_null()).equals(tallied.select(pl.all().is_null()))
    whole = [c.name for c in statistic.columns if c.type is not float]
    if name != "starts":
        assert exact[whole].equals(tallied[whole])
    if name == "solutions":
        assert exact["signs_+++"].null_count() == ("wq" in lacking)


# --- what is refused ----------------------------------------------------------------------------


def test_no_flipped_byte_is_read(path):
    """Wherever it is, the file is refused by its name, or the flip changed no value."""
    whole, tally = path.read_bytes(), Tally.read(path)
    read = 0
    for place in range(0, len(whole), 41):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        try:
            found = Tally.read(path)
        except InputError as error:
            assert str(path) in str(error)  # noqa: PT017
        else:
            read += 1
            assert found.counts.equals(tally.counts)
            assert found.seeds == tally.seeds
    assert read < len(whole) / 41 / 2


def test_other_seeds_in_its_metadata_are_damage(path):
    counts, said = pl.read_parquet(path), metadata(path)
    said["attnlogic"] = said["attnlogic"].replace("[0, 40]", "[0, 30]")
    counts.write_parquet(path, metadata={k: said[k] for k in ("attnlogic", "sha256")})
    with pytest.raises(InputError, match=r"tally.parquet' is damaged"):
        Tally.read(path)


def test_a_tally_of_an_earlier_version_is_refused(path):
    earlier = pl.read_parquet(path).drop("word")
    earlier.write_parquet(path)
    with pytest.raises(InputError, match=r"tally of an earlier version.*count the runs again"):
        Tally.read(path)


def test_a_tally_of_a_later_version_is_refused(path, monkeypatch):
    monkeypatch.setattr("attnlogic.results.counts.tallies.FORMAT", 99)
    monkeypatch.setattr("attnlogic.results.counts.tallies.__version__", "9.0")
    attnlogic.tally(ROWS).write(path)
    monkeypatch.undo()
    with pytest.raises(InputError, match=rf"format 99, and this version reads {FORMAT}.*9\.0"):
        Tally.read(path)


def test_another_reader_sees_its_columns(path):
    table = pl.read_parquet(io.BytesIO(path.read_bytes()))
    assert dict(table.schema) == COUNTS


FORGED = {
    "seeds": lambda counts, one: (counts, one | {"seeds": [[0, 30]]}),
    "no seeds": lambda counts, one: (counts, {k: v for k, v in one.items() if k != "seeds"}),
    "seeds of a wrong type": lambda counts, one: (counts, one | {"seeds": "0:40"}),
    "seeds beyond all": lambda counts, one: (counts, one | {"seeds": [[-40, 0]]}),
    "seeds in threes": lambda counts, one: (counts, one | {"seeds": [[0, 40, 41]]}),
    "another condition": lambda counts, one: (counts, one | {"gate": "nand"}),
    "a list as a gate": lambda counts, one: (counts, one | {"gate": ["xor"]}),
    "a condition without a gate": lambda counts, one: (counts, {"seeds": one["seeds"]}),
    "no object": lambda counts, one: (counts, 3),
    "another column": lambda counts, one: (counts.with_columns(x=1), one),
    "a column less": lambda counts, one: (counts.drop("total"), one),
    "another type": lambda counts, one: (counts.cast({"count": pl.Int32}), one),
    "half": lambda counts, one: (counts.filter(pl.col("quantity") != "status"), one),
    "less than none": lambda counts, one: (counts.with_columns(count=-pl.col("count")), one),
    **{
        f"{name} {value}": lambda counts, one, name=name, value=value: (
            counts.with_columns(
                pl.when(pl.col("bin").is_not_null())
                .then(pl.lit(value, COUNTS[name]))
                .otherwise(pl.col(name))
                .alias(name)
            ),
            one,
        )
        for name in ("bin", "total", "squares")
        for value in (math.nan, None)
        if (name, value) != ("bin", None)
    },
    "bins of no run": lambda counts, one: (
        counts.with_columns(count=pl.when(pl.col("bin").is_null()).then("count").otherwise(0)),
        one,
    ),
    "no counts": lambda counts, one: (
        counts.with_columns(count=pl.lit(None, pl.Int64)),
        one,
    ),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=[*FORGED])
def test_what_does_not_fit_together_is_refused_whatever_its_digest(path, forge):
    counts, one = forge(Tally.read(path).counts, about(path)["conditions"][0])
    write_stamped(path, counts, about(path) | {"conditions": [one]})
    with pytest.raises(InputError, match=f"'{path}' is no tally as attnlogic writes them"):
        Tally.read(path)


@pytest.mark.parametrize("keep", ["rows", "tally"])
def test_a_part_of_a_study_is_no_tally(tmp_path, keep):
    runs = work(tmp_path / "study", study=Study("xor", "sgd", seeds=8), keep=keep)
    (part,) = runs.part_files()
    with pytest.raises(InputError, match=f"'{part}' is no tally"):
        Tally.read(part)


def test_a_tally_and_something_else_do_not_add(path):
    with pytest.raises(TypeError, match="unsupported operand"):
        Tally.read(path) + 3
