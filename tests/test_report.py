"""The page of a study: complete, made of the statistics' list, safe, and of bounded size."""

import base64
import hashlib
import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from pages import NASTY, folder, page_of, rows, section_text

import attnlogic
from attnlogic.errors import InputError
from attnlogic.report import citation, made_page, write_page
from attnlogic.report import page as pages
from attnlogic.report.linked_views import ChoiceAxis, linked_views
from attnlogic.report.training_commands import training_command
from attnlogic.statistics import STATISTICS


@pytest.fixture(scope="module")
def page(study):
    return page_of(study)


def test_the_citation_is_that_of_the_file():
    said = (Path(__file__).parent.parent / "CITATION.cff").read_text(encoding="utf-8")
    for text in (citation.TITLE, citation.AUTHORS, citation.MESSAGE, attnlogic.__version__):
        assert text in said
        assert text in citation.citation() + citation.MESSAGE


def test_every_statistic_has_a_section_with_how_to_read_it_its_table_and_its_charts(study, page):
    text, found = page
    pictures = len(re.findall(r'<div class="chart" role="img"', text))
    drawn = 0
    for name, statistic in STATISTICS.items():
        said = section_text(text, name)
        assert statistic.question in said
        assert " ".join(statistic.reading.split()) in said
        if name == "sweep":
            assert "here is no sweep in these runs" in said
            continue
        frame = statistic(study)
        assert len(frame)
        for row in statistic.shown(frame).rows:
            for cell in row:
                assert cell in said
        drawn += sum(chart.about in said for chart in statistic.charts)
    assert drawn >= 8
    assert pictures <= drawn + 1  # the losses, too
    assert [tag["id"] for tag in found.of("section")] == [
        "asked", *STATISTICS, "runs", "losses", "provenance", "cite",
    ]  # fmt: skip


def test_how_to_read_a_statistic_is_two_or_three_sentences():
    for name, statistic in STATISTICS.items():
        assert 2 <= len(re.findall(r"[.?](?= |$)", statistic.reading)) <= 3, name
        assert 100 < len(statistic.reading) < 320, name


def test_a_new_statistic_appears_by_itself(study, monkeypatch):
    more = replace(STATISTICS["summary"], name="another", question="Is it there?", charts=())
    monkeypatch.setitem(STATISTICS, "another", more)
    monkeypatch.setattr(pages, "STATISTICS", {"another": more})
    assert "Is it there?" in section_text(made_page(study), "another")


def test_it_says_what_was_asked_what_made_it_and_how_to_cite(study, page):
    text, _ = page
    asked, made = section_text(text, "asked"), section_text(text, "provenance")
    for said in ("32", "xor, true", "adam, sgd(lr=50)", "300", "0.0001"):
        assert said in asked
    for said in ("jax", study.description["created"], study.description["platform"]):
        assert said in made
    assert attnlogic.__version__ in section_text(text, "cite")


def test_no_script_but_its_own_runs_and_nothing_is_loaded(page):
    _, found = page
    policy = next(m["content"] for m in found.of("meta") if "http-equiv" in m)
    assert "default-src 'none'" in policy
    hashes = re.search(r"script-src ([^;]*);", policy)[1].split()
    scripts = [content for kind, content in found.scripts if not kind]
    assert hashes == [
        f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'"
        for s in scripts
    ]
    assert "unsafe-eval" not in policy
    assert "unsafe-inline" not in policy.partition("style-src")[0]
    for tag, attributes in found.tags:
        assert not {"src", "srcset", "action", "data"} & {*attributes}, tag
        for name, value in attributes.items():
            assert not name.startswith("on"), tag
            if name.endswith("href"):
                assert value.startswith("#"), tag


def test_names_of_elements_are_unique(page):
    names = [attributes["id"] for _, attributes in page[1].tags if attributes.get("id")]
    assert len({*names}) == len(names)
    for used in re.findall(r'="url\(#([^)]*)\)"', page[0]):
        assert used in names


