"""Commands asked of several studies, of tallies, and of some of the runs."""

import io
import json
import subprocess
import sys

import polars as pl
import pytest
import synthetic
from polars.testing import assert_frame_equal
from synthetic import rows

import attnlogic


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    top = tmp_path_factory.mktemp("studies")
    a = synthetic.study(top / "a", rows("xor", "adam", range(40)), rows("or", "sgd", range(9)))
    b = synthetic.study(top / "b", rows("xor", "adam", range(30, 60)))
    return a.directory, b.directory


EVERY = pl.concat([rows("xor", "adam", range(60)), rows("or", "sgd", range(9))])


def frame(out):
    return pl.read_csv(io.StringIO(out), infer_schema_length=None)


def test_a_statistic_of_several_studies(type_in, folders):
    code, out, err = type_in("summary", *folders, "--format", "csv")
    assert (code, err) == (0, "")
    expected = attnlogic.summary(EVERY)
    assert frame(out)["gate", "runs", "reached"].equals(expected["gate", "runs", "reached"])


def test_studies_and_tallies_together(type_in, folders, tmp_path):
    one, both = tmp_path / "one.parquet", tmp_path / "both.parquet"
    assert type_in("tally", folders[0], "--gate", "or", "--out", one)[0] == 0
    assert type_in("tally", one, folders[1], "--out", both)[0] == 0
    rows = json.loads(type_in("summary", both, "--format", "json")[1])
    assert [(row["gate"], row["runs"]) for row in rows] == [("or", 9), ("xor", 30)]
    assert json.loads(type_in("summary", one, folders[1], "--format", "json")[1]) == rows
    code, out, err = type_in("summary", one, folders[0])
    assert (code, out) == (2, "")
    assert "or · sgd: seed 0 would count twice" in err
    code, _, err = type_in("endings", both, "--where", "C < 0")
    assert code == 2
    assert "where: a tally does not keep" in err


def test_a_part_of_a_study_is_asked_and_the_table_says_so(type_in, folders):
    words = ("--gate", "xor", "--where", "status == 'lost' and C < -0.5")
    code, out, err = type_in("endings", *folders, *words)
    assert (code, err) == (0, "")
    assert "Only runs of: gate xor, where status == 'lost' and C < -0.5." in " ".join(out.split())
    (row,) = json.loads(type_in("endings", *folders, *words, "--format", "json")[1])
    lost = EVERY.filter(pl.col("gate") == "xor", pl.col("status") == "lost", pl.col("C") < -0.5)
    assert row["runs"] == len(lost) > 0
    assert "Only runs of" not in type_in("endings", *folders)[1]


def test_a_picture_is_of_the_runs_that_are_asked_for(type_in, folders, tmp_path):
    one, other = tmp_path / "a.svg", tmp_path / "b.svg"
    assert type_in("ladder", *folders, "--plot", one)[0] == 0
    assert type_in("ladder", *folders, "--gate", "or", "--plot", other)[0] == 0
    assert "xor" in one.read_text()
    assert "xor" not in other.read_text()


# --- runs ---------------------------------------------------------------------------------------

READ = {
    "csv": lambda content: pl.read_csv(content, infer_schema_length=None),
    "json": pl.read_json,
    "parquet": pl.read_parquet,
    "arrow": pl.read_ipc,
}


@pytest.mark.parametrize("form", READ)
def test_runs_of_several_in_every_form(folders, form):
    asked = ("--columns", "seed,gate,first_hit,C", "--where", "first_hit is not null")
    command = [sys.executable, "-m", "attnlogic", "runs", *folders, "--format", form, *asked]
    out = subprocess.run(command, capture_output=True, check=True).stdout
    expected = EVERY.filter(pl.col("first_hit").is_not_null()).select(
        "seed", "gate", "first_hit", "C"
    )
    assert_frame_equal(
        READ[form](io.BytesIO(out)), expected, check_dtypes=form in ("parquet", "arrow")
    )


def test_the_first_rows_and_some_columns(type_in, folders):
    out = type_in("runs", *folders, "--limit", 62, "--columns", " seed , first_hit_1e-10")[1]
    lines = out.splitlines()
    assert lines[0] == "seed,first_hit_1e-10"
    assert len(lines) == 63
    assert frame(out)["seed"].to_list() == [*range(60), 0, 1]


def test_a_single_column_of_nothing_keeps_its_rows(type_in, folders):
    """An empty line is a row, also at the end."""
    hits = EVERY["diverged_at"].to_list()
    out = type_in("runs", *folders, "--columns", "diverged_at")[1]
    assert [line or None for line in out.split("\n")[1:-1]] == [
        None if hit is None else str(hit) for hit in hits
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("runs", "{a}", "--columns", "sed"), ["unknown column 'sed'", "did you mean 'seed'"]),
        (("runs", "{a}", "--limit", "0"), ["--limit", "0"]),
        (("summary", "{a}", "--gate", "xro"), ["'xro'", "did you mean 'xor'", "or, xor"]),
        (("summary", "{a}", "-o", "lbfgs"), ["unknown optimizer of these runs 'lbfgs'", "sgd"]),
        (("summary", "{a}", "--where", "c < 0"), ["unknown column 'c'", "did you mean 'C'"]),
        (("summary", "{a}", "--where", "C < 0;"), ["cannot read ';'"]),
        (("summary", "{a}", "--where", "C > 1e30"), ["no run is left", "where C > 1e30"]),
        (("summary", "{a}", "{a}/nowhere"), ["nowhere", "no such folder"]),
    ],
    ids=lambda x: " ".join(x),
)
def test_what_cannot_be_asked_is_one_message(type_in, folders, words, says):
    code, out, err = type_in(*(word.format(a=folders[0]) for word in words))
    assert (code, out) == (2, "")
    for fragment in says:
        assert fragment in err


def test_arrow_is_not_printed_on_a_terminal(type_in, folders, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    code, out, err = type_in("runs", folders[0], "--format", "arrow")
    assert (code, out) == (2, "")
    assert "> FILE.arrow" in err
