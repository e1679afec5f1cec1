"""A study that grows, and one that is asked for without naming its folder."""

import json
import shutil
from itertools import product

import pytest
from abacus import Abacus, Counting, work
from test_resuming import OTHER, TWO

from attnlogic.errors import InputError
from attnlogic.results import load
from attnlogic.studies import Study, parts, pieces


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    monkeypatch.setattr(parts, "PART_ROWS", 1)
    monkeypatch.setattr(pieces, "RUNS_AT_ONCE", 8)


# --- more seeds and conditions -------------------------------------------------------------------


def grown(folder, *studies):
    for study in studies:
        runs = work(folder, Counting(), study, extend=folder.exists())
    return runs


def keys(runs):
    return {*runs.table().select("gate", "optimizer", "seed").iter_rows()}


def test_a_study_is_extended_by_seeds_gates_optimizers_and_models(tmp_path):
    steps = [
        Study("xor", "sgd", 4, threshold=0.3),
        Study("xor", "sgd", 6, threshold=0.3),
        Study(["xor", "nand"], "sgd", range(5, 9), threshold=0.3),
        Study("nand", ["adam", "sgd(lr=0.1)"], range(2, 5), threshold=0.3),
        Study("xor", "sgd", 3, threshold=0.3, models="linear"),
    ]
    runs = grown(tmp_path / "study", *steps)
    assert len(runs) == runs.asked == 6 + 3 + 4 + 3 + 3 + 3
    for step in steps:
        alone = work(tmp_path / "alone", study=step).table()
        mine = runs.table().select(alone.columns)
        assert mine.join(alone, on=alone.columns, how="semi", nulls_equal=True).height == len(alone)
        shutil.rmtree(tmp_path / "alone")
    assert not runs.unread
    # The conditions that were there have the numbers that they had.
    first = runs.description["conditions"][0]
    assert (first["gate"], first["optimizer"], first["seeds"]) == ("xor", "sgd", [[0, 9]])


def test_extending_trains_only_what_is_new_and_can_be_repeated(tmp_path):
    work(tmp_path / "study", study=TWO)
    more = Study(["xor", "nand", "or"], ["sgd", "adam"], seeds=12, threshold=0.3)
    for expected in (2 * 2 * 2 + 2 * 12, 0):
        again = Counting()
        runs = work(tmp_path / "study", again, more, extend=True)
        assert len(again.trained) == expected
    assert (
        runs.table()
        .sort("gate", "optimizer", "seed")
        .equals(work(tmp_path / "whole", study=more).table().sort("gate", "optimizer", "seed"))
    )


def test_an_extended_study_that_was_cut_off_goes_on(tmp_path):
    work(tmp_path / "study", study=TWO)
    more = Study(["xor", "or"], "sgd", 12, threshold=0.3)
    with pytest.raises(RuntimeError):
        work(tmp_path / "study", Abacus(good=2, error=RuntimeError()), more, extend=True)
    runs = load(tmp_path / "study")
    assert (len(runs), runs.asked) == (45, 54)
    with pytest.raises(InputError, match="--extend"):
        work(tmp_path / "study", study=TWO)
    assert len(work(tmp_path / "study", study=TWO, extend=True)) == 45
    assert len(work(tmp_path / "study", study=more, extend=True)) == 54


@pytest.mark.parametrize("name", ["threshold", "precision", "until"])
def test_what_holds_of_a_whole_study_cannot_be_added(tmp_path, name):
    work(tmp_path / "study", study=TWO)
    study, difference = OTHER[name]
    with pytest.raises(InputError, match="--extend adds seeds, gates") as error:
        work(tmp_path / "study", study=study, extend=True)
    assert difference in str(error.value)


def test_extending_needs_a_folder():
    with pytest.raises(InputError, match="extend: name the folder"):
        work(None, study=TWO, extend=True)


# --- without a folder ----------------------------------------------------------------------------


def test_a_study_under_runs_is_not_trained_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = work(None, study=TWO)
    again = Counting()
    second = work(None, again, TWO)
    assert second.directory == first.directory
    assert not again.trained
    third = work(None, again, TWO, again=True)
    assert third.directory != first.directory
    assert len(again.trained) == 40
    for study, _ in OTHER.values():
        assert work(None, study=study).directory not in (first.directory, third.directory)


def test_an_unfinished_study_under_runs_goes_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RuntimeError):
        work(None, Abacus(good=4, error=RuntimeError()), TWO)
    again = Counting()
    runs = work(None, again, TWO)
    assert len([*(tmp_path / "runs").iterdir()]) == 1
    assert (len(runs), len(again.trained)) == (40, 29)


def test_other_versions_and_damaged_descriptions_under_runs_are_passed_over(tmp_path, monkeypatch):
    class Later(Abacus):
        def versions(self):
            return {"abacus": "1600 AD"}

    monkeypatch.chdir(tmp_path)
    first = work(None, study=TWO)
    later = work(None, Later(), TWO)
    assert later.directory != first.directory
    (later.directory / "study.json").write_text(json.dumps([1]))
    assert work(None, study=TWO).directory == first.directory


def test_the_order_of_conditions_does_not_matter(tmp_path):
    work(tmp_path / "study", study=TWO)
    turned = Study(["nand", "xor"], ["adam", "sgd"], seeds=10, threshold=0.3)
    again = Counting()
    runs = work(tmp_path / "study", again, turned)
    assert not again.trained
    assert keys(runs) == {*product(["xor", "nand"], ["sgd", "adam"], range(10))}
