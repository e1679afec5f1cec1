"""Runs of several sources, all or some: each run counts once, and what is asked is what is told."""

import shutil
from pathlib import Path

import polars as pl
import pytest
import synthetic
from polars.testing import assert_frame_equal
from synthetic import rows

import attnlogic
from attnlogic.errors import InputError
from attnlogic.results import CONDITION, select
from attnlogic.results.choosing.shared_runs import each_once
from attnlogic.results.store import runs as store_module
from attnlogic.statistics import STATISTICS

PARTS = {
    "a": [rows("xor", "adam", range(40)), rows("nand", "sgd(lr=50)", range(30))],
    "b": [rows("xor", "adam", range(20, 70)), rows("xor", "adam(lr=0.1)", range(30))],
    "c": [rows("or", "polyak", range(25), threshold=1e-2)],
}
ONCE = pl.concat(
    [rows("xor", "adam", range(70)), PARTS["a"][1], PARTS["b"][1], PARTS["c"][0]],
    how="diagonal_relaxed",
)
"""The runs of all three, each once, in the order in which conditions and seeds come."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    top = tmp_path_factory.mktemp("studies")
    return {name: synthetic.study(top / name, *parts).directory for name, parts in PARTS.items()}


@pytest.fixture(scope="module")
def several(folders):
    return [*folders.values()]


def without_hyperparameters(frame):
    return frame.select(ONCE.columns)


@pytest.mark.parametrize("at_once", [None, 1])
def test_a_run_that_two_studies_have_counts_once(several, monkeypatch, at_once):
    """However much is in memory at once: with 1, every condition is read lazily."""
    if at_once:
        monkeypatch.setattr(store_module, "ROWS_AT_ONCE", at_once)
    assert_frame_equal(without_hyperparameters(select(several).table()), ONCE)


@pytest.mark.parametrize("name", [name for name in STATISTICS if name != "sweep"])
def test_every_statistic_takes_several(several, name):
    statistic = STATISTICS[name]
    expected = statistic(ONCE)
    assert_frame_equal(statistic(several), expected)
    mixed = [several[0], attnlogic.load(several[1]), PARTS["c"][0].lazy()]
    assert_frame_equal(statistic(mixed), expected)
    assert_frame_equal(statistic(select(several)), expected)


def test_conditions_are_those_with_equal_settings_whatever_the_order(several):
    backwards = select(several[::-1]).table()
    by = [*CONDITION, "seed"]
    assert_frame_equal(without_hyperparameters(backwards).sort(by), ONCE.sort(by))


def test_compare_pairs_conditions_of_different_studies(several):
    """Against the two samples side by side, by hand."""
    one, other = PARTS["a"][0], rows("xor", "sgd", range(35))
    found = attnlogic.compare([one, other]).filter(measure="solved").row(0, named=True)
    pairs = one.join(other, on="seed", suffix="_b")
    a, b = pairs["status"] == "solved", pairs["status_b"] == "solved"
    assert found["pairs"] == len(pairs) == 35
    assert (found["only_a"], found["only_b"]) == ((a & ~b).sum(), (b & ~a).sum())


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("column", ["final_loss", "status", "first_hit", "wq", "C_initial"])
def test_studies_that_disagree_are_refused_by_condition_and_first_seed(column, lazy):
    one = rows("xor", "adam", range(40))
    kind = one.schema[column]
    other = pl.lit("diverged" if column == "status" else 12345, kind)
    changed = pl.col("seed").is_in([33, 37])
    differs = one.with_columns(pl.when(changed).then(other).otherwise(column).alias(column))
    differs = differs.filter(pl.col("seed") >= 10)
    parts = [part.lazy() if lazy else part for part in (one, differs)]
    with pytest.raises(InputError, match=f"xor · adam: seed 33 is there twice.*{column}"):
        each_once(parts)
    if not lazy:
        with pytest.raises(InputError, match="seed 33"):
            attnlogic.summary([one, differs])


def test_what_is_null_or_nan_in_both_is_the_same(tmp_path):
    one = rows("xor", "adam", range(60))
    assert one.null_count().sum_horizontal().item() > 0
    assert_frame_equal(each_once([one, one, one]), one)
    null = one.with_columns(pl.lit(None, one.schema["final_loss"]).alias("final_loss"))
    with pytest.raises(InputError, match="seed 0"):
        each_once([one, null])


# --- tallies ------------------------------------------------------------------------------------


def test_folders_and_tallies_add_up(folders):
    tally = attnlogic.tally(PARTS["c"][0])
    expected = attnlogic.summary(ONCE)["runs", "reached", "solved", "held"]
    found = attnlogic.summary([folders["a"], folders["b"], tally])
    # Tallies come first.
    assert_frame_equal(found["runs", "reached", "solved", "held"][[1, 2, 3, 0]], expected)
    assert repr(attnlogic.tally([*folders.values()])) == repr(attnlogic.tally(ONCE))


def test_a_run_of_a_folder_that_a_tally_has_counted_is_refused(folders):
    with pytest.raises(InputError, match="xor · adam: seed 20 would count twice"):
        attnlogic.summary([folders["a"], attnlogic.tally(PARTS["b"][0])])


def test_a_tally_of_lazy_conditions_is_that_of_their_rows(folders, monkeypatch):
    monkeypatch.setattr(store_module, "ROWS_AT_ONCE", 1)
    monkeypatch.setattr("attnlogic.results.choosing.selection.ROWS_READ_AT_ONCE", 7)
    monkeypatch.setattr("attnlogic.results.choosing.selection.ROWS_AT_ONCE", 4)
    tally, expected = attnlogic.tally(select([*folders.values()])), attnlogic.tally(ONCE)
    assert tally.seeds == expected.seeds
    counts = [one.counts.drop("total", "squares") for one in (tally, expected)]
    assert_frame_equal(*counts, check_row_order=False)


def test_a_tally_file_is_a_source(folders, tmp_path):
    attnlogic.tally(ONCE).write(tmp_path / "t.parquet")
    assert attnlogic.endings(tmp_path / "t.parquet").equals(attnlogic.endings(ONCE))
    assert attnlogic.endings(str(tmp_path / "t.parquet")).equals(attnlogic.endings(ONCE))


# --- which conditions ---------------------------------------------------------------------------

CHOSEN = {
    "a gate": ({"gate": "xor"}, pl.col("gate") == "xor"),
    "a gate's bits": ({"gate": "0110"}, pl.col("gate") == "xor"),
    "two gates": ({"gate": ["or", "NAND"]}, pl.col("gate").is_in(["or", "nand"])),
    "an optimizer": ({"optimizer": "adam"}, pl.col("optimizer").str.starts_with("adam")),
    "its defaults": ({"optimizer": "adam()"}, pl.col("optimizer") == "adam"),
    "its settings": ({"optimizer": "adam(lr=1e-1)"}, pl.col("optimizer") == "adam(lr=0.1)"),
    "both": (
        {"gate": "xor", "optimizer": ["adam(lr=0.1)", "sgd"]},
        (pl.col("gate") == "xor") & (pl.col("optimizer") == "adam(lr=0.1)"),
    ),
    "a model": ({"model": "attention"}, pl.lit(True)),
}


@pytest.mark.parametrize(("asked", "expected"), CHOSEN.values(), ids=CHOSEN)
def test_conditions_are_chosen_by_their_names(several, asked, expected):
    found = select(several, **asked)
    assert_frame_equal(without_hyperparameters(found.table()), ONCE.filter(expected))
    tallied = attnlogic.summary(select(attnlogic.tally(ONCE), **asked))
    assert_frame_equal(
        tallied["gate", "optimizer", "runs"],
        attnlogic.summary(ONCE.filter(expected))["gate", "optimizer", "runs"],
    )
    for text in asked.values():
        assert (text if isinstance(text, str) else text[0]) in found.note


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"gate": "xro"}, "unknown gate of these runs 'xro': did you mean 'xor'.*nand, or, xor"),
        ({"gate": "and"}, "unknown gate of these runs 'and'"),
        ({"optimizer": "adan"}, r"'adan': did you mean 'adam'.*sgd\(lr=50\)"),
        ({"optimizer": "adam(lr=0.2)"}, "unknown optimizer of these runs"),
        ({"optimizer": "os:system('x')"}, "unknown optimizer of these runs"),
        ({"model": "mlp"}, "unknown model of these runs 'mlp'.*attention"),
        ({"gate": 3}, "gate: expected a name or a list of some, got 3"),
        ({"model": ["attention", None]}, "model: expected a name or a list of some, got None"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(several, asked, says):
    for runs in (several, attnlogic.tally(ONCE)):
        with pytest.raises(InputError, match=says):
            select(runs, **asked)


# --- which rows ---------------------------------------------------------------------------------


def test_rows_are_chosen_by_an_expression(several):
    text = "status == 'lost' and C < -0.6"
    lost = ONCE.filter((pl.col("status") == "lost") & (pl.col("C") < -0.6))
    assert 0 < len(lost) < len(ONCE) / 4
    found = select(several, where=text)
    assert_frame_equal(without_hyperparameters(found.table()), lost)
    assert found.note == f"Only runs of: where {text}."
    for name, statistic in STATISTICS.items():
        if name not in ("compare", "sweep"):
            assert_frame_equal(statistic(found), statistic(lost))


def test_hyperparameters_that_a_study_lacks_are_null_there(several):
    """``f_min`` is Polyak's, which one study alone has trained."""
    found = select(several, where="f_min == 0 or lr > 1")
    assert {*found.table()["optimizer"]} == {"polyak", "sgd(lr=50)"}


