"""``attnlogic plot`` and the pictures of several seeds, as a user types them."""

import json

import pytest

import attnlogic
from attnlogic.cli.plot import listed
from attnlogic.statistics import CHARTS


def test_a_chart_is_drawn_from_a_folder_and_from_a_tally(type_in, study, tmp_path):
    picture, file = tmp_path / "a.png", tmp_path / "tally.parquet"
    words = ("plot", study.directory, "endings", "-o", picture, "--theme", "dark")
    assert type_in(*words) == (0, "", f"wrote {picture}\n")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert type_in("tally", study.directory, "--out", file)[0] == 0
    for source in (study.directory, file):
        assert type_in("plot", source, "summary", "-o", tmp_path / f"{source.name}.svg")[0] == 0
    of_rows, of_tally = (tmp_path / f"{name}.svg" for name in (study.directory.name, file.name))
    assert of_rows.read_text() == of_tally.read_text()


def test_without_a_file_it_takes_the_charts_name(type_in, study, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert type_in("plot", study.directory, "summary") == (0, "", "wrote summary.svg\n")
    assert (tmp_path / "summary.svg").exists()


def test_all_charts_that_have_something_to_draw(type_in, study, tmp_path):
    folder = tmp_path / "charts"
    code, out, err = type_in("plot", study.directory, "--all", "-o", folder)
    assert (code, out) == (0, "")
    written = {path.stem for path in folder.iterdir()}
    assert {"summary", "endings", "C", "paths", "compare"} <= written
    said = err.splitlines()
    assert len(said) == len(CHARTS)
    for name in CHARTS:
        if name in written:
            assert f"wrote {folder / name}.svg" in said
        else:
            assert any(line.startswith(f"{name}: ") for line in said), name


@pytest.mark.parametrize(
    ("words", "fragments"),
    [
        (["solutions"], ["unknown chart 'solutions'", listed()]),
        ([], ["name a chart, or give --all", "C            The C that runs end with"]),
        (["C", "--all"], ["'C' and --all", "leave one"]),
        (["C", "-o", "a.jpg"], ["a.jpg", ".svg, .png, .pdf, .html"]),
        (["C", "-o", "nowhere/a.svg"], ["no folder 'nowhere'"]),
        (["--all", "-o", "nowhere/a"], ["no folder 'nowhere'"]),
        (["sweep"], ["nothing to", "adam"]),
    ],
    ids=str,
)
def test_bad_input_is_one_message(type_in, study, tmp_path, monkeypatch, words, fragments):
    monkeypatch.chdir(tmp_path)
    if words == ["sweep"]:
        fragments = ["there is no sweep in these runs"]
    code, out, err = type_in("plot", study.directory, *words)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    for fragment in fragments:
        assert fragment in err
    assert not [*tmp_path.iterdir()]


def test_the_help_lists_every_chart(type_in):
    out = type_in("plot", "--help")[1]
    for statistic in CHARTS.values():
        for chart in statistic.charts:
            assert chart.about in out


# --- train --------------------------------------------------------------------------------------


def test_several_seeds_have_a_line_each_and_one_picture(type_in, tmp_path):
    picture = tmp_path / "losses.svg"
    words = ("train", "xor", "--seeds", "3:6", "--epochs", 200, "--plot", picture)
    code, out, err = type_in(*words)
    assert (code, err) == (0, f"wrote {picture}\n")
    lines = [line for line in out.splitlines() if line.startswith("seed ")]
    assert [line.split(":")[0] for line in lines] == ["seed 3", "seed 4", "seed 5"]
    run = attnlogic.train("xor", "adamw", 3, epochs=200, progress=False)
    assert f"seed 3: {run.status}, " in lines[0]
    assert f"C = {run.outcome.quantities['C']:.4f}".replace("-", "−") in lines[0]
    assert "seeds 3 … 5" in picture.read_text()


def test_seeds_in_json_are_a_list(type_in):
    code, out, _ = type_in("train", "xor", "--seeds", 2, "--epochs", 20, "--json")
    assert code == 0
    assert [run["seed"] for run in json.loads(out)] == [0, 1]


def test_a_quiet_run_has_no_trace(type_in):
    words = ("train", "xor", "--epochs", 60)
    loud, quiet = (type_in(*words, *more)[1] for more in ([], ["-q"]))
    assert "Epoch 0, loss" in loud
    assert "Epoch 0, loss" not in quiet
    kept = [line for line in loud.splitlines() if line and not line.startswith("Epoch ")]
    assert [line for line in quiet.splitlines() if line] == kept


@pytest.mark.parametrize(
    ("words", "fragment"),
    [
        (["--seeds", "3:3"], "has no seed"),
        (["--seeds", "3", "--seed", "1"], "--seed 1 and --seeds 3"),
        (["--seeds", "3", "--every", "5"], "--every prints the trace of one seed"),
    ],
    ids=str,
)
def test_what_does_not_go_together_is_refused(type_in, words, fragment):
    code, out, err = type_in("train", "xor", *words)
    assert (code, out) == (2, "")
    assert fragment in err


# --- notebooks ----------------------------------------------------------------------------------


def test_a_notebook_shows_the_summary_of_runs_escaped(tmp_path):
    cases = tmp_path / "<b>x.csv"
    cases.write_text("x1,x2,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    study = attnlogic.Study([attnlogic.read_data(cases)], "adam", seeds=3, epochs=20)
    runs = attnlogic.run(study, out=tmp_path / "demo", progress=False)
    shown = runs._repr_html_()
    assert "3 runs of 1 condition" in shown
    assert "<td" in shown
    assert "&lt;b&gt;x.csv" in shown
    assert "<b>" not in shown
    broken = next((tmp_path / "demo" / "parts").rglob("*.parquet"))
    broken.write_bytes(b"no parquet")
    assert "cannot read" in attnlogic.load(tmp_path / "demo")._repr_html_()
