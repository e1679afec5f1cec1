"""Frames as tables for a person: what stands in the cells, on the screen and in Markdown."""

import io
import re

import polars as pl
import pytest
from rich.console import Console

from attnlogic.problems import SIGNS
from attnlogic.statistics.compare import statistic as compare
from attnlogic.statistics.curvature import statistic as curvature
from attnlogic.statistics.endings import statistic as endings
from attnlogic.statistics.ladder import statistic as ladder
from attnlogic.statistics.solutions import statistic as solutions
from attnlogic.statistics.stability import statistic as stability
from attnlogic.statistics.starts import statistic as starts
from attnlogic.statistics.summary import statistic as summarize
from attnlogic.statistics.times import statistic as times
from attnlogic.theory import ENDINGS
from attnlogic.view import html_table, markdown, screen

# --- summary ------------------------------------------------------------------------------------

FULL = {
    "gate": "xor", "optimizer": "adamw(lr=0.01)", "runs": 12345,
    "reached": 12000, "reach_rate": 0.9721, "reach_low": 0.96904, "reach_high": 0.97486,
    "solved": 6, "solve_rate": 0.05, "solve_low": 0.0012, "solve_high": 1.0,
    "hold_rate": 0.0404, "ert": 12344.6,
    "first_hit_q25": 150, "first_hit_median": 1234, "first_hit_q75": None,
    "C_mean": -0.50049, "C_sd": 0.00123, "C_exact": -0.5,
    "lost": 1, "unsolved": 2, "diverged": 1003,
}  # fmt: skip
HEAD = [
    "gate", "optimizer", "runs", "reached %", "solved %", "held %", "first hit", "ERT", "C",
    "exact", "diverged",
]  # fmt: skip
ORDINARY = {**FULL, "optimizer": "adamw", "runs": 1000, "solve_low": 0.012, "diverged": 9}
NONE_SOLVED = {
    "gate": "true", "optimizer": "sgd", "runs": 3,
    "reached": 0, "reach_rate": 0.0, "reach_low": 0.0, "reach_high": 0.5614,
    "solved": 0, "solve_rate": 0.0, "solve_low": 0.0, "solve_high": 0.5614,
    "hold_rate": 0.0, "diverged": 0, "model": "attention", "encoding": "01",
}  # fmt: skip
NO_SOLUTION = {**NONE_SOLVED, "gate": "parity3"}
NOT_KNOWN = {**NONE_SOLVED, "model": "mlp"}
ONE_SOLVED = {**FULL, "C_mean": -1 / 3, "C_sd": None, "first_hit_q75": 99999}
ALIKE = {**FULL, "C_sd": 1.26e-6, "first_hit_median": None}
EQUAL = {**FULL, "C_sd": 0.0, "C_exact": 0.0}

RATES = ["97.2 (96.9–97.5)", "5.0 (0.1–100)"]
NAMED = ["xor", "adamw(lr=0.01)", "12,345", *RATES]
CELLS = [
    [*NAMED, "4.0", "1,234 (150–never)", "12,345", "−0.5005 ±0.0012", "−0.5", "1,003"],
    ["true", "sgd", "3", *["0.0 (0.0–56.1)"] * 2, "0.0", "never", "–", "–", "any", "0"],
    ["parity3", "sgd", "3", *["0.0 (0.0–56.1)"] * 2, "0.0", "never", "–", "–", "none", "0"],
    ["true", "sgd", "3", *["0.0 (0.0–56.1)"] * 2, "0.0", "never", "–", "–", "–", "0"],
    [*NAMED, "4.0", "1,234 (150–99,999)", "12,345", "−0.3333", "−0.5", "1,003"],
    [*NAMED, "4.0", "never (150–never)", "12,345", "−0.5005 ±1e−06", "−0.5", "1,003"],
    [*NAMED, "4.0", "1,234 (150–never)", "12,345", "−0.5005 ±0.0000", "0", "1,003"],
]


def sheet_of(statistic, frame, **options):
    return statistic.sheet(frame, statistic.settings(options))


def summary(*rows):
    return pl.DataFrame([*rows], schema=summarize.schema)


def in_table(rows):
    columns = [
        [column.header, *column.cells] for column in screen(sheet_of(summarize, rows)).columns
    ]
    return [list(line) for line in zip(*columns, strict=True)]


def in_markdown(rows):
    lines = markdown(sheet_of(summarize, rows)).split("\n")
    head, rule, *others = lines[:-2]  # the caption is the last line
    assert {*re.sub("[| ]", "", rule)} <= {"-", ":"}
    assert rule.count("|") == head.count("|")
    return [[cell.strip() for cell in line[1:-1].split(" | ")] for line in (head, *others)]


def test_in_80_columns_no_interval_is_broken():
    output = io.StringIO()
    Console(file=output, width=80).print(screen(sheet_of(summarize, summary(ORDINARY)), width=80))
    words = output.getvalue().split()
    for whole in ("optimizer", "adamw", "1,000", "(96.9–97.5)", "(150–never)", "−0.5005"):
        assert whole in words


