"""The command ``models`` says all that the records say."""

import json

import pytest

from attnlogic.cli.models import models
from attnlogic.problems import MODELS, model, problem


@pytest.fixture
def printed(monkeypatch, capfd):
    def run(form, columns=80):
        monkeypatch.setenv("COLUMNS", str(columns))
        models(form)
        return capfd.readouterr().out

    return run


def test_the_table_has_everything_in_80_columns(printed):
    table = printed("table")
    assert max(map(len, table.splitlines())) <= 80
    words = " ".join(table.split())
    for name, record in MODELS.items():
        for text in (name, record.summary, record.theory, model(name).formula):
            assert text in words
        assert ", ".join(problem("xor", name).names) in words
        for key, setting in record.settings.items():
            assert f"{key}={setting.default}" in words
            assert setting.meaning in words
            assert all(choice in words for choice in setting.choices)
    for bounds in ("1 … 8", "1 … 64"):
        assert bounds in words
    assert "C = wq·wk·wv" in words
    assert "--model package.module:factory" in words


def test_a_narrow_terminal_folds_it(printed):
    assert max(map(len, printed("table", 50).splitlines())) <= 50


def test_json_has_the_same_for_a_program(printed):
    found = {entry["name"]: entry for entry in json.loads(printed("json"))}
    assert list(found) == list(MODELS)
    attention, mlp = found["attention"], found["mlp"]
    assert attention["parameters"] == ["wq", "wk", "wv", "w1", "w2", "b"]
    assert attention["quantities"] == {"C": "wq·wk·wv"}
    assert attention["settings"]["residual"]["choices"] == [True, False]
    assert mlp["quantities"] == {}
    assert mlp["settings"]["hidden"] == {
        "default": 2, "low": 1, "high": 64, "meaning": "the number of hidden units",
    }  # fmt: skip
    for entry in found.values():
        assert entry["formula"] == model(entry["name"]).formula
        for text, formula in entry["variations"].items():
            assert model(text).formula == formula
