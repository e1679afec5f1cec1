"""The commands, as a user types them."""

import json
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import attnlogic
from attnlogic.optimizers import OPTIMIZERS
from attnlogic.problems import gates, neuron

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
    params = neuron.unpack([run["params"][name] for name in neuron.NAMES])
    assert neuron.invariant(params) == pytest.approx(run["C"], rel=1e-5)
    for x1, x2 in gates.ROWS:
        c = run["coefficients"]
        value = c["x1"] * x1 + c["x2"] * x2 + c["x1x2"] * x1 * x2 + c["bias"]
        assert value == pytest.approx(neuron.predict(params, (x1, x2)), abs=1e-5)


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
    trainings = [c.training for c in defaults.conditions]
    conditions = [(t.problem.data.name, t.optimizer.name, t.epochs) for t in trainings]
    budgets = {"adam": 8000, "adamw": 8000, "sgd": 8000, "lbfgs": 500, "polyak": 800}
    assert conditions == [(g, o, n) for g in ("xor", "nand") for o, n in budgets.items()]
    jax = attnlogic.backend.backend("jax")
    assert [jax.default_seeds(training) for training in trainings] == [1000] * 10


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


def test_a_long_budget_costs_nothing_where_a_run_ends_at_its_hit(type_in):
    """Twenty million epochs would take half a minute and gigabytes."""
    words = ("train", "xor", "--until", "hit", "--epochs", 20_000_000, "--json")
    code, out, _ = type_in(*words)
    assert code == 0
    assert len(json.loads(out)["losses"]) == 272
