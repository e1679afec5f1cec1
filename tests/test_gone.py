"""A study whose folder is gone is an error that names it, and never one without runs."""

import os
import shutil
from pathlib import Path

import pytest
from abacus import work

import attnlogic
from attnlogic.errors import InputError
from attnlogic.results import load, select
from attnlogic.results.store import verify
from attnlogic.studies import Study

DATA = Path(__file__).parent / "data"
QUESTIONS = {
    "summary": attnlogic.summary,
    "endings": attnlogic.endings,
    "table": lambda runs: runs.table(),
    "len": len,
    "unread": lambda runs: runs.inventory(),
    "verify": verify,
    "select": lambda runs: select([runs]).table(),
    "tally": attnlogic.tally,
    "parts": lambda runs: [*runs.parts()],
}


def removed(folder):
    shutil.rmtree(folder)


def moved(folder):
    folder.rename(folder.with_name("elsewhere"))


@pytest.mark.parametrize("question", [*QUESTIONS])
@pytest.mark.parametrize("happens", [removed, moved])
def test_it_is_named(tmp_path, question, happens):
    runs = work(tmp_path / "study", study=Study("xor", "sgd", seeds=8))
    assert len(runs) == 8
    happens(tmp_path / "study")
    with pytest.raises(InputError, match=f"'{tmp_path / 'study'}' is gone"):
        QUESTIONS[question](runs)
    assert "8 runs" not in repr(runs)


@pytest.mark.parametrize("question", ["summary", "len", "tally"])
def test_that_of_a_census_is_named(tmp_path, question):
    runs = work(tmp_path / "study", study=Study("xor", "sgd", seeds=8), keep="tally")
    removed(tmp_path / "study")
    with pytest.raises(InputError, match="is gone"):
        QUESTIONS[question](runs)


@pytest.mark.parametrize("question", ["summary", "len", "table", "verify"])
@pytest.mark.parametrize("version", ["first_format", "second_format", "third_format"])
def test_that_of_an_earlier_version_is_named(tmp_path, version, question):
    shutil.copytree(DATA / version, tmp_path / "study")
    (folder,) = (path.parent for path in (tmp_path / "study").glob("**/study.json"))
    runs = load(folder)
    removed(folder)
    if question == "verify" and runs.is_earlier:  # says of a file why it is not read
        assert "is gone" in str(verify(runs)[1])
        return
    with pytest.raises(InputError, match="is gone"):
        QUESTIONS[question](runs)


def test_a_relative_path_in_another_working_directory_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runs = work(Path("study"), study=Study("xor", "sgd", seeds=8))
    os.chdir("/")
    with pytest.raises(InputError, match=r"'study' is gone.*working directory"):
        attnlogic.summary(runs)


def test_a_folder_that_never_was_is_named():
    with pytest.raises(InputError, match=r"no study in 'nowhere' \(there is no such folder\)"):
        load("nowhere")
