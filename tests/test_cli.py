"""The commands, as a user types them."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import attnlogic
from attnlogic.cli import entry as cli
from attnlogic.cli.options import read_seeds
from attnlogic.errors import InputError
from attnlogic.optimizers import OPTIMIZERS
from attnlogic.problems import gates, model
from attnlogic.statistics.intervals import INTERVALS

NOTEBOOK = [
    "0.8390",
    "0.1130",
    "0.0257",
    "0.0036",
    "0.0005",
    "0.0001",
    "0.0001",
    "0.0000",
    "0.0000",
]
"""XOR, AdamW, seed 0: the loss at epochs 0, 50, …, 400."""


@pytest.fixture
def type_in(monkeypatch, capfd):
    """Runs ``attnlogic`` with these words: exit code, stdout, stderr."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["attnlogic", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = capfd.readouterr()
        return end.value.code or 0, out, err

    monkeypatch.setenv("COLUMNS", "120")
    return run


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A small study's folder."""
    chosen = attnlogic.Study(["xor", "true"], ["adam", "sgd(lr=50)"], seeds=8, epochs=300)
    return attnlogic.run(chosen, out=tmp_path_factory.mktemp("study") / "demo", progress=False)


def test_help_teaches_and_imports_nothing_heavy():
    command = [sys.executable, "-X", "importtime", "-m", "attnlogic", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for command in ("study", "train", "summary", "runs", "gates", "optimizers", "backends"):
        assert command in done.stdout
    imported = {line.split("|")[-1].strip() for line in done.stderr.splitlines()}
    assert "typer" in imported
    assert not imported & {"jax", "torch", "optax", "numpy", "scipy", "polars", "altair"}


def test_completion_imports_no_framework():
    script = (
        "import sys; from attnlogic.cli import options; "
        "names = options.gate_names(), options.optimizer_names(), options.backend_names(); "
        "assert {'xor', 'adamw', 'jax'} < set().union(*names); "
        "assert not {'jax', 'torch', 'optax', 'chex', 'polars'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_version_is_the_packages(type_in):
    assert type_in("--version") == (0, f"{attnlogic.__version__}\n", "")


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_train_prints_the_notebooks_figures(type_in, backend):
    words = ("train", "xor", "-o", "adamw", "--seed", 0, "--epochs", 401, "--backend", backend)
    code, out, err = type_in(*words)
    assert (code, err) == (0, "")
    lines = [line.split(", loss = ") for line in out.splitlines() if line.startswith("Epoch ")]
    assert [epoch for epoch, _ in lines] == [f"Epoch {50 * i}" for i in range(9)]
    # The notebook prints four places, and so 0.0000 at the end: here that has its digits.
    assert [float(loss) for _, loss in lines] == pytest.approx([*map(float, NOTEBOOK)], abs=5.1e-5)
    assert lines[-1][1].endswith("e-05")
    assert "Threshold 0.0001: first reached at epoch 2" in out
    assert "C = wq·wk·wv = −0.50" in out


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_nand_with_adam_ends_as_in_the_notebook(type_in, backend):
    words = ("train", "nand", "-o", "adam", "--epochs", 2000, "--backend", backend, "--json")
    code, out, _ = type_in(*words)
    run = json.loads(out)
    params = run["params"]
    assert (code, run["status"]) == (0, "solved")
    # The notebook's figures have a distance to the exact solution of this order.
    assert run["C"] == pytest.approx(-1, abs=2e-3)
    assert params["w1"] + params["w2"] == pytest.approx(1, abs=2e-3)
    assert params["b"] == pytest.approx(1, abs=2e-3)


def test_json_of_a_run_is_one_object_that_fits_together(type_in):
    code, out, err = type_in("train", "XOR", "-o", "adamw(lr=0.05)", "--epochs", 300, "--json")
    run = json.loads(out)
    assert (code, err) == (0, "")
    asked = "gate optimizer seed backend epochs losses first_hit rises final_loss status params C"
    assert {*asked.split(), "coefficients"} <= set(run)
    assert (run["gate"], run["optimizer"], run["seed"]) == ("xor", "adamw", 0)
    losses, hit = run["losses"], run["first_hit"]
    assert len(losses) == run["epochs"] == 300
    assert run["final_loss"] == losses[-1]
    assert losses[hit] <= 1e-4 < min(losses[:hit])
    assert run["rises"] == sum(np.diff(losses[hit:]) > 0)
    params = model.unpack([run["params"][name] for name in model.NAMES])
    assert model.invariant(params) == pytest.approx(run["C"], rel=1e-5)
    for x1, x2 in gates.ROWS:
        c = run["coefficients"]
        value = c["x1"] * x1 + c["x2"] * x2 + c["x1x2"] * x1 * x2 + c["bias"]
        assert value == pytest.approx(model.predict(params, (x1, x2)), abs=1e-5)


def test_json_of_a_run_that_diverges_has_nulls(type_in):
    code, out, _ = type_in("train", "xor", "-o", "sgd(lr=50)", "--json", "--epochs", 100)
    run = json.loads(out, parse_constant=pytest.fail)
    assert (code, run["status"], run["C"], run["final_loss"]) == (0, "diverged", None, None)
    assert run["losses"][-1] is None
    assert set(run["params"].values()) == {None}


@pytest.mark.parametrize("ending", ["svg", "png", "html"])
def test_train_draws_the_losses(type_in, tmp_path, ending):
    path = tmp_path / f"loss.{ending}"
    words = ("train", "xor", "--epochs", 300, "--plot", path, "--from", 100)
    code, out, err = type_in(*words)
    assert (code, err) == (0, f"wrote {path}\n")
    assert "Epoch 0, loss = 0.8390" in out
    starts = {"svg": b"<svg", "png": b"\x89PNG", "html": b"<!DOCTYPE html>"}
    assert path.read_bytes().lstrip().startswith(starts[ending])


def test_a_study_ends_with_a_table_and_says_where_the_runs_are(type_in, tmp_path):
    out_dir = tmp_path / "a" / "b"
    words = ("study", "xor", "0111", "-o", "adam", "-o", "adamw(lr=0.01)", "--seeds", "5:9")
    code, out, err = type_in(*words, "--epochs", 50, "--out", out_dir)
    assert code == 0
    assert err.endswith(f"16 runs in {out_dir}: attnlogic summary {out_dir}\n")
    for word in ("xor", "or", "adam", "adamw(lr=0.01)", "reached"):
        assert word in out
    runs = attnlogic.load(out_dir).table()
    assert runs["seed"].to_list() == [5, 6, 7, 8] * 4
    assert runs["epochs"].unique().to_list() == [50]


def test_runs_until_their_hit(type_in, tmp_path):
    words = ("xor", "-o", "adamw", "--epochs", 400, "--until", "hit")
    assert type_in("study", *words, "--seeds", 9, "--out", tmp_path / "demo")[0] == 0
    runs = attnlogic.load(tmp_path / "demo").table()
    assert runs["until"].unique().to_list() == ["hit"]
    hit = runs.filter(pl.col("first_hit").is_not_null())
    assert hit["evaluations"].to_list() == (hit["first_hit"] + 1).to_list()
    assert hit["C"].equals(hit["C_first_hit"], check_names=False)
    run = json.loads(type_in("train", *words, "--json")[1])
    assert len(run["losses"]) == run["first_hit"] + 1 == 272
    assert (run["until"], run["status"]) == ("hit", "solved")


def test_a_study_with_torch_is_the_same_study(type_in, tmp_path):
    words = ("study", "nand", "-o", "adam", "--seeds", 3, "--epochs", 40, "--precision", "float64")
    for backend in ("jax", "torch"):
        assert type_in(*words, "--backend", backend, "--out", tmp_path / backend)[0] == 0
    jax, torch = (attnlogic.load(tmp_path / name).table() for name in ("jax", "torch"))
    assert jax.schema == torch.schema
    columns = ["seed", "status", "evaluations", "final_loss", "C"]
    # 40 epochs in float64 agree to the contract's 1e-9.
    assert_frame_equal(jax[columns], torch[columns], rel_tol=1e-9)


def test_the_default_study_is_the_notebooks():
    defaults = attnlogic.Study()
    conditions = [(t.gate.name, t.optimizer.name, t.epochs) for t in defaults.trainings]
    budgets = {"adam": 8000, "adamw": 8000, "sgd": 8000, "lbfgs": 500, "polyak": 800}
    assert conditions == [(g, o, n) for g in ("xor", "nand") for o, n in budgets.items()]
    assert attnlogic.backend.backend("jax").seeds == 1000


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
                        (("tally", file, file, "--out", tmp_path / "new"), "twice")):  # fmt: skip
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


def test_the_lists_name_everything(type_in):
    listed = type_in("gates")[1]
    for gate in attnlogic.GATES:
        assert gate.bits in listed
    listed = type_in("optimizers")[1]
    for name, family in OPTIMIZERS.items():
        assert name in listed
        for hyperparameter in family.settings:
            assert f"{hyperparameter}=" in listed
    listed = type_in("backends")[1]
    for word in ("jax", "optax", "torch", "cpu", "yes"):
        assert word in listed


def test_a_backend_that_is_not_installed_is_listed_with_the_mend(type_in, monkeypatch):
    monkeypatch.setitem(sys.modules, "attnlogic_torch", None)
    code, listed, _ = type_in("backends")
    assert code == 0
    assert "pip install 'attnlogic[torch]'" in listed


BAD = {
    "study xro": ["unknown gate 'xro'", "did you mean 'xor'", "0110"],
    "study 011": ["'011'", "3 bits"],
    "study -o adan": ["unknown optimizer 'adan'", "did you mean 'adam'", "lbfgs"],
    "study -o adam(lr=x)": ["lr of adam", "expected a finite number above 0", "'x'"],
    "study -o adam(rl=1)": ["'rl'", "lr"],
    "study -o adam(": ["adam(", "name(key=value"],
    "study -o adam(amsgrad=1)": ["amsgrad", "--backend torch"],
    "study --seeds 0": ["--seeds 0 has no seed", "from 1"],
    "study --seeds -5": ["--seeds", "'-5'"],
    "study --seeds 5:2": ["--seeds 5:2 has no seed", "such as 5:1005"],
    "study --seeds 5:5": ["--seeds 5:5 has no seed"],
    "study --seeds -3": ["seeds are numbers from 0", "'-3'"],
    "study --seeds many": ["--seeds", "'many'"],
    "study --seeds 4294967290:4294967297": ["4294967295"],
    "study --epochs 0": ["epochs", "got 0"],
    "study --epochs few": ["--epochs"],
    "study --threshold 0": ["threshold", "above 0"],
    "study --threshold nan": ["threshold", "nan"],
    "study --backend jx": ["unknown backend 'jx'", "did you mean 'jax'"],
    "study --precision float16": ["unknown precision 'float16'", "float32"],
    "study --init xavier": ["unknown initialization 'xavier'", "normal"],
    "study --init normal(scale=0)": ["scale of normal", "1e-37"],
    "study --until hti": ["unknown value of until 'hti'", "did you mean 'hit'"],
    "study --jobs 2": ["--jobs 2", "leave it out"],
    "study --jobs 0 --backend torch": ["jobs", "got 0"],
    "study --out .": ["not empty", "--out"],
    "study --nonsense": ["--nonsense"],
    "train": ["gate"],
    "train xor --seed -1": ["seed", "-1"],
    "train xor --seed 4294967296": ["4294967295", "4294967296"],
    "train xor --every 0": ["--every", "0"],
    "train xor --plot loss.jpg": ["loss.jpg", ".svg"],
    "train xor --from 5": ["--from 5", "--plot"],
    "summary nowhere": ["nowhere", "study.json"],
    "runs nowhere": ["nowhere", "study.json"],
    "train xor --plot nowhere/a.svg": ["no folder 'nowhere'", "make it first"],
    "ladder . --plot nowhere/a.svg": ["no folder 'nowhere'"],
    "tally . --out nowhere/t.parquet": ["no folder 'nowhere'"],
    "summary . --level 1": ["level", "0.95"],
    "starts . --bins 3": ["bins", "even", "3"],
    "basins file": ["'file'", "every run"],
    "summary . --interval wald": ["unknown interval 'wald'", "jeffreys"],
    "times nowhere": ["nowhere", "study.json"],
    "endings nowhere": ["nowhere", "study.json"],
    "solutions nowhere": ["nowhere", "study.json"],
    "ladder nowhere": ["nowhere", "study.json"],
    "ladder . --plot x.jpg": ["x.jpg", ".svg"],
    "tally nowhere --out new.parquet": ["nowhere", "study.json"],
    "tally .": ["--out"],
    "summary file": ["'file'", "tally"],
    "compare file": ["'file'", "every run"],
    "stability nowhere": ["nowhere", "study.json"],
    "starts nowhere": ["nowhere", "study.json"],
    "curvature nowhere": ["nowhere", "study.json"],
    "compare nowhere": ["nowhere", "study.json"],
    "theory xro": ["unknown gate 'xro'"],
    "summary . --format pdf": ["pdf", "markdown"],
    "sudy": ["sudy"],
}


@pytest.mark.parametrize("words", BAD)
def test_bad_input_is_one_screen_and_exit_code_2(type_in, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("a study needs an empty folder")
    code, out, err = type_in(*words.split())
    assert code == 2
    assert out == ""
    assert "Traceback" not in err
    assert len(err.splitlines()) <= 12
    for fragment in BAD[words]:
        assert fragment in err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]  # nothing was begun


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("3", range(3)), ("2:5", range(2, 5)), ("10_000", range(10_000)), ("0:1", range(1))],
)
def test_seeds_are_a_number_or_a_range(text, seeds):
    assert read_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", ":", "1:", ":5", "1:2:3", "1.5", "5:5", "-3"])