@pytest.mark.parametrize(
    ("width", "lines", "columns"), [(None, 1, 11), (120, 1, 11), (100, 2, 11), (80, 2, 9)]
)
def test_a_narrow_screen_folds_intervals_and_then_hides_optional_columns(width, lines, columns):
    table = screen(sheet_of(summarize, summary(ORDINARY)), width)
    assert len(table.columns) == columns
    assert max(len(cell.split("\n")) for column in table.columns for cell in column.cells) == lines


def test_the_note_explains_what_is_shown_and_names_what_is_hidden():
    sheet = sheet_of(summarize, summary(ORDINARY))
    wide, narrow = (screen(sheet, width).caption for width in (None, 80))
    assert "ERT: epochs spent" in wide
    assert "held: solved" in wide
    assert "idden" not in wide
    assert "ERT: epochs spent" not in narrow
    assert "Hidden, since the terminal is narrow: held %, ERT." in narrow


@pytest.mark.parametrize("cells_of", [in_table, in_markdown])
def test_a_summary_in_cells(cells_of):
    rows = summary(FULL, NONE_SOLVED, NO_SOLUTION, NOT_KNOWN, ONE_SOLVED, ALIKE, EQUAL)
    assert cells_of(rows) == [HEAD, *CELLS]


@pytest.mark.parametrize("cells_of", [in_table, in_markdown])
def test_a_summary_of_nothing_is_its_head(cells_of):
    assert cells_of(summary()) == [HEAD]


def test_numbers_stand_to_the_right_and_words_to_the_left():
    assert [column.justify for column in screen(sheet_of(summarize, summary())).columns] == [
        *["left"] * 2, *["right"] * 9
    ]  # fmt: skip
    assert markdown(sheet_of(summarize, summary())).split("\n")[1] == "| --- | --- |" + " --: |" * 9


# --- times, endings, comparison -----------------------------------------------------------------


def test_times_in_cells():
    known = {"gate": "xor", "optimizer": "adam", "runs": 1000, "hits": 900}
    rows = pl.DataFrame(
        [
            {
                **known, "median": 200.0, "median_low": 190.0, "median_high": 1210.0,
                "mean": 1114.4, "mean_low": 1009.0, "mean_high": 1218.0,
                "ert": 1238.0, "ert_low": 1104.0, "ert_high": None,
            },
            {**known, "hits": 0, "mean": 8000.0, "mean_low": None, "mean_high": None},
        ],
        schema=times.schema,
    )  # fmt: skip
    assert sheet_of(times, rows).rows == [
        ["xor", "adam", "1,000", "900", "200 (190–1,210)", "1,114 (1,009–1,218)",
         "1,238 (1,104–∞)", "–"],
        ["xor", "adam", "1,000", "0", "–", "8,000", "–", "–"],
    ]  # fmt: skip


def test_the_ladder_has_a_row_a_condition_and_a_column_a_rung():
    about = {"gate": "xor", "runs": 1000, "epochs": 100}
    rows = pl.DataFrame(
        [
            {**about, "optimizer": "adam", "loss": 0.1, "reach_rate": 1.0, "median": 1234.0},
            {**about, "optimizer": "adam", "loss": 1e-10, "reach_rate": 0.4567},
            {**about, "optimizer": "sgd", "loss": 0.1, "reach_rate": 0.5, "median": 7.0},
            {**about, "optimizer": "sgd", "loss": 1e-10, "reach_rate": 0.0},
        ],
        schema=ladder.schema,
    )
    sheet = sheet_of(ladder, rows)
    assert sheet.titles == ("gate", "optimizer", "runs", "1e−1", "1e−10")
    assert sheet.rows == [
        ["xor", "adam", "1,000", "100 (1,234)", "45.7"],
        ["xor", "sgd", "1,000", "50.0 (7)", "0.0"],
    ]
    assert sheet_of(ladder, pl.DataFrame(schema=ladder.schema)).rows == []


def test_endings_that_no_run_has_are_left_out():
    counts = dict.fromkeys(ENDINGS, 0)
    rows = pl.DataFrame(
        [
            {"gate": "xor", "optimizer": "adam", "runs": 1500, **counts, "solved": 1500},
            {"gate": "xor", "optimizer": "sgd", "runs": 3, **counts, "near": 2, "runaway": 1},
        ],
        schema=endings.schema,
    )
    sheet = sheet_of(endings, rows)
    assert sheet.titles == ("gate", "optimizer", "runs", "solved", "near", "runaway")
    assert sheet.rows == [
        ["xor", "adam", "1,500", "1,500", "0", "0"],
        ["xor", "sgd", "3", "0", "2", "1"],
    ]
    assert "near: near the solution" in sheet.caption()
    assert "linear" not in sheet.caption()


