"""What commands say of a folder as a whole: unfinished, damaged, from somebody else."""

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from abacus import Abacus, Counting, work
from stored import DESCRIPTION, describe, write
from test_description import put, written

from attnlogic.results import load
from attnlogic.results.store import writing
from attnlogic.statistics import STATISTICS
from attnlogic.studies import Study, parts, pieces
from attnlogic.words import printable

TWO = Study(["xor", "nand"], ["sgd", "adam"], seeds=10, threshold=0.3)
THIRD = Path(__file__).parent / "data" / "third_format"
HERE = "20 of 40 runs are there: run the same command again for the rest"


@pytest.fixture
def half(tmp_path, monkeypatch):
    """A study with half of its runs: five seeds of each condition."""
    monkeypatch.setattr(pieces, "RUNS_AT_ONCE", 5)
    runs = work(tmp_path / "half", study=TWO)
    for path in runs.directory.rglob("5-9.*"):
        path.unlink()
    return runs.directory


def test_info_says_what_a_study_is(type_in):
    code, out, err = type_in("info", THIRD)
    assert (code, err) == (0, "")
    said = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert said["study"] == str(THIRD)
    assert (said["runs"], said["asked"], said["conditions"], said["seeds"]) == (
        "8",
        "8",
        "2",
        "0:4",
    )
    assert said["optimizer"] == "adam, polyak"
    assert "jax 0." in said["versions"]
    assert said["unread"] == "none"
    code, out, _ = type_in("info", THIRD, "--format", "json")
    about = json.loads(out)
    assert (about["runs"], about["optimizer"], about["parts"]) == (8, ["adam", "polyak"], 2)
    assert about["bytes"] == sum(p.stat().st_size for p in THIRD.rglob("*.parquet"))


@pytest.mark.parametrize("name", ["first_format", "second_format"])
def test_info_and_verify_of_earlier_formats(type_in, name):
    code, out, _ = type_in("info", THIRD.parent / name)
    assert code == 0
    assert "\nformat " in out
    code, out, err = type_in("verify", THIRD.parent / name)
    assert (code, err) == (0, "")
    assert "every one is there and sound" in out


def test_verify_ends_with_0_only_if_all_is_there_and_sound(type_in, tmp_path):
    folder = shutil.copytree(THIRD, tmp_path / "study")
    assert type_in("verify", folder)[:2] == (
        0, "8 runs in 2 parts: every one is there and sound\n",
    )  # fmt: skip
    first, second = sorted(folder.rglob("*.parquet"))
    content = bytearray(first.read_bytes())
    content[500] ^= 4
    first.write_bytes(content)
    code, out, err = type_in("verify", folder)
    assert code == 3
    assert err == f"not read: '{first}': damaged: its bytes are not those that were written\n"
    assert out == "4 of 8 runs are there: run the same command again for the rest\n"
    second.unlink()
    assert type_in("verify", folder)[0] == 3


def test_verify_reads_the_rows_too(type_in, tmp_path, monkeypatch):
    """A file with the right checksum whose list of runs is made up."""

    def made_up(rows, digests):
        return real(rows.with_columns(seed=rows["seed"] + 4), digests)

    real = writing.runs_of_rows
    runs = writing.create(tmp_path / "study", describe(seeds=range(8)))
    monkeypatch.setattr(writing, "runs_of_rows", made_up)
    write(runs.directory, range(4))
    code, _, err = type_in("verify", tmp_path / "study")
    assert code == 3
    assert "its rows are not the runs that it lists" in err


def test_every_table_of_an_unfinished_study_says_so(type_in, half):
    for name in STATISTICS:
        if name == "sweep":
            continue
        code, out, err = type_in(name, half)
        assert (code, err) == (3, ""), name
        assert out.startswith(f"{HERE}\n"), name
        code, out, err = type_in(name, half, "--format", "csv")
        assert (code, err) == (3, f"{HERE}\n"), name
        assert HERE not in out
    assert type_in("runs", half)[0::2] == (3, f"{HERE}\n")
    assert type_in("tally", half, "--out", half.parent / "t.parquet")[0] == 3
    assert type_in("info", half)[0] == 3


def test_files_that_are_not_read_are_named_a_handful_and_then_counted(
    type_in, tmp_path, monkeypatch
):
    monkeypatch.setattr(parts, "PART_ROWS", 1)
    monkeypatch.setattr(pieces, "RUNS_AT_ONCE", 4)
    runs = work(tmp_path / "study", Abacus(size=4), TWO)
    for path in runs.part_files()[:8]:
        path.write_bytes(b"")
    code, _, err = type_in("summary", runs.directory)
    lines = err.splitlines()
    assert code == 3
    assert len(lines) == 6
    assert all(line.startswith("not read: '") for line in lines[:5])
    assert lines[5] == "not read: 3 files more"


def test_help_tells_the_exit_code(type_in):
    for name in ("summary", "info", "verify", "study"):
        code = r"xit code\s+3:"  # anywhere in a line
        assert re.search(code, type_in(name, "--help")[1])


# --- the same command again ----------------------------------------------------------------------

WORDS = ("study", "xor", "-o", "sgd", "--seeds", 6, "--epochs", 20)


