"""What commands write, to whatever stream: no character, pipe or disk makes a traceback."""

import os
import re
import subprocess
import sys
from functools import cache

import pytest

import attnlogic

COMMANDS = ["summary", "endings", "solutions", "curvature", "stability", "ladder", "basins"]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A small study's folder."""
    folder = tmp_path_factory.mktemp("study") / "demo"
    attnlogic.run(
        attnlogic.Study(["xor"], ["adam", "sgd"], seeds=16, epochs=400), out=folder, progress=False
    )
    return folder


def typed(*words, stdout=subprocess.PIPE, **environment):
    """The finished command, in a process of its own, without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "attnlogic", *map(str, words)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**os.environ, "COLUMNS": "", **environment},
        check=False,
    )


@cache
def plain(*words):
    """What a command writes into a pipe; each is run once."""
    return typed(*words, PYTHONIOENCODING="utf-8").stdout.decode()


@pytest.mark.parametrize(
    ("encoding", "environment"),
    [
        ("ascii", {"PYTHONIOENCODING": "ascii"}),
        ("cp1252", {"PYTHONIOENCODING": "cp1252"}),
        ("ascii", {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
    ],
    ids=["ascii", "cp1252", "C locale"],
)
@pytest.mark.parametrize(
    "words", [["summary"], ["curvature"], ["gates"], ["theory", "xor"], ["optimizers"]], ids=str
)
def test_a_stream_that_cannot_carry_a_character_gets_its_nearest_ascii(
    study, words, encoding, environment
):
    if words in (["summary"], ["curvature"]):
        words = [*words, study]
    done = typed(*words, **environment)
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode(encoding)
    assert len(text.splitlines()) >= len(plain(*words).splitlines()) - 1
    assert "?" not in text.replace("ends?", "")
    if words[0] == "summary":
        assert "-0.5" in text
        lengths = {len(line) for line in text.splitlines()[2:4]}
        assert max(lengths) - min(lengths) <= 1  # columns are aligned after the replacement


@pytest.mark.parametrize("command", COMMANDS)
def test_a_table_in_a_pipe_has_no_blanks_at_the_ends_of_lines(study, command):
    lines = plain(command, study).splitlines()
    assert [line for line in lines if line != line.rstrip()] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_one_minus_sign_in_a_table(study, command):
    """A hyphen before a digit would be another; options and names have hyphens of their own."""
    text = plain(command, study)
    assert not re.search(r"(?<![\w])-\d", text)
    gates = plain("gates")
    assert "−1/2" in gates
    assert not re.search(r"-\d", gates)


def test_the_width_of_a_pipe_is_what_columns_says(study):
    wide = plain("summary", study)
    narrow = typed("summary", study, COLUMNS="80").stdout.decode()
    assert max(map(len, narrow.splitlines())) <= 80 < max(map(len, wide.splitlines()))
    assert "ERT" in wide.splitlines()[0]
    assert "ERT" not in narrow.splitlines()[0]
    assert "Hidden, since the terminal is narrow: held %, ERT" in " ".join(narrow.split())
    assert "ERT: epochs" not in " ".join(narrow.split())


def test_lists_have_the_same_box_as_statistics(study):
    rules = [
        set(plain(*words).splitlines()[1].strip())
        for words in (["gates"], ["optimizers"], ["summary", study])
    ]
    assert rules == [{"─"}] * 3


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's /dev/full")
@pytest.mark.parametrize("words", [["summary"], ["runs"], ["summary", "--format", "json"]], ids=str)
def test_a_full_disk_under_stdout_is_one_line(study, words):
    with open("/dev/full", "w") as full:
        done = typed(words[0], study, *words[1:], stdout=full)
    assert done.returncode == 1
    (line,) = done.stderr.decode().splitlines()
    assert line == "error: cannot write the output: No space left on device"


@pytest.mark.parametrize("command", ["runs", "summary"])
def test_a_closed_pipe_is_no_error(study, command):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        done = typed(command, study, stdout=pipe)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_picture_is_written_whole_or_not_at_all(study, tmp_path):
    """With a limit on the size of files, which a full disk is like."""
    picture = tmp_path / "ladder.svg"
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)); "
        f"sys.argv = ['attnlogic', 'ladder', {str(study)!r}, '--plot', {str(picture)!r}]; "
        "from attnlogic.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 2
    assert f"cannot write '{picture}'" in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
    assert [*tmp_path.iterdir()] == []


def test_warnings_of_libraries_do_not_reach_a_user():
    """At this rate the parameters overflow at once."""
    done = typed("train", "xor", "-o", "sgd(lr=1e30)", "--epochs", 20)
    assert done.returncode == 0
    assert done.stderr == b""
    assert "Diverged" in done.stdout.decode()


@pytest.mark.parametrize("command", ["endings", "curvature"])
def test_the_words_for_endings_are_explained_on_the_screen_that_uses_them(study, command):
    lines = plain(command, study).splitlines()
    text = " ".join(lines)
    if command == "endings":
        words = lines[0].split()[3:]
    else:
        words = {line.split()[2] for line in lines[2:] if line.startswith("xor")}
    assert words
    for word in words:
        assert f"{word}: " in text


def test_help_of_a_statistic_names_its_columns_and_options():
    text = typed("starts", "--help", COLUMNS="200").stdout.decode()
    for word in ("--bins", "--interval", "--level", "reach_rate", "share", "initial_loss"):
        assert word in text