def test_the_data_are_the_runs(study, page):
    block = next(json.loads(content) for kind, content in page[1].scripts if kind)
    columns = pl.DataFrame(block["columns"])
    assert block["conditions"][0]["command"].startswith("attnlogic train xor -o adam --epochs 300")
    there = study.table().filter(pl.col("C").is_not_null() & pl.col("final_loss").is_not_null())
    assert len(columns) == len(there)
    assert columns["seed"].to_list() == there["seed"].to_list()
    assert columns["x"].to_list() == pytest.approx(there["C"].to_list(), rel=1e-5)
    assert columns["status"].to_list() == there["status"].to_list()


def test_the_command_trains_the_run_again(type_in, study):
    row = study.table().filter(pl.col("optimizer") == "sgd(lr=50)").row(3, named=True)
    words = shlex.split(f"{training_command(row)} {row['seed']} --json")
    code, out, _ = type_in(*words[1:])
    again = json.loads(out)
    assert code == 0
    assert (again["seed"], again["gate"]) == (row["seed"], row["gate"])
    assert again["status"] == row["status"]
    assert (again["epochs"], again["optimizer"]) == (row["epochs"], row["optimizer"])


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ({"gate": "a b.csv", "encoding": "real"}, "--data 'a b.csv'"),
        ({"gate": "none", "encoding": "none", "model": "my:loss"}, "train -o adam --epochs 9 --mo"),
        ({"gate": "xor", "encoding": "pm1", "precision": "float64"}, "--precision float64 --enc"),
        ({"gate": "xor", "threshold": 0.5}, "--threshold 0.5"),
        ({"gate": "$(x)"}, "train '$(x)' -o"),
    ],
    ids=str,
)
def test_a_command_says_what_is_not_the_default(key, expected):
    whole = {"optimizer": "adam", "epochs": 9, "threshold": 1e-4, **key}
    assert expected in training_command(whole)


# --- text of users ------------------------------------------------------------------------------


def test_text_of_users_stays_text(tmp_path):
    """As a gate, an optimizer and the folder, on every place of the page."""
    nasty = [NASTY, '"><img src=x onerror=alert(1)>', "'-alert(1)-'", "</script>", "{{ 7 * 7 }}"]
    parts = [
        rows().with_columns(gate=pl.lit(text), optimizer=pl.lit(f"adam {text}")) for text in nasty
    ]
    page, found = page_of(folder(tmp_path / NASTY.replace("/", "∕"), *parts))
    for text in nasty:
        assert text in section_text(page, "summary")
        assert f"adam {text}" in section_text(page, "summary")
        assert text in section_text(page, "runs")  # the list of conditions
    assert not {"img", "iframe", "object", "embed", "base"} & {tag for tag, _ in found.tags}
    assert not [a for _, attributes in found.tags for a in attributes if a.startswith("on")]
    assert len(found.scripts) == page.count("<script") == page.count("</script") == 3


def test_no_text_of_users_is_a_field_or_an_expression(study, page):
    """Views name columns of the page's own alone, whatever a model calls its quantities."""
    block = next(json.loads(content) for kind, content in page[1].scripts if kind)
    fields = re.findall(r'"field": "([^"]*)"', json.dumps(block["views"]))
    own = {"x", "y", "w1", "w2", "hit", "epoch", "share", "status"}
    assert {*fields} <= own
    for view in linked_views(ChoiceAxis(NASTY, -1, 1, False), NASTY, True, 9):
        text = json.dumps(view.spec).replace(f'"title": "{NASTY}"', "")
        assert NASTY not in text


# --- the command --------------------------------------------------------------------------------


def test_the_command_writes_a_page(type_in, study, tmp_path):
    out = tmp_path / "a.HTML"
    assert type_in("report", study.directory, "-o", out) == (0, "", f"wrote {out}\n")
    assert out.read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("name", "fragment"),
    [("a.pdf", "ends in .html"), ("nowhere/a.html", "no folder"), ("folder.html", "is a folder")],
)
def test_a_page_that_cannot_be_written_is_one_message(study, type_in, tmp_path, name, fragment):
    (tmp_path / "folder.html").mkdir()
    code, out, err = type_in("report", study.directory, "-o", tmp_path / name)
    assert (code, out) == (2, "")
    assert fragment in err
    with pytest.raises(InputError, match=fragment):
        write_page(study, tmp_path / name)