def test_the_same_command_again_trains_nothing_and_shows_the_table(type_in, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, first, _ = type_in(*WORDS)
    (folder,) = (tmp_path / "runs").iterdir()
    name = f"runs/{folder.name}"
    code, out, err = type_in(*WORDS)
    assert (code, out) == (0, first)
    assert err.splitlines() == [
        f"the same study lies in {name}: --again trains it anew",
        f"{name}: 6 runs kept, 0 to train",
        f"6 runs in {name}: attnlogic summary {name}",
    ]
    assert type_in(*WORDS, "--again")[:2] == (0, first)
    assert len([*(tmp_path / "runs").iterdir()]) == 2


def test_other_settings_are_refused_and_extend_adds(type_in, tmp_path):
    folder = tmp_path / "study"
    type_in(*WORDS, "--out", folder)
    more = ("study", "xor", "or", "-o", "sgd", "--seeds", 8, "--epochs", 20, "--out", folder)
    code, out, err = type_in(*more)
    assert (code, out) == (2, "")
    assert "gate: or asked for alone, beside xor" in err
    assert "seeds: 0:6 there, 0:8 asked for" in err
    code, _, err = type_in(*more, "--extend")
    assert code == 0
    assert err.splitlines()[0] == f"{folder}: 6 runs kept, 10 to train"
    assert type_in("verify", folder)[0] == 0
    code, _, err = type_in(*more[:-2], "--extend")
    assert code == 2
    assert "--extend: name the folder" in err


# --- from somebody else --------------------------------------------------------------------------

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b1m\u202e"


def test_no_text_of_a_folder_reaches_the_terminal_with_control_characters(type_in, tmp_path):
    conditions = [{"gate": f"xor{EVIL}", "optimizer": f"sgd{EVIL}", "epochs": 40, "init": EVIL}]
    runs = writing.create(
        tmp_path / "study",
        describe(conditions, range(4), devices=[EVIL], versions={EVIL: EVIL}, platform=EVIL),
    )
    write(runs.directory, range(4))
    (runs.directory / "parts" / "000-sgd" / f"{EVIL}.parquet").write_bytes(b"")
    commands = [(name,) for name in STATISTICS if name != "sweep"] + [
        ("info",),
        ("verify",),
        ("runs",),
    ]
    for command in commands:
        for form in ("table", "csv", "markdown", "json"):
            if command[0] == "verify" and form != "table":
                continue
            words = () if command[0] == "verify" else ("--format", form)
            code, out, err = type_in(*command, runs.directory, *words)
            assert code in (2, 3), command
            for text in (out, err):
                assert printable(text) == text, (command, form)
            assert "owned" in out + err or code == 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_on_a_terminal_too(tmp_path):
    """Where tables are drawn with colours: those are the only commands."""
    import pty
    import termios

    conditions = [{"gate": f"xor{EVIL}", "optimizer": "sgd", "epochs": 40, "init": "torch"}]
    runs = writing.create(tmp_path / "study", describe(conditions, range(4)))
    write(runs.directory, range(4))
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (50, 300))
    command = [sys.executable, "-m", "attnlogic", "summary", str(runs.directory)]
    # The terminal says how wide it is, if nothing else does.
    env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")} | {"TERM": "xterm"}
    with subprocess.Popen(command, stdout=theirs, env=env) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # that is how a terminal ends
            while some := os.read(ours, 2**12):
                shown += some
    os.close(ours)
    assert process.returncode == 0
    text = re.sub(r"\x1b\[[0-9;]*m|\r", "", shown.decode())
    assert r"xor\x1b]0;owned" in text
    assert printable(text) == text


def test_a_broken_description_is_shown_without_its_control_characters(type_in, runs):
    written(runs, put(runs.description, ("precision",), EVIL))
    code, _, err = type_in("summary", runs.directory)
    assert code == 2
    assert printable(err) == err


def test_no_name_in_a_folder_is_imported(type_in, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trap.py").write_text("open('sprung', 'w').close()\ndef it(**_): pass\n")
    (tmp_path / "torch.pkl").write_bytes(b"cos\nsystem\n(S'touch sprung'\ntR.")
    trap = "trap:it(x=__import__('trap'))"
    conditions = [
        {"gate": "xor", "optimizer": "trap:it", "model": "trap:it", "epochs": 4, "init": "trap:it"},
        {"gate": "trap:it", "optimizer": trap, "model": trap, "epochs": 4, "init": trap},
    ]
    runs = writing.create(tmp_path / "study", describe(conditions, range(4), backend="trap:it"))
    write(runs.directory, range(4))
    for name in [*STATISTICS, "info", "verify", "runs"]:
        assert type_in(name, runs.directory)[0] in (2, 3)
    assert "trap" not in sys.modules
    assert not (tmp_path / "sprung").exists()


# --- this format ---------------------------------------------------------------------------------


def test_studies_of_every_format_say_the_same():
    """The same study by this version and those before it; ``data/second_format`` has half of it."""
    first, second, third = (
        load(THIRD.parent / f"{n}_format") for n in ("first", "second", "third")
    )
    assert third.description["format"] == DESCRIPTION["format"]
    assert [len(runs) for runs in (first, second, third)] == [8, 8, 8]
    table = third.table()
    for runs in (first, second):
        rows = runs.table()
        assert rows.equals(table.select(rows.columns))
    for name, statistic in STATISTICS.items():
        if name != "sweep":
            assert statistic(third).equals(statistic(first)), name


def test_a_study_of_this_format_goes_on(tmp_path):
    """That the digests of conditions are those of the version that wrote it."""
    folder = shutil.copytree(THIRD, tmp_path / "study")
    for path in sorted(folder.rglob("*.parquet"))[:1]:
        path.unlink()

    class Jax(Counting):
        name = "jax"

    again = Jax()
    work(folder, again, Study("xor", ["adam", "polyak"], seeds=4, epochs=400))
    assert len(again.trained) == 4