def test_an_empty_selection_says_so(several):
    with pytest.raises(InputError, match=r"no run is left. Only runs of: gate or, where C > 1e30."):
        attnlogic.summary(select(several, gate="or", where="C > 1e30"))


def test_a_tally_has_no_rows_to_choose(folders):
    for runs in (attnlogic.tally(ONCE), [folders["a"], attnlogic.tally(PARTS["c"][0])]):
        with pytest.raises(InputError, match="where: a tally does not keep the values of single"):
            select(runs, where="C < 0")
    with pytest.raises(InputError, match="a tally counts whole conditions"):
        attnlogic.tally(select(folders["a"], where="C < 0"))


def test_other_rows_of_one_name_are_not_one_condition(folders, tmp_path):
    runs = [attnlogic.load(folders[name]) for name in "ab"]
    for one, target in zip(runs, (0.0, 1.0), strict=True):
        one.description["data"] = {"mine": {"inputs": [[0.0]], "targets": [target]}}
    with pytest.raises(InputError, match="different data by one name, 'mine'"):
        select(runs)


def test_other_code_of_one_name_is_not_one_condition(folders):
    """A model of a user's own is known by its name; its code may have changed since."""
    runs = [attnlogic.load(folders[name]) for name in "ab"]
    for one, code in zip(runs, ("0" * 32, "1" * 32), strict=True):
        one.description["kinds"][0]["code"] = code
    with pytest.raises(InputError, match="different code by one name, 'attention · adam'"):
        select(runs)


