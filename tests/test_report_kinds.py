"""The page of studies of every kind: tallies, odd runs, many conditions, unfinished, large."""

import json

import polars as pl
import pytest
from pages import diverged, folder, page_of, rows, section_text, without_hits

import attnlogic
from attnlogic.errors import InputError
from attnlogic.report import few_runs, made_page
from attnlogic.report import page as pages
from attnlogic.results import select
from attnlogic.statistics import STATISTICS


def test_a_tally_has_a_page_without_single_runs(study):
    tally = attnlogic.tally(study)
    text, found = page_of(tally, "a tally.parquet")
    assert "attnlogic summary 'a tally.parquet'" in found.text
    assert "tally" in section_text(text, "runs")
    assert "needs every run" in section_text(text, "basins")
    assert "Shares of runs that reached" in section_text(text, "summary")
    assert len(found.scripts) == 1  # no choice, no Vega
    assert len(text) < 1_000_000


def test_one_run(tmp_path):
    text, _ = page_of(folder(tmp_path / "one", rows(seeds=[7])))
    assert "n = 1 run" in text
    assert "nothing to compare" in section_text(text, "compare").lower()


def test_no_hit(tmp_path):
    text, _ = page_of(folder(tmp_path / "none", without_hits(rows())))
    assert "never" in section_text(text, "summary")
    assert "no run of a model with w1 and w2 is solved" in section_text(text, "solutions")


def test_all_diverge(tmp_path):
    text, found = page_of(folder(tmp_path / "away", diverged(rows())))
    assert "diverged" in section_text(text, "endings")
    assert "none of them ended at a finite loss" in section_text(text, "runs")
    assert "NaN" not in "".join(content for kind, content in found.scripts if kind)


def test_a_model_without_c(tmp_path):
    study = attnlogic.Study("xor", "adam", seeds=6, epochs=60, models="mlp")
    text, found = page_of(attnlogic.run(study, out=tmp_path / "mlp", progress=False))
    assert "final loss" in section_text(text, "runs")
    block = next(json.loads(content) for kind, content in found.scripts if kind)
    assert len(block["columns"]["x"]) == 6
    assert block["limits"][0] > 0  # chosen on a logarithmic axis
    assert "nothing to draw" in section_text(text, "solutions").lower()


def test_many_conditions_are_listed_up_to_a_limit(tmp_path, monkeypatch):
    quick = {name: one for name, one in STATISTICS.items() if name != "compare"}  # 7,750 pairs
    monkeypatch.setattr(pages, "STATISTICS", quick)
    base = rows(seeds=range(4))
    parts = [base.with_columns(optimizer=pl.lit(f"adam(lr={k / 1000:g})")) for k in range(1, 126)]
    text, found = page_of(folder(tmp_path / "many", *parts))
    assert "(125 in all)" in section_text(text, "asked")
    assert "The table has the first 300 of 1,000 rows" in section_text(text, "starts")
    assert "The first 12 of 125 conditions" in text
    assert len([tag for tag in found.of("option") if tag["value"].isdigit()]) == 125
    assert len(text) < 5_000_000


def test_an_unfinished_study_says_so(tmp_path, type_in):
    runs = folder(tmp_path / "half", rows(), rows(by="sgd"), keep=1)
    said = section_text(page_of(runs)[0], "asked")
    assert "Unfinished: 40 of 80 runs are there" in said
    code, _, err = type_in("report", runs.directory, "-o", tmp_path / "a.html")
    assert code == 3
    assert "40 of 80 runs" in err
    next((tmp_path / "half" / "parts").rglob("*.parquet")).unlink()
    with pytest.raises(InputError, match="there is no run yet"):
        made_page(runs)


def test_files_that_are_not_read_are_named(tmp_path):
    runs = folder(tmp_path / "odd", rows(), rows(by="sgd"))
    next((tmp_path / "odd" / "parts").rglob("*.parquet")).write_bytes(b"no parquet")
    assert "Not read: 1 of the study's files" in section_text(page_of(runs)[0], "asked")


# --- large studies ------------------------------------------------------------------------------


def test_of_many_runs_it_shows_the_first_of_each_condition_and_says_so(tmp_path, monkeypatch):
    runs = folder(tmp_path / "large", rows(seeds=range(300)), rows(by="sgd", seeds=range(50)))
    monkeypatch.setattr(pages, "MAX_RUNS", 40)
    monkeypatch.setattr(pages, "MAX_SINGLE_RUNS", 100)
    text, found = page_of(runs)
    note = "Of each condition the {} runs of the lowest seeds, of 350 in all."
    assert note.format(20) in section_text(text, "runs")
    for name in ("basins", "curvature", "compare"):
        assert note.format(50) in section_text(text, name)
    assert note.format(50) in section_text(text, "solutions")  # the readout alone
    assert "Of each condition" not in section_text(text, "summary")
    block = next(json.loads(content) for kind, content in found.scripts if kind)
    assert 0 < len(block["columns"]["seed"]) <= 40
    assert max(block["columns"]["seed"]) < 20


def test_few_runs_are_the_lowest_seeds_of_each_condition():
    some = pl.concat([rows(seeds=range(100, 160)), rows(by="sgd", seeds=range(5))], how="diagonal")
    found = few_runs.few(select(some), 65, 20).frames
    assert {part["optimizer"][0]: part["seed"].to_list() for part in found} == {
        "adam": [*range(100, 110)],
        "sgd": [*range(5)],
    }
    assert few_runs.few(select(some), 65, 65).note == ""


def test_of_very_many_runs_statistics_are_those_of_their_tally(study, monkeypatch):
    monkeypatch.setattr(pages, "MAX_RUNS_IN_MEMORY", 31)
    text = made_page(study)
    assert "counted in bins" in section_text(text, "asked")
    for cell in STATISTICS["summary"].shown(STATISTICS["summary"](attnlogic.tally(study))).rows[0]:
        assert cell in section_text(text, "summary")


def test_a_large_study_gives_a_page_of_bounded_size(tmp_path):
    """Three hundred thousand runs; the sizes that grow with runs are limited well below."""
    base = rows(seeds=range(500))
    parts = [base.with_columns(pl.col("seed") + 500 * k) for k in range(600)]
    text, _ = page_of(folder(tmp_path / "large", pl.concat(parts)))
    assert len(text.encode()) < 5_000_000