def test_other_seeds_are_refused(text):
    with pytest.raises(InputError, match="--seeds"):
        read_seeds(text)


def test_parquet_is_not_printed_on_a_terminal(type_in, study, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    code, out, err = type_in("runs", study.directory, "--format", "parquet")
    assert (code, out) == (2, "")
    assert "> FILE" in err


def test_a_full_disk_keeps_what_was_written(type_in, tmp_path, monkeypatch):
    from attnlogic.studies import running as store

    write = store.write_part

    def full(directory, condition, rows):
        if "adamw" in condition:
            raise OSError(28, "No space left on device")
        write(directory, condition, rows)

    monkeypatch.setattr(store, "write_part", full)
    words = ("study", "xor", "-o", "adam", "-o", "adamw", "--seeds", 4, "--epochs", 8)
    code, _, err = type_in(*words, "--out", tmp_path / "demo")
    assert code == 1
    assert "No space left" in err
    assert "4 finished runs are kept" in err
    assert "Traceback" not in err
    assert len(attnlogic.load(tmp_path / "demo")) == 4


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_ctrl_c_keeps_what_is_done_and_says_how_to_read_it(tmp_path):
    directory = tmp_path / "demo"
    # L-BFGS for two billion epochs: only an interrupt ends it. SGD before it is soon done.
    words = ["xor", "-o", "sgd(lr=50)", "-o", "lbfgs(tolerance_change=0)", "--seeds", "16"]
    command = [sys.executable, "-m", "attnlogic", "study", *words, "--epochs", "20000"]
    with subprocess.Popen(
        [*command, "--out", str(directory)], stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 120
        while not list(directory.glob("parts/*/*.parquet")) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        error = process.communicate(timeout=60)[1]
    assert process.returncode == 130, error
    assert "16 finished runs are kept" in error
    assert f"attnlogic summary {directory}" in error
    assert "Traceback" not in error
    assert attnlogic.load(directory).table()["optimizer"].unique().to_list() == ["sgd(lr=50)"]


def test_a_reader_that_stops_early_is_no_error(study):
    command = f"{sys.executable} -m attnlogic runs {study.directory} | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("gate,optimizer,seed,")
    assert done.stderr == ""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_ctrl_c_shows_what_there_is_of_a_long_run():
    """Two billion epochs: only an interrupt ends it."""
    command = [sys.executable, "-m", "attnlogic", "train", "xor", "--epochs", "2000000000"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        # The first line about progress comes when some parts are there.
        assert "epochs" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert "first reached at epoch 271" in out
    assert "Learned parameters" in out
    assert "interrupted after" in error
    assert "Traceback" not in error


def test_a_long_budget_costs_nothing_where_a_run_ends_at_its_hit(type_in):
    """Twenty million epochs would take half a minute and gigabytes."""
    words = ("train", "xor", "--until", "hit", "--epochs", 20_000_000, "--json")
    code, out, _ = type_in(*words)
    assert code == 0
    assert len(json.loads(out)["losses"]) == 272


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
    """Every statistic of them is that of the study."""
    printed = type_in("runs", study.directory, "--format", form)[1].encode()
    rows = pl.read_csv(io.BytesIO(printed)) if form == "csv" else pl.read_json(io.BytesIO(printed))
    for statistic in attnlogic.STATISTICS.values():
        assert_frame_equal(statistic(rows), statistic(study))