def test_bad_sources_are_refused(tmp_path):
    with pytest.raises(InputError, match="got none"):
        attnlogic.summary([])
    with pytest.raises(InputError, match="no study in"):
        attnlogic.summary(tmp_path)
    with pytest.raises(InputError, match="were selected before"):
        select(select(ONCE), gate="xor")
    with pytest.raises(InputError, match="basins needs every run"):
        attnlogic.basins(attnlogic.tally(ONCE))


def test_a_part_that_is_not_sound_is_left_out_and_named(tmp_path):
    one = synthetic.study(tmp_path / "one", PARTS["a"][0])
    other = synthetic.study(tmp_path / "other", PARTS["b"][0])
    (part,) = other.part_files()
    part.write_bytes(part.read_bytes()[:-200])
    with pytest.warns(UserWarning, match=f"not read: '?{part}"):
        found = attnlogic.summary([one.directory, other.directory])
    assert found["runs"].to_list() == [40]


def test_a_part_without_a_checksum_is_named_whichever_study_it_is_of(tmp_path):
    """Of earlier versions, whose parts are found to be damaged when they are read."""
    folder = tmp_path / "old"
    shutil.copytree(Path(__file__).parent / "data" / "first_format", folder)
    part = folder / "parts" / "000-xor-adam" / "0-3.parquet"
    part.write_bytes(part.read_bytes()[:-200])
    with pytest.raises(InputError, match=f"cannot read '{part}'"):
        attnlogic.summary([rows("xor", "sgd", range(3)), folder])
