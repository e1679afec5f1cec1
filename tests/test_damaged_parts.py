"""Whatever happens to a study's files: what is not sound is named, and enters no number."""

import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
from abacus import Abacus, work
from stored import describe, rows, write

from attnlogic.results import load
from attnlogic.results.store import inventory, writing
from attnlogic.statistics import STATISTICS
from attnlogic.studies import Study, parts, pieces

TWO = Study(["xor", "nand"], ["sgd", "adam"], seeds=10, threshold=0.3)


@pytest.fixture
def whole(tmp_path, monkeypatch):
    """A study of some parts, and its rows."""
    monkeypatch.setattr(parts, "PART_ROWS", 1)
    monkeypatch.setattr(pieces, "RUNS_AT_ONCE", 6)
    runs = work(tmp_path / "whole", Abacus(size=6), TWO)
    assert len(runs.part_files()) == 8
    return runs, runs.table()


def resumed(runs, what=TWO):
    """The study once it has been run again, and nothing of it is unread."""
    again = work(runs.directory, Abacus(size=6), what)
    assert not again.unread
    assert len(again) == again.asked
    return again.table()


def damaged(path, content):
    """Change a file's bytes, and let its times be those that it had."""
    status = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def places(size, count=40):
    """Bytes all over a file: its first and last, and some between."""
    ends = [*range(12), *range(size - 12, size)]
    return sorted({*ends, *np.linspace(0, size - 1, count).astype(int).tolist()})


def test_a_flipped_bit_anywhere_in_a_part_is_found(tmp_path):
    runs = writing.create(tmp_path / "study", describe(seeds=range(8)))
    write(runs.directory, range(4))
    write(runs.directory, range(4, 8))
    path = next(p for p in runs.part_files() if p.name.startswith("4-7"))
    content = path.read_bytes()
    for place in places(len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        damaged(path, flipped)
        assert len(runs) == 4, place
        assert runs.table().equals(rows(range(4)))
        (unread,) = runs.unread
        assert unread == (path, "damaged: its bytes are not those that were written")
    damaged(path, content)
    assert runs.table().equals(rows(range(8)))


HARM = {
    "empty": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "without its end": lambda content: content[:-1],
    "with more": lambda content: content + b"\0",
    "text": lambda content: b"gate,optimizer\nxor,adam\n",
}


@pytest.mark.parametrize("harm", HARM.values(), ids=HARM.keys())
def test_a_damaged_part_is_named_and_made_again(whole, harm):
    runs, table = whole
    path = runs.part_files()[3]
    path.write_bytes(harm(path.read_bytes()))
    with pytest.warns(UserWarning, match=rf"not read: '{path}': damaged.*see Runs.unread"):
        found = load(runs.directory)
    assert len(found) == 34
    assert set(found.table().rows()) < set(table.rows())
    assert resumed(runs).equals(table)
    assert path.with_name(path.name + inventory.SET_ASIDE).exists()


def test_every_statistic_leaves_damage_out(whole):
    runs, table = whole
    for path in runs.part_files()[::3]:
        path.write_bytes(path.read_bytes()[:-9])
    sound = runs.table()
    assert 0 < len(sound) < len(table)
    for name, statistic in STATISTICS.items():
        if name != "sweep":  # which no two conditions of these make
            assert statistic(runs).equals(statistic(sound)), name


def test_a_part_that_is_gone_is_made_again(whole):
    runs, table = whole
    for path in runs.part_files()[1:4]:
        path.unlink()
    assert len(load(runs.directory)) == 22
    assert resumed(runs).equals(table)
    shutil.rmtree(runs.directory / "parts")
    assert len(load(runs.directory)) == 0
    assert resumed(runs).equals(table)


def put_copy(runs, other):
    first = runs.part_files()[0]
    digest = first.name.split(".")[1]
    shutil.copy(first, first.with_name(f"0-5.{digest}.copy.parquet"))
    shutil.copy(first, first.with_name(f"1-5.{digest}.parquet"))
    shutil.copy(first, first.parent.parent / "001-adam" / first.name)
    return 3


def put_link(runs, other):
    first = runs.part_files()[0]
    first.with_name("0-9.parquet").symlink_to(first)
    (first.parent / "loop.parquet").symlink_to(runs.directory)
    (first.parent.parent / "002-loop").symlink_to("..")
    return 3


def put_folder(runs, other):
    folder = runs.part_files()[0].parent
    (folder / "folder.parquet").mkdir()
    os.mkfifo(folder / "pipe.parquet")
    return 2


def put_stranger(runs, other):
    for part in other.part_files():
        shutil.copy(part, runs.part_files()[0].parent)
    return len(other.part_files())


def put_folder_of_another(runs, other):
    shutil.copytree(other.directory / "parts" / "000-sgd", runs.directory / "parts" / "009-sgd")
    return 1


PUT = [put_copy, put_link, put_folder, put_stranger, put_folder_of_another]


@pytest.mark.parametrize("put", PUT, ids=lambda put: put.__name__)
def test_what_is_not_of_a_study_is_named_and_not_read(tmp_path, whole, put):
    runs, table = whole
    other = work(tmp_path / "other", study=Study("xor", "sgd", range(40, 44), threshold=0.3))
    put_there = put(runs, other)
    assert len(runs.unread) == put_there
    assert all(one.reason for one in runs.unread)
    assert runs.table().equals(table)
    assert len(runs) == 40
    assert resumed(runs).equals(table)


def test_a_link_in_place_of_a_folder_of_parts_is_not_followed(tmp_path, whole):
    runs, table = whole
    real = (runs.directory / "parts" / "000-sgd").rename(tmp_path / "elsewhere")
    (runs.directory / "parts" / "000-sgd").symlink_to(real)
    assert len(runs) == 20
    assert resumed(runs).equals(table)
    parts_elsewhere = (runs.directory / "parts").rename(tmp_path / "parts")
    (runs.directory / "parts").symlink_to(parts_elsewhere)
    assert len(runs) == 0
    assert resumed(runs).equals(table)


def test_parts_that_overlap_count_a_run_once(tmp_path):
    runs = writing.create(tmp_path / "study", describe(seeds=range(8)))
    for seeds in (range(4), range(4, 8), range(2, 6)):
        write(runs.directory, seeds)
    assert runs.table().equals(rows(range(8)))
    (unread,) = runs.unread
    assert unread.path.name.startswith("2-5.")
    assert unread.reason == "its runs are in another part already"


def test_another_studys_part_does_not_fill_a_gap(tmp_path, whole):
    """The same seeds of the same conditions, but for the threshold."""
    runs, table = whole
    other = work(tmp_path / "other", Abacus(size=6), replace(TWO, threshold=0.2))
    for mine, theirs in zip(runs.part_files(), other.part_files(), strict=True):
        mine.unlink()
        shutil.copy(theirs, mine.parent)
        assert theirs.name != mine.name
    assert len(runs) == 0
    assert {one.reason for one in runs.unread} == {"a part of another study"}
    assert resumed(runs).equals(table)
