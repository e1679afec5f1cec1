"""Files of results: a part is whole or not there, and what is broken is named."""

import errno
import json
import os
import resource
from contextlib import contextmanager
from pathlib import Path

import pytest
from stored import DESCRIPTION, everything, files, rows, write

from attnlogic.errors import InputError
from attnlogic.results.store import runs as store
from attnlogic.results.store import writing

# --- a part is whole or not there ---------------------------------------------------------------


@contextmanager
def full_disk():
    """A disk with room for a few bytes more: a long write comes half through, then fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_write_that_fails_half_way_leaves_what_was_there(runs):
    write(runs.directory, [0, 1])
    before = {path: (runs.directory / path).read_bytes() for path in files(runs.directory)}
    # An OSError, as the caller expects of a disk, whatever library writes the file.
    with full_disk(), pytest.raises(OSError, match="File too large") as error:
        write(runs.directory, [2, 3])
    assert error.value.errno == errno.EFBIG
    assert error.value.filename.startswith(f"{runs.directory}/parts/000-sgd/2-3.")
    assert {path: (runs.directory / path).read_bytes() for path in files(runs.directory)} == before
    assert runs.table().equals(rows([0, 1]))
    write(runs.directory, [2, 3])
    assert runs.table().equals(rows())


@pytest.mark.parametrize("error", [OSError(errno.EIO, "bad disk"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("where", [(os, "fsync"), (Path, "replace")], ids=["fsync", "replace"])
def test_a_part_has_its_name_only_when_it_is_on_the_disk(runs, monkeypatch, where, error):
    seen = []

    def fail(*_):
        seen.append(files(runs.directory))
        raise error

    write(runs.directory, [0, 1])
    with monkeypatch.context() as patch:
        patch.setattr(*where, fail)
        with pytest.raises(type(error)):
            write(runs.directory, [2, 3])
    complete = [f"parts/000-sgd/{runs.part_files()[0].name}", "study.json"]
    (during,) = seen
    assert [name for name in during if name.endswith((".parquet", ".json"))] == complete
    assert len(during) == 3
    assert files(runs.directory) == complete
    assert runs.table().equals(rows([0, 1]))


def test_what_is_being_written_is_not_read(runs):
    write(runs.directory, [0, 1])
    (runs.directory / "parts" / "000-sgd" / ".2-3.parquet.tmp").write_bytes(b"PAR1half")
    assert runs.table().equals(rows([0, 1]))


def test_a_part_written_twice_is_there_once(runs):
    for _ in range(2):
        write(runs.directory, range(4))
    assert runs.table().equals(rows())


def test_a_study_that_cannot_be_started_says_why(tmp_path):
    big = {**DESCRIPTION, "devices": ["a long name"] * 1000}
    with full_disk(), pytest.raises(InputError, match=r"cannot write to '.*study': File too large"):
        writing.create(tmp_path / "deep" / "study", big)
    assert everything(tmp_path) == []


# --- what is broken is named --------------------------------------------------------------------

PAIR = {"gate": "xor", "optimizer": "adam"}


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        (b"", "cannot read"),
        (b'{"precision": "float32", "cond', "cannot read"),
        (b"\xff\xfe\x00", "cannot read"),
        (b"[1, 2]", "does not describe a study"),
        (b"null", "does not describe a study"),
        (b"{}", "does not describe a study"),
        (json.dumps({"conditions": [PAIR]}).encode(), "'precision'"),
        (json.dumps({"precision": "float16", "conditions": [PAIR]}).encode(), "'precision'"),
        (json.dumps({"precision": "float32"}).encode(), "'conditions'"),
        (json.dumps({"precision": "float32", "conditions": PAIR}).encode(), "'conditions'"),
        (json.dumps({"precision": "float32", "conditions": ["xor"]}).encode(), "'conditions[0]'"),
        (
            json.dumps({"precision": "float32", "conditions": [{"gate": "xor"}]}).encode(),
            "'conditions[0].optimizer' is missing",
        ),
    ],
)
def test_a_description_that_is_broken_is_named(tmp_path, content, fragment):
    (tmp_path / "study.json").write_bytes(content)
    with pytest.raises(InputError) as error:
        store.load(tmp_path)
    assert str(tmp_path / "study.json") in str(error.value)
    assert fragment in str(error.value)


def test_where_no_study_lies_there_is_none(tmp_path):
    (tmp_path / "a file").write_text("mine")
    for path in (tmp_path, tmp_path / "missing", tmp_path / "a file"):
        with pytest.raises(InputError) as error:
            store.load(path)
        assert f"no study in '{path}'" in str(error.value)
        assert "--out" in str(error.value)
    (tmp_path / "study.json").mkdir()
    with pytest.raises(InputError, match=r"cannot read '.*study.json': it is no regular file"):
        store.load(tmp_path)
