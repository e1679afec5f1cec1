"""Merged studies: the runs of all, each once, in a study like any other."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import synthetic
from polars.testing import assert_frame_equal
from synthetic import rows

import attnlogic
from attnlogic.errors import InputError
from attnlogic.results import CONDITION, load, merge, verify
from attnlogic.results.choosing import merging as module
from attnlogic.results.store.description import sealed, write_description
from attnlogic.results.store.lock import locked

BY = [*CONDITION, "seed"]


def study(top, name, *parts):
    return synthetic.study(top / name, *parts)


def one_study_of(tmp_path, *studies):
    found = merge(studies, tmp_path / "merged")
    assert load(found.directory).unread == ()
    _, unread = verify(found)
    assert unread == ()
    return found


@pytest.mark.parametrize("at_once", [2**18, 7])
def test_it_has_every_run_of_all_once(tmp_path, monkeypatch, at_once):
    """Other seeds, other conditions, an overlap that agrees; whatever is in memory at once."""
    monkeypatch.setattr(module, "ROWS_IN_MEMORY", at_once)
    monkeypatch.setattr("attnlogic.results.store.runs.ROWS_AT_ONCE", at_once)
    monkeypatch.setattr("attnlogic.results.choosing.selection.ROWS_READ_AT_ONCE", at_once)
    a = study(tmp_path, "a", rows("xor", "adam", range(30)), rows("nand", "sgd", range(5)))
    b = study(tmp_path, "b", rows("or", "polyak", range(20)), rows("xor", "adam", range(20, 50)))
    c = study(tmp_path, "c", rows("xor", "adam", range(80, 90)))
    found = one_study_of(tmp_path, a, b, c)
    expected = pl.concat(
        [
            rows("xor", "adam", [*range(50), *range(80, 90)]), rows("nand", "sgd", range(5)),
            rows("or", "polyak", range(20)),
        ]
    )  # fmt: skip
    assert_frame_equal(found.table().select(expected.columns), expected)
    assert len(found) == found.asked == 85
    assert found.seeds == ((0, 50), (80, 90))
    for statistic in (attnlogic.summary, attnlogic.ladder, attnlogic.basins):
        assert_frame_equal(statistic(found), statistic([a, b, c]))


@pytest.mark.parametrize("first", ["a", "b"])
def test_a_run_that_differs_is_named_and_nothing_is_made(tmp_path, monkeypatch, first):
    """Also where the conditions before would be written at once."""
    monkeypatch.setattr(module, "ROWS_IN_MEMORY", 1)
    whole = rows("xor", "adam", range(40))
    other = whole.with_columns(
        wq=pl.when(pl.col("seed") >= 33).then(pl.col("wq") + 1).otherwise("wq")
    )
    sound = whole["wq"].is_not_null() & (whole["seed"] >= 33)
    seed = whole.filter(sound)["seed"][0]
    a = study(tmp_path, "a", rows("nand", "adam", range(9)), whole[:37])
    b = study(tmp_path, "b", rows("or", "adam", range(9)), other)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match=f"xor · adam: seed {seed} is there twice and differs: wq"):
        merge([a, b] if first == "a" else [b, a], tmp_path / "new")
    assert sorted(tmp_path.rglob("*")) == before


def test_studies_that_are_not_of_one_kind_are_refused(tmp_path):
    a = study(tmp_path, "a", rows("xor", "adam", range(9)))
    others = {
        "threshold is 0.0001 and 0.01": rows("xor", "adam", range(9), threshold=1e-2),
        "precision is float32 and float64": rows("xor", "sgd", range(9), "float64"),
        "until is budget and hit": rows("xor", "sgd", range(9), until="hit"),
    }
    for says, part in others.items():
        other = study(tmp_path, says.split()[0], part)
        with pytest.raises(InputError, match=f"not of one kind: {says}"):
            merge([a, other], tmp_path / "new")
    with pytest.raises(InputError, match="two studies at least"):
        merge([a], tmp_path / "new")
    with pytest.raises(InputError, match="a' is one of the studies: name another folder"):
        merge([a, a], tmp_path / "a")
    b = study(tmp_path, "b", rows("or", "adam", range(9)))
    with pytest.raises(InputError, match="b' holds another study than these make"):
        merge([a, a], b.directory)
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").touch()
    with pytest.raises(InputError, match="used' is not empty, and holds no study"):
        merge([a, b], tmp_path / "used")
    assert not (tmp_path / "new").exists()


def test_conditions_of_the_same_settings_and_other_code_are_refused(tmp_path):
    a = study(tmp_path, "a", rows("xor", "adam", range(9)))
    b = study(tmp_path, "b", rows("xor", "adam", range(9, 18)))
    b.description["conditions"][0]["digest"] = "0" * 32
    with pytest.raises(InputError, match="xor · adam is not the same in all studies: the code"):
        merge([a, b], tmp_path / "new")


def test_a_study_of_an_earlier_version_is_not_merged(tmp_path):
    old = load(Path(__file__).parent / "data" / "first_format")
    with pytest.raises(InputError, match="was written by an earlier version"):
        merge([old, old], tmp_path / "new")


@pytest.fixture
def halves(tmp_path):
    """A study in two: other seeds of one gate, and another gate."""
    how = {"optimizers": ["adam", "adam(lr=0.01)"], "epochs": 30}
    asked = [
        attnlogic.Study("xor", seeds=range(6), **how),
        attnlogic.Study(["xor", "or"], seeds=range(4, 9), **how),
    ]
    return [
        attnlogic.run(one, out=tmp_path / f"{k}", progress=False) for k, one in enumerate(asked)
    ]


@pytest.mark.parametrize("name", ["gate", "optimizer", "init", "model", "encoding"])
def test_a_digest_of_other_settings_is_refused(tmp_path, halves, name):
    """A description that somebody has changed, with a checksum that fits."""
    one, other = halves
    said = json.loads(json.dumps(one.description))
    said["conditions"][0][name] = "x"
    write_description(one.directory, sealed(said))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match=r"description of .* gives the digest .* to other"):
        merge([load(one.directory), other], tmp_path / "merged")
    assert sorted(tmp_path.iterdir()) == before


def test_a_merged_study_goes_on_like_any_other(tmp_path, halves):
    """What is missing is trained, what is there is not; the rows are those of one study."""
    merged = one_study_of(tmp_path, *halves)
    assert len(merged) == 2 * (9 + 5)
    before = {path: path.read_bytes() for path in merged.part_files()}
    whole = attnlogic.Study(["xor", "or"], ["adam", "adam(lr=0.01)"], seeds=range(9), epochs=30)
    found = attnlogic.run(whole, out=merged.directory, extend=True, progress=False)
    once = attnlogic.run(whole, out=tmp_path / "once", progress=False)
    assert_frame_equal(found.table().sort(BY), once.table().sort(BY))
    assert all(path.read_bytes() == content for path, content in before.items())


def killed_at(folder, studies, at):
    """Merge in a process that kills itself at a touch of a file; whether it came so far."""
    here = Path(__file__).parent
    command = [sys.executable, str(here / "merger.py"), str(folder), str(at), *map(str, studies)]
    code = subprocess.run(command, timeout=60).returncode
    assert code in (0, -signal.SIGKILL)
    return code != 0


@pytest.mark.parametrize("at", [1, 2, 3, 5, 8, 11, 14, 17])
def test_a_merge_that_was_killed_goes_on(tmp_path, at):
    a = study(tmp_path, "a", rows("xor", "adam", range(30)), rows("nand", "sgd", range(5)))
    b = study(tmp_path, "b", rows("xor", "adam", range(20, 40)), rows("or", "sgd", range(9)))
    assert killed_at(tmp_path / "merged", [a.directory, b.directory], at)
    found = one_study_of(tmp_path, a, b)
    assert len(found) == found.asked == 40 + 5 + 9
    assert_frame_equal(found.table(), merge([a, b], tmp_path / "undisturbed").table())
    before = {path: path.read_bytes() for path in found.part_files()}
    assert merge([a, b], found.directory).part_files() == [*before]
    assert all(path.read_bytes() == content for path, content in before.items())


def test_a_merge_into_a_folder_that_another_process_fills_is_refused(tmp_path):
    a = study(tmp_path, "a", rows("xor", "adam", range(9)))
    b = study(tmp_path, "b", rows("or", "adam", range(9)))
    merged = merge([a, b], tmp_path / "merged")
    with locked(merged.directory), pytest.raises(InputError, match=r"is writing to '.*merged'"):
        merge([a, b], merged.directory)


def test_the_command(type_in, tmp_path, halves):
    one, other = (runs.directory for runs in halves)
    out = tmp_path / "a b"
    code, printed, err = type_in("merge", one, other, "-o", out)
    assert (code, printed) == (0, "")
    assert err == f"28 runs in {out}: attnlogic summary '{out}'\n"
    assert type_in("verify", out)[0] == 0
    assert type_in("merge", one, other, "-o", out) == (0, "", err)  # the same again
    part = halves[1].part_files()[0]
    part.write_bytes(part.read_bytes()[:-9])
    code, _, err = type_in("merge", one, other, "-o", tmp_path / "new")
    assert code == 3  # what was not read is missing
    assert f"not read: {part}" in err.replace("'", "")
    assert "run the same command again for the rest" in err
