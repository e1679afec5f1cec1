"""Running a study that ends before its time: what was done is kept, and nothing else is left."""

import errno
import os

import pytest
from abacus import Abacus, left, part_names, work

from attnlogic.results import load
from attnlogic.results.store import files, writing
from attnlogic.studies import here, parts

# --- before its time ----------------------------------------------------------------------------

ERRORS = [KeyboardInterrupt(), RuntimeError("a wire snapped"), MemoryError()]


@pytest.mark.parametrize("good", [1, 3, 4, 6])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_what_was_done_before_an_error_is_kept(tmp_path, error, good):
    whole = work(tmp_path / "whole").table()
    with pytest.raises(type(error)) as raised:
        work(tmp_path / "study", Abacus(good=good, error=error))
    assert raised.value is error
    # Both gates are trained by sgd first: 20 runs in outcomes of three.
    done = whole.filter(optimizer="sgd")[: 3 * good]
    runs = load(tmp_path / "study")
    assert runs.table().equals(done)
    assert runs.asked == 40


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("out", [None, "study", "deep/er/still", "deep/../other", "empty"])
def test_a_study_without_a_run_leaves_nothing(tmp_path, monkeypatch, error, out):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").write_text("keep")
    before = left(tmp_path)
    with pytest.raises(type(error)) as raised:
        work(out, Abacus(good=0, error=error))
    assert raised.value is error
    assert left(tmp_path) == before


def test_what_others_put_there_meanwhile_is_kept(tmp_path):
    class Busy(Abacus):
        def train(self, *_, **__):
            (tmp_path / "runs" / "another").mkdir()
            (tmp_path / "runs" / "mine" / "notes").write_text("keep")
            raise RuntimeError("a wire snapped")

    with pytest.raises(RuntimeError):
        work(tmp_path / "runs" / "mine", Busy())
    assert left(tmp_path) == ["runs", "runs/another", "runs/mine", "runs/mine/notes"]


def test_a_backends_work_is_ended_with_the_study(tmp_path, monkeypatch):
    ended = []

    class Watched(Abacus):
        def train(self, *args, **rest):
            try:
                yield from super().train(*args, **rest)
            finally:
                ended.append(True)

    def write_part(*_):
        assert not ended
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(parts, "PART_ROWS", 1)
    monkeypatch.setattr(here, "write_part", write_part)
    with pytest.raises(OSError, match="No space"):
        work(tmp_path / "study", Watched())
    assert ended == [True]
    assert left(tmp_path) == []


@pytest.fixture
def troubled_disk(monkeypatch):
    """Makes the n-th writings of a part raise, before or after it has been written."""

    def trouble(error, calls, after=False):
        made, write = [], writing.write_part

        def write_part(*args):
            made.append(args)
            if len(made) not in calls:
                write(*args)
                return
            if after:
                write(*args)
            raise error

        monkeypatch.setattr(here, "write_part", write_part)
        return made

    return trouble


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_interrupt_while_a_part_is_written_loses_nothing(
    tmp_path, monkeypatch, troubled_disk, after
):
    whole = work(tmp_path / "whole").table()
    monkeypatch.setattr(parts, "PART_ROWS", 1)
    troubled_disk(KeyboardInterrupt(), {2}, after)
    with pytest.raises(KeyboardInterrupt):
        work(tmp_path / "study")
    runs = load(tmp_path / "study")
    assert runs.table().equals(whole[:6])
    assert part_names(runs) == ["000-sgd/0-2", "000-sgd/3-5"]


def test_a_full_disk_is_the_error_raised_and_costs_only_what_did_not_fit(tmp_path, monkeypatch):
    whole = work(tmp_path / "whole").table()
    monkeypatch.setattr(parts, "PART_ROWS", 1)
    calls, fsync = [], os.fsync

    def full(file):
        calls.append(file)
        if len(calls) > 7:  # description, folder of parts, two parts, and each one's folder
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(file)

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as error:
        work(tmp_path / "study")
    assert error.value.errno == errno.ENOSPC
    part = tmp_path / "study" / "parts" / "000-sgd" / "6-8."
    assert str(error.value).startswith(f"[Errno 28] No space left on device: '{part}")
    assert len(calls) <= 9  # it gives up, rather than train on in vain
    assert load(tmp_path / "study").table().equals(whole[:6])
