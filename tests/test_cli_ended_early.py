"""Commands that end before their time: a full disk, Ctrl-C, a reader that stops early.

How a study answers signals is in ``test_signals``.
"""

import os
import signal
import subprocess
import sys

import pytest

import attnlogic


def test_a_full_disk_keeps_what_was_written(type_in, tmp_path, monkeypatch):
    from attnlogic.studies import here as store

    write = store.write_part

    def full(runs, kind, rows):
        if "adamw" in kind:
            raise OSError(28, "No space left on device")
        write(runs, kind, rows)

    monkeypatch.setattr(store, "write_part", full)
    words = ("study", "xor", "-o", "adam", "-o", "adamw", "--seeds", 4, "--epochs", 8)
    code, _, err = type_in(*words, "--out", tmp_path / "demo")
    assert code == 1
    assert "No space left" in err
    assert "4 finished runs are kept" in err
    assert "Traceback" not in err
    assert len(attnlogic.load(tmp_path / "demo")) == 4


def test_a_reader_that_stops_early_is_no_error(study):
    command = f"{sys.executable} -m attnlogic runs {study.directory} | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("gate,optimizer,seed,")
    assert done.stderr == ""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_ctrl_c_shows_what_there_is_of_a_long_run():
    """Two billion epochs: only an interrupt ends it."""
    command = [sys.executable, "-m", "attnlogic", "train", "xor", "--epochs", "2000000000"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        # The first line about progress comes when some parts are there.
        assert "epochs" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert "first reached at epoch 271" in out
    assert "Learned parameters" in out
    assert "interrupted after" in error
    assert "Traceback" not in error