def test_a_comparison_in_cells():
    pair = {"gate": "xor", "a": "adam", "b": "sgd", "pairs": 2000}
    counts = {"both": 1705, "only_a": 95, "only_b": 13, "neither": 187}
    rows = pl.DataFrame(
        [
            {**pair, "measure": "reached", **counts, "difference": 0.041, "low": 0.0308,
             "high": 0.0511, "p": 0.0, "p_holm": 0.0},
            {**pair, "measure": "solved", **counts, "difference": -0.1, "low": -0.2, "high": 0.004,
             "p": 1e-5, "p_holm": 2.4e-5},
            {**pair, "measure": "first_hit", "p": 0.012, "p_holm": 0.0123},
            {**pair, "measure": "first_hit"},
        ],
        schema=compare.schema,
    )  # fmt: skip
    pair, counted = ["xor", "adam", "sgd"], ["1,705", "95", "13", "187"]
    assert sheet_of(compare, rows).rows == [
        [*pair, "reached", *counted, "+4.1 (+3.1…+5.1)", "<1e−300"],
        [*pair, "solved", *counted, "−10.0 (−20.0…+0.4)", "2e−05"],
        [*pair, "first_hit", *["–"] * 5, "0.012"],
        [*pair, "first_hit", *["–"] * 6],
    ]


def test_solutions_in_cells():
    known = {"gate": "nand", "optimizer": "adam", "runs": 9, "solved": 5}
    rows = pl.DataFrame(
        [
            {
                **known, "C_exact": -1.0,
                "distance_median": 1.24e-4, "distance_q95": 0.0021, "distance_max": 0.1,
                **{f"signs_{signs}": 0 for signs in SIGNS}, "signs_++-": 3, "signs_---": 2,
                "apart_q05": -0.451, "apart_median": -0.001, "apart_q95": 1.0,
                "drift_qk": 0.0012, "drift_kv": 0.5,
            },
            {**known, "solved": 0, **{f"signs_{signs}": 0 for signs in SIGNS}},
        ],
        schema=solutions.schema,
    )  # fmt: skip
    sheet = sheet_of(solutions, rows)
    assert sheet.titles[3:8] == ("off C*", "++−", "−−−", "w1 − w2", "drift qk")
    assert sheet.rows == [
        ["nand", "adam", "5", "0.00012 (0.0021)", "3", "2", "0.00 (−0.45…1.00)", "0.0012", "0.5"],
        ["nand", "adam", "0", "–", "0", "0", "–", "–", "–"],
    ]


def test_stability_in_cells():
    known = {"gate": "xor", "optimizer": "adam", "runs": 3000}
    rows = pl.DataFrame(
        [
            {
                **known, "reached": 2000, "held": 500, "stay_rate": 0.25, "stay_low": 0.231,
                "stay_high": 0.27, "exits_median": 3, "exits_q95": 1200, "rises_median": 4000,
                "rises_q95": 5000, "worst_after_hit_median": 0.0123, "worst_after_hit_q95": 7e-5,
                "settling_median": 0, "settling_q95": 7800,
            },
            {**known, "reached": 0, "held": 0},
        ],
        schema=stability.schema,
    )  # fmt: skip
    assert sheet_of(stability, rows).rows == [
        ["xor", "adam", "2,000", "25.0 (23.1–27.0)", "0 (7,800)", "3 (1,200)", "4,000 (5,000)",
         "0.01 (7e−05)"],
        ["xor", "adam", "0", *["–"] * 5],
    ]  # fmt: skip


def test_starts_and_curvature_in_cells():
    known = {"gate": "xor", "optimizer": "adam"}
    one = {
        **known, "measure": "C_initial", "from": -0.8021, "to": -1.084e-4, "runs": 1250,
        "reached": 125, "reach_rate": 0.1, "reach_low": 0.0846, "reach_high": 1.0,
    }  # fmt: skip
    sheet = sheet_of(starts, pl.DataFrame([one], schema=starts.schema))
    assert sheet.rows == [
        ["xor", "adam", "C_initial", "−0.802", "−0.000108", "1,250", "10.0 (8.5–100)"]
    ]
    one = {
        **known, "ended": "solved", "runs": 1250, "sharpness_q05": 43.94, "sharpness_median": 44.6,
        "sharpness_q95": 1234.5, "least_median": -2.71e-8, "saddles": 156, "negative": 0.44,
        "flat": 1.2, "positive": 4.36,
    }  # fmt: skip
    sheet = sheet_of(curvature, pl.DataFrame([one], schema=curvature.schema))
    assert sheet.rows == [
        ["xor", "adam", "solved", "1,250", "44.6 (43.9–1.23e+03)", "−2.7e−08", "156", "0.4", "1.2",
         "4.4"]
    ]  # fmt: skip


def test_a_sheet_prints_as_it_is_shown_and_a_notebook_shows_it_in_html():
    """``print`` of it needs no terminal: a notebook's stdout has no bytes to write to."""
    sheet = sheet_of(summarize, summary(ORDINARY))
    output = io.StringIO()
    Console(file=output, width=500).print(screen(sheet))
    assert str(sheet) == "\n".join(line.rstrip() for line in output.getvalue().splitlines())
    assert sheet._repr_html_() == html_table(sheet)
