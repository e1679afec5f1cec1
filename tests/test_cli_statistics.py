"""The commands that read runs, as a user types them."""

import csv
import io
import json
import subprocess
import sys

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import attnlogic
from attnlogic.statistics.intervals import INTERVALS


def test_a_summary_has_one_object_a_condition(type_in, study):
    code, out, err = type_in("summary", study.directory, "--format", "json")
    rows = json.loads(out, parse_constant=pytest.fail)
    assert (code, err) == (0, "")
    assert [(row["gate"], row["optimizer"]) for row in rows] == [
        (gate, optimizer) for gate in ("xor", "true") for optimizer in ("adam", "sgd(lr=50)")
    ]
    asked = (
        "runs reached reach_rate reach_low reach_high solved solve_rate solve_low solve_high "
        "first_hit_median C_mean C_sd C_exact diverged"
    )
    for row in rows:
        assert set(asked.split()) <= set(row)
        assert row["runs"] == 8
    assert rows[0]["C_exact"] == -0.5
    assert rows[1]["diverged"] == 8
    assert rows[2]["C_exact"] is None


def test_a_summarys_forms_say_the_same(type_in, study):
    rows = json.loads(type_in("summary", study.directory, "--format", "json")[1])
    table = type_in("summary", study.directory)[1]
    markdown = type_in("summary", study.directory, "--format", "markdown")[1]
    lines = list(
        csv.DictReader(io.StringIO(type_in("summary", study.directory, "--format", "csv")[1]))
    )
    assert len(lines) == len(rows)
    for row, line in zip(rows, lines, strict=True):
        assert float(line["reach_rate"]) == row["reach_rate"]
        assert list(line) == list(row)
        share = f" {100 * row['reach_rate']:.3g}"  # "87.5", "100"
        for text in (table, markdown):
            assert any(row["optimizer"] in cells and share in cells for cells in text.splitlines())


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_every_run_is_a_row(study, form):
    command = [sys.executable, "-m", "attnlogic", "runs", study.directory, "--format", form]
    out = io.BytesIO(subprocess.run(command, capture_output=True, check=True).stdout)
    read = {"csv": pl.read_csv, "json": lambda file: pl.DataFrame(json.load(file))}
    rows = read.get(form, pl.read_parquet)(out)
    assert rows.columns == study.table().columns
    assert rows["seed"].to_list() == [*range(8)] * 4
    if form == "parquet":
        assert_frame_equal(rows, study.table())


@pytest.mark.parametrize("command", ["times", "stability", "endings", "solutions", "compare"])
def test_a_statistic_of_a_study_has_a_row_a_condition_or_pair(type_in, study, command):
    code, out, err = type_in(command, study.directory, "--format", "json")
    rows = json.loads(out, parse_constant=pytest.fail)
    assert (code, err) == (0, "")
    gates = ["xor", "true"]
    if command == "compare":
        assert [(row["gate"], row["measure"]) for row in rows] == [
            (gate, measure) for gate in gates for measure in ("reached", "solved", "first_hit")
        ]
    else:
        names = [(row["gate"], row["optimizer"]) for row in rows]
        assert names == [(gate, by) for gate in gates for by in ("adam", "sgd(lr=50)")]
    lines = type_in(command, study.directory, "--format", "csv")[1].splitlines()
    assert len(lines) == len(rows) + 1
    assert lines[0].split(",") == list(rows[0])
    for form in ("table", "markdown"):
        told = type_in(command, study.directory, "--format", form)[1]
        assert sum("sgd(lr=50)" in line for line in told.splitlines()) == len(rows) / (
            1 if command == "compare" else 2
        )


def test_curvature_has_a_row_a_place(type_in, study):
    code, out, err = type_in("curvature", study.directory, "--format", "json")
    rows = json.loads(out, parse_constant=pytest.fail)
    assert (code, err) == (0, "")
    assert {row["gate"] for row in rows} == {"xor", "true"}
    assert {row["optimizer"] for row in rows} == {"adam"}  # the other's runs have no end
    assert sum(row["runs"] for row in rows) == 16
    assert type_in("curvature", study.directory)[1].count("adam") == len(rows)


def test_starts_have_a_row_a_bin(type_in, study):
    code, out, err = type_in("starts", study.directory, "--format", "json")
    rows = json.loads(out, parse_constant=pytest.fail)
    assert (code, err) == (0, "")
    for measure in ("C_initial", "initial_loss"):
        assert sum(row["runs"] for row in rows if row["measure"] == measure) == len(study)
    table = type_in("starts", study.directory)[1]
    assert table.count("initial_loss") == sum(row["measure"] == "initial_loss" for row in rows)


