"""Signals that end a study: what is done is kept, and a second one ends the process at once."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest
from abacus import Abacus, work

import attnlogic
from attnlogic.studies import SIGNALS, Signalled, raised

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows sends no such signals")

pty = pytest.importorskip("pty", reason="Windows has none")

NUMBERS = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]

SOON_DONE = "sgd(lr=50)"
WORDS = ["xor", "-o", SOON_DONE, "-o", "lbfgs(tolerance_change=0)", "--seeds", "16"]
COMMAND = [sys.executable, "-m", "attnlogic", "study", *WORDS, "--epochs", "200000"]
"""SGD ends at once. L-BFGS goes on for hours, and only a signal ends it."""


def wait_for_a_part(directory):
    deadline = time.monotonic() + 120
    while not list(directory.glob("parts/*/*.parquet")):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(scope="module")
def undisturbed():
    """The runs that are soon done, of a study that nobody disturbs."""
    return attnlogic.Study("xor", SOON_DONE, 16, epochs=200000)


def expect_kept(directory, undisturbed, tmp_path):
    whole = attnlogic.run(undisturbed, out=tmp_path / "whole", progress=False).table()
    assert attnlogic.load(directory).table().select(whole.columns).equals(whole)


# --- a study, for real --------------------------------------------------------------------------


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
def test_a_study_keeps_what_is_done_and_says_how_to_go_on(tmp_path, undisturbed, number):
    directory = tmp_path / "demo"
    with subprocess.Popen(
        [*COMMAND, "--out", str(directory)], stderr=subprocess.PIPE, text=True
    ) as process:
        wait_for_a_part(directory)
        process.send_signal(number)
        error = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + number, error
    said = [line for line in error.splitlines() if "kept" in line]
    assert said == [
        f"interrupted by {number.name}: 16 finished runs are kept: the same command again trains "
        f"the rest; attnlogic summary {directory}"
    ]
    assert "Traceback" not in error
    expect_kept(directory, undisturbed, tmp_path)


def test_a_study_whose_terminal_is_closed_keeps_what_is_done(tmp_path, undisturbed):
    directory = tmp_path / "demo"
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", IN_THIS_TERMINAL, *COMMAND, "--out", str(directory)]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        os.set_blocking(ours, False)
        while not list(directory.glob("parts/*/*.parquet")):
            with suppress(BlockingIOError):  # or the study would wait until its progress is read
                os.read(ours, 4096)
            assert process.poll() is None
        os.close(ours)
        assert process.wait(60) == 128 + signal.SIGHUP
    expect_kept(directory, undisturbed, tmp_path)


IN_THIS_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


# --- what is raised, and when -------------------------------------------------------------------


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
def test_a_signal_is_raised_and_handlers_are_restored(number):
    before = [signal.getsignal(each) for each in NUMBERS]
    with pytest.raises(Signalled, match=number.name) as error, raised(*SIGNALS):
        signal.raise_signal(number)
    assert error.value.number == number
    assert [signal.getsignal(each) for each in NUMBERS] == before
    with raised(*SIGNALS):
        assert [signal.getsignal(each) for each in NUMBERS] != before
    assert [signal.getsignal(each) for each in NUMBERS] == before


def test_what_is_ignored_or_answered_by_others_stays_as_it_is():
    def own(*_):
        pass

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN), signal.signal(signal.SIGTERM, own)
    try:
        with raised(*SIGNALS):
            signal.raise_signal(signal.SIGHUP)
            signal.raise_signal(signal.SIGTERM)
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) is own
    finally:
        signal.signal(signal.SIGHUP, before[0])
        signal.signal(signal.SIGTERM, before[1])


def test_in_another_thread_nothing_is_changed():
    before, seen = [signal.getsignal(each) for each in NUMBERS], []

    def run():
        with raised(*SIGNALS):
            seen.extend(signal.getsignal(each) for each in NUMBERS)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == before


TWO_SIGNALS = """
import signal
from attnlogic.studies import SIGNALS, raised

with raised(*SIGNALS):
    try:
        print("ready", flush=True)
        signal.pause()
    except KeyboardInterrupt:
        print("ends", flush=True)
        signal.pause()
"""


@pytest.mark.parametrize("second", NUMBERS, ids=lambda number: number.name)
def test_a_second_signal_ends_the_process_at_once(second):
    with subprocess.Popen(
        [sys.executable, "-c", TWO_SIGNALS], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "ends\n"
        process.send_signal(second)
        assert process.wait(60) == -second


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_study_of_the_library_is_ended_likewise(tmp_path, name):
    number, whole = getattr(signal, name), work(tmp_path / "whole").table()

    class Signalling(Abacus):
        """After two of the outcomes it is sent a signal."""

        def train(self, *args, **how):
            for count, finished in enumerate(super().train(*args, **how)):
                if count == 2:
                    signal.raise_signal(number)
                yield finished

    before = signal.getsignal(number)
    with pytest.raises(Signalled, match=name):
        work(tmp_path / "study", Signalling())
    assert signal.getsignal(number) == before
    assert attnlogic.load(tmp_path / "study").table().equals(whole[:6])
