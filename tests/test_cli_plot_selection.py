"""``attnlogic plot`` of several studies and of some of the runs: what it reads and how often."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
import synthetic
from synthetic import rows

import attnlogic
from attnlogic.results.choosing.sources import FolderSource
from attnlogic.statistics import CHARTS, STATISTICS, Statistic
from attnlogic.view import save

EVERY = pl.concat([rows("xor", "adam", range(40)), rows("or", "sgd", range(9))])


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Two studies in the folder in which the command is typed."""
    monkeypatch.chdir(tmp_path)
    synthetic.study(Path("a"), rows("xor", "adam", range(25)), rows("or", "sgd", range(9)))
    synthetic.study(Path("b"), rows("xor", "adam", range(20, 40)))
    return "a", "b"


def drawn(path):
    """A picture without the numbers of its clips and gradients, which the library counts on."""
    return re.sub(r"(clip|gradient_)\d+", r"\1", Path(path).read_text())


def picture(tmp_path, runs, name):
    save(CHARTS[name].chart(runs, name), tmp_path / "expected.svg")
    return drawn(tmp_path / "expected.svg")


@pytest.mark.parametrize(
    ("words", "chosen"),
    [
        ((), {}),
        (("--gate", "xor", "--where", "C < 0"), {"gate": "xor", "where": "C < 0"}),
        (
            ("--optimizer", "sgd", "--model", "attention"),
            {"optimizer": "sgd", "model": "attention"},
        ),
        (("--threshold", "1e-6"), {"threshold": 1e-6}),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["endings", "readout"])  # from populations, and from rows
def test_a_chart_is_of_the_runs_that_are_asked_for(type_in, folders, tmp_path, name, words, chosen):
    code, out, err = type_in("plot", *folders, name, *words)
    assert (code, out, err) == (0, "", f"wrote {name}.svg\n")
    found = drawn(f"{name}.svg")
    assert found == picture(tmp_path, attnlogic.select(EVERY, **chosen), name)
    assert ("Only runs of" in found) == bool({*chosen} - {"threshold"})


def test_tallies_and_studies_and_all_charts_of_some_runs(type_in, folders, tmp_path):
    assert type_in("tally", "a", "--gate", "or", "--out", "or.parquet")[0] == 0
    assert type_in("plot", "or.parquet", "b", "summary")[0] == 0
    some = pl.concat([rows("or", "sgd", range(9)), rows("xor", "adam", range(20, 40))])
    assert drawn("summary.svg") == picture(tmp_path, some, "summary")
    code, _, err = type_in("plot", *folders, "--all", "--gate", "or", "--threshold", "1e-6")
    assert code == 0
    chosen = attnlogic.select(EVERY, gate="or", threshold=1e-6)
    for name in ("starts", "C", "readout"):
        assert drawn(f"charts/{name}.svg") == picture(tmp_path, chosen, name)
    assert "stability: stability says what happened after the first hit" in err


def test_a_name_that_is_a_chart_and_a_folder(type_in, folders, tmp_path):
    """The last word is the chart; before it, and with --all, a path is meant where there is one."""
    os.rename("b", "endings")
    for words, of in [
        (("a",), ["a"]),
        (("endings",), ["endings"]),
        (("a", "endings"), ["a", "endings"]),
    ]:
        assert type_in("plot", *words, "endings", "-o", "one.svg")[0] == 0
        assert drawn("one.svg") == picture(tmp_path, of, "endings")
    assert type_in("plot", "a", "endings", "--all")[0] == 0
    assert drawn("charts/summary.svg") == picture(tmp_path, ["a", "endings"], "summary")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["a", "b"], "name a chart, or give --all"),
        (["nowhere"], "name a chart, or give --all"),
        (["a", "nowhere"], "unknown chart 'nowhere'"),
        (["C"], "Name a study before the chart: attnlogic plot DIR C"),
        (["C", "a"], "the chart comes last: attnlogic plot a C"),
        (["a", "C", "--all"], "'C' and --all"),
        (["a", "C", "times"], "'C' and 'times' are two charts: leave one, or give --all"),
        (["nowhere", "C"], "nowhere"),
        (["a", "C", "--gate", "xro"], "did you mean 'xor'"),
        (["a", "C", "--where", "C > 1e30"], "no run is left. Only runs of: where C > 1e30."),
        (["a", "--all", "--where", "C > 1e30"], "error: no run is left"),
        (["a", "stability", "--threshold", "1e-6"], "the training's own threshold"),
    ],
    ids=lambda x: x if isinstance(x, str) else " ".join(x),
)
def test_what_cannot_be_drawn_is_one_message(type_in, folders, tmp_path, words, says):
    before = {*tmp_path.iterdir()}
    code, out, err = type_in("plot", *words)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert says in err
    assert {*tmp_path.iterdir()} == before


def test_each_statistic_is_computed_once_and_the_runs_are_read_once(type_in, folders, monkeypatch):
    counts = Counter()

    def counted(owner, method, name):
        usual = getattr(owner, method)

        def call(self, *given):
            counts[name(self)] += 1
            return usual(self, *given)

        monkeypatch.setattr(owner, method, call)

    counted(Statistic, "_frame", lambda statistic: statistic.name)
    counted(FolderSource, "of_conditions", lambda source: str(source.runs.directory))
    assert type_in("plot", *folders, "--all")[0] == 0
    assert counts == dict.fromkeys([*STATISTICS, *folders], 1)
    for name in STATISTICS:
        counts.clear()
        type_in(name, *folders, "--plot", "a.svg")
        assert counts == dict.fromkeys([name, *folders], 1)


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("attnlogic plot ", []),
        ("attnlogic plot runs/a ", [*CHARTS]),
        ("attnlogic plot runs/a runs/b s", [name for name in CHARTS if name.startswith("s")]),
        ("attnlogic plot runs/a runs/", []),
        ("attnlogic plot --all runs/a ", []),
    ],
)
def test_the_tab_key_completes_charts_after_a_folder(words, offered):
    """Where nothing is offered the shell completes files."""
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv = ['attnlogic']; "
         "from attnlogic.cli import main; main()"],
        env={**os.environ, **asked, "_ATTNLOGIC_COMPLETE": "complete_bash"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == offered