def test_the_ladder_has_a_row_a_condition_and_rung_and_is_drawn(type_in, study, tmp_path):
    picture = tmp_path / "ladder.svg"
    words = ("ladder", study.directory, "--format", "json", "--plot", picture)
    code, out, err = type_in(*words)
    rows = json.loads(out, parse_constant=pytest.fail)
    assert (code, err) == (0, f"wrote {picture}\n")
    assert len(rows) == 4 * 10
    assert rows[3]["loss"] == 1e-4
    assert rows[3]["reached"] == json.loads(
        type_in("summary", study.directory, "--format", "json")[1]
    )[0]["reached"]  # fmt: skip
    assert picture.read_text().startswith("<svg")
    assert type_in("ladder", study.directory)[1].count("adam") == 2


def test_a_tally_stands_for_its_studies(type_in, study, tmp_path):
    file, twice = tmp_path / "all.parquet", tmp_path / "more.parquet"
    assert type_in("tally", study.directory, "--out", file) == (
        0, "", f"wrote {file}: attnlogic summary {file}\n",
    )  # fmt: skip
    for command in ("summary", "times", "endings", "ladder"):
        words = ("--format", "json")
        told = type_in(command, study.directory, *words)[1], type_in(command, file, *words)[1]
        one, other = map(json.loads, told)
        counts = [
            [{k: row[k] for k in row if type(row[k]) is int} for row in x] for x in (one, other)
        ]
        assert counts[0] == counts[1]
    for command in ("stability", "solutions", "starts"):
        assert type_in(command, file)[0] == 0
    for command in ("compare", "curvature", "runs"):
        code, out, err = type_in(command, file)
        assert (code, out) == (2, "")
        assert "needs every run" in err
    other = tmp_path / "other"
    type_in("study", "nand", "-o", "sgd", "--seeds", 3, "--epochs", 9, "--out", other)
    assert type_in("tally", file, other, "--out", twice)[0] == 0
    rows = json.loads(type_in("summary", twice, "--format", "json")[1])
    assert [row["runs"] for row in rows] == [8, 8, 8, 8, 3]
    for words, says in ((("tally", file, "--out", twice), "exists"),
                        (("tally", file, file, "--out", tmp_path / "new"), "seed 0")):  # fmt: skip
        code, _, err = type_in(*words)
        assert code == 2
        assert says in err


def test_what_is_infinite_is_null_in_json(type_in, tmp_path):
    """This run hits at a loss of 1 and then diverges: the worst loss after its hit is infinite."""
    out = tmp_path / "wild"
    words = ("study", "xor", "-o", "sgd(lr=50)", "--seeds", 1, "--epochs", 20, "--threshold", 1)
    assert type_in(*words, "--out", out)[0] == 0
    told = type_in("stability", out, "--format", "json")[1]
    (row,) = json.loads(told, parse_constant=pytest.fail)
    assert (row["reached"], row["worst_after_hit_max"]) == (1, None)
    assert "inf" in type_in("stability", out, "--format", "csv")[1]


@pytest.mark.parametrize("interval", ["wilson", "clopper-pearson", "jeffreys"])
def test_a_summarys_intervals_are_those_asked_for(type_in, study, interval):
    words = ("summary", study.directory, "--format", "json", "--interval", interval)
    for row in json.loads(type_in(*words)[1]):
        expected = INTERVALS[interval](row["reached"], row["runs"], 0.95)
        assert (row["reach_low"], row["reach_high"]) == expected


def test_paths_are_taken_literally(type_in, study, tmp_path):
    """None of these is a pattern: what matches it as one is another study's."""
    wrong, right = tmp_path / "t1.parquet", tmp_path / "t[1].parquet"
    other = tmp_path / "runs [*] {a,b}?"
    type_in("study", "nand", "-o", "sgd", "--seeds", 3, "--epochs", 9, "--out", other)
    assert type_in("tally", study.directory, "--out", wrong)[0] == 0
    code, _, err = type_in("tally", other, "--out", right)
    assert code == 0
    assert f"attnlogic summary '{right}'" in err  # quoted, to be pasted
    for path in (right, other):
        (row,) = json.loads(type_in("summary", path, "--format", "json")[1])
        assert (row["gate"], row["runs"]) == ("nand", 3)
    picture = tmp_path / "a[1].svg"
    assert type_in("ladder", study.directory, "--plot", picture)[0] == 0
    assert picture.exists()


@pytest.mark.parametrize("form", ["csv", "json"])
def test_printed_runs_are_read_back(type_in, study, form):
    """Every statistic of them is that of the study, which has no sweep."""
    printed = type_in("runs", study.directory, "--format", form)[1].encode()
    rows = pl.read_csv(io.BytesIO(printed)) if form == "csv" else pl.read_json(io.BytesIO(printed))
    for name, statistic in attnlogic.STATISTICS.items():
        if name != "sweep":
            assert_frame_equal(statistic(rows), statistic(study))
