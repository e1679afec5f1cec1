"""Two processes on one folder, disks that are full, folders that cannot be written or vanish.

After each of these the same study, run again, has the rows of one that nothing happened to.
"""

import errno
import os
import shutil
import subprocess
import threading
from contextlib import contextmanager

import pytest
from abacus import Abacus, left, work
from filelock import FileLock
from survivor import STUDY, start
from test_resuming import TWO

from attnlogic.errors import InputError
from attnlogic.report import share
from attnlogic.results import load
from attnlogic.results.store import lock
from attnlogic.studies import describing, parts, pieces


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The rows of the survivor's study."""
    return work(tmp_path_factory.mktemp("undisturbed") / "study", study=STUDY).table()


# --- two writers ---------------------------------------------------------------------------------


def test_a_second_writer_is_refused_and_told_by_whom(tmp_path, undisturbed):
    folder = tmp_path / "study"
    with start(folder, "pause") as process:
        assert process.stdout.readline() == "begun\n"
        before = left(folder)
        for again in (STUDY, TWO):  # that it is another study is said where it is
            with pytest.raises(InputError) as error:
                work(folder, study=again)
            if again is STUDY:
                assert f"process {process.pid} on {os.uname().nodename} (since 20" in str(
                    error.value
                )
                assert f"is writing to '{folder}'" in str(error.value)
        assert left(folder) == before
        runs = load(folder)  # a reader needs no lock
        assert 0 < len(runs) < runs.asked
        assert len(runs.table()) == len(runs)
        assert f"process {process.pid} on " in share(runs)
        assert "trains the rest" in share(runs)
        process.kill()
    assert left(folder) == before  # what the killed one left does not block
    assert "run the same command again" in share(runs)
    assert work(folder, study=STUDY).table().equals(undisturbed)
    assert ".writer.json" not in left(folder)


def test_a_folder_that_cannot_be_held_is_left_alone_and_has_no_writer(tmp_path):
    (tmp_path / lock.LOCK).mkdir()  # no file that could be locked, not even by root
    assert lock.is_locked(tmp_path)
    assert lock.writer_of(tmp_path) is None


def test_a_look_at_who_writes_is_waited_for(tmp_path):
    folder = tmp_path / "study"
    work(folder, study=TWO)
    looking = FileLock(folder / ".lock", thread_local=False)  # another thread releases it
    looking.acquire()
    threading.Timer(lock.LOOK_SECONDS / 4, looking.release).start()
    assert len(work(folder, study=TWO)) == 40


# --- disks ---------------------------------------------------------------------------------------


@contextmanager
def small_disk(folder, size="300k"):
    """A disk of its own at a folder, which only root can make."""
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)])
    if done.returncode:
        pytest.skip("this needs a disk of its own, which only root can make")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def _small_parts(monkeypatch):
    monkeypatch.setattr(parts, "PART_ROWS", 1)
    monkeypatch.setattr(pieces, "RUNS_AT_ONCE", 20)


@pytest.mark.usefixtures("_small_parts")
def test_a_full_disk_costs_only_what_did_not_fit(tmp_path, undisturbed):
    with small_disk(tmp_path / "disk") as disk:
        with pytest.raises(OSError, match="No space left on device") as error:
            work(disk / "study", Abacus(size=20), STUDY)
        assert error.value.errno == errno.ENOSPC
        assert str(disk / "study" / "parts") in error.value.filename
        runs = load(disk / "study")
        assert not runs.unread
        assert 0 < len(runs) < runs.asked
        with pytest.raises(OSError, match="No space left on device"):
            work(disk / "study", Abacus(size=20), STUDY)
        assert len(load(disk / "study")) >= len(runs)
        shutil.copytree(disk / "study", tmp_path / "moved")
    assert work(tmp_path / "moved", study=STUDY).table().equals(undisturbed)


def test_a_limit_on_a_files_size_is_an_error_that_names_the_file(tmp_path):
    with start(tmp_path / "study", "small") as process:
        err = process.communicate()[1]
    assert "File too large" in err
    assert f"{tmp_path}/study/parts/000-sgd/0-3." in err
    assert left(tmp_path) == []


def test_a_folder_that_is_read_only_can_be_read_and_is_not_written(tmp_path):
    with small_disk(tmp_path / "disk", "4m") as disk:
        runs = work(disk / "study", study=TWO)
        runs.part_files()[0].unlink()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert len(load(disk / "study").table()) == 20
        for folder in (disk / "study", disk / "another"):
            with pytest.raises(InputError, match=f"cannot write to '{folder}': Read-only"):
                work(folder, study=TWO)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_not_written(tmp_path):
    runs = work(tmp_path / "study", study=TWO)
    runs.part_files()[0].unlink()
    (tmp_path / "study").chmod(0o500)
    with pytest.raises(InputError, match=r"cannot write to .*: Permission denied"):
        work(tmp_path / "study", study=TWO)


def test_a_folder_that_vanishes_is_an_error_that_names_it(tmp_path):
    class Thief(Abacus):
        def _outcomes(self, batch, on_progress):
            shutil.rmtree(tmp_path / "study", ignore_errors=True)
            yield from super()._outcomes(batch, on_progress)

    with pytest.raises(FileNotFoundError) as error:
        work(tmp_path / "study", Thief(), TWO)
    assert str(tmp_path / "study" / "parts" / "000-sgd") in str(error.value)
    assert left(tmp_path) == []


def test_a_clock_that_jumps_does_not_matter(tmp_path, monkeypatch):
    whole = work(tmp_path / "study", study=TWO)
    table = whole.table()
    for moment in (0, 2**32, -(2**20)):
        for file in tmp_path.rglob("*"):
            os.utime(file, (moment, moment))
        path = load(tmp_path / "study").part_files()[0]
        damaged = bytearray(path.read_bytes())
        damaged[99] ^= 1
        path.write_bytes(damaged)
        os.utime(path, (moment, moment))  # of the same size, and changed at the same time

        class Clock(describing.datetime.datetime):
            @classmethod
            def now(cls, tz=None):
                return cls.fromtimestamp(max(0, moment), tz)  # noqa: B023

        monkeypatch.setattr(describing.datetime, "datetime", Clock)
        assert len(whole) < 40
        assert work(tmp_path / "study", study=TWO).table().equals(table)


def test_of_several_that_start_at_once_one_writes(tmp_path, undisturbed):
    folder = tmp_path / "study"
    processes = [start(folder) for _ in range(4)]
    ends = [(process.communicate()[1], process.returncode) for process in processes]
    assert 0 in [code for _, code in ends]
    for err, code in ends:
        assert code == 0 or "is writing to" in err or "another process" in err or "exists" in err
    runs = load(folder)
    assert not runs.unread
    assert runs.table().equals(undisturbed)
