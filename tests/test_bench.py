"""The benchmark's contenders train alike, and its report says what was measured."""

import json
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
import torch

from attnlogic.backend import Training
from attnlogic.optimizers import optimizer
from attnlogic.problems import FLOATS, mean_squared_error, model, problem
from attnlogic.view.picture_files import save
from bench import (
    comparison,
    contenders,
    costs,
    native,
    plain_jax,
    plain_models,
    report,
    torch_batched,
)
from bench.machine import machine
from bench.models import OWN
from bench.probe import loops
from bench.work import Contender, Result, SkippedError

ROOT = Path(__file__).parent.parent
MACHINE = {"cpu": "abacus", "cores": 2, "device": "beads", "python": "3", "jax": "1",
           "optax": "2", "torch": "4"}  # fmt: skip


@pytest.fixture(autouse=True)
def _one_thread():
    """For 64 seeds torch's second thread only gets in the way."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def first_hits(prepare, by, threshold):
    training = Training(problem("xor"), optimizer(by), 300, threshold)
    try:
        return prepare(training, training.problem.initial(np.arange(64)))().first_hit
    except SkippedError as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize(
    ("prepare", "by", "threshold"),
    [
        (plain_jax.prepare, "adamw", 1e-4),
        (torch_batched.prepare, "adamw", 1e-4),
        (native.prepare, "adamw", 1e-4),
        (native.prepare, "adam", 1e-4),
        (native.prepare, "sgd", 0.05),
    ],
)
def test_contenders_hit_when_the_fast_path_does(prepare, by, threshold):
    """Nine of ten seeds: late hits of the others move with the rounding."""
    theirs = first_hits(prepare, by, threshold)
    ours = first_hits(contenders.attnlogic, by, threshold)
    hit = ours >= 0
    assert hit.sum() >= 10
    assert np.mean(comparison.alike(theirs, ours)[hit]) >= 0.9


@pytest.mark.parametrize("prepare", [plain_jax.prepare, native.prepare])
def test_polyaks_first_hits_have_the_same_distribution(prepare):
    """His steps amplify rounding, so that seeds cannot be compared one by one."""
    theirs = first_hits(prepare, "polyak", 1e-4)
    told = comparison.agreement(theirs, first_hits(contenders.attnlogic, "polyak", 1e-4), 300)
    comparison.check("contender", "polyak", 64, told)
    assert told["reached"] > 0.9


MODELS = (
    "attention", "attention(residual=False)", "attention(bias=False)", "attention(heads=2)",
    "attention(scores=softmax)", "linear", "mlp", "mlp(hidden=3,activation=relu)",
    "mlp(activation=sigmoid)", "mlp(activation=identity)",
)  # fmt: skip


@pytest.fixture
def _as_users_write():
    """Array code adds a vector to each row of a matrix, which the other tests forbid."""
    with jax.numpy_rank_promotion("allow"):
        yield


@pytest.mark.parametrize("of", MODELS)
@pytest.mark.usefixtures("_as_users_write")
def test_array_code_is_the_model(of):
    """Its loss at some parameters is that of the same model in Python's floats."""
    what = problem("01101001", model(of))
    packed = what.initial([3])[:, 0]
    params, loss = plain_models.array_code(what)
    outputs = [what.predict([float(p) for p in packed], x, FLOATS) for x in what.data.inputs]
    expected = mean_squared_error(outputs, what.data.targets)
    assert loss(params(packed)) == pytest.approx(expected, rel=1e-5)  # float32's sums


@pytest.mark.usefixtures("_as_users_write")
def test_a_users_own_loss_is_the_mlp_and_trains_alike_in_both():
    """Plain JAX is given the user's own loss; at one pytree it is what the model ``mlp`` gives."""
    own, of_arithmetic = problem("xor", OWN), problem("xor", "mlp")
    packed = of_arithmetic.initial([3])[:, 0]
    params, loss = plain_models.array_code(of_arithmetic)
    assert OWN.loss(params(packed), *data_of(own)) == loss(params(packed))
    training = Training(own, optimizer("adamw"), 300)
    starts = own.initial(np.arange(64))
    ours, theirs = (way.prepare(training, starts)() for way in contenders.of_any_model())
    assert (ours.first_hit >= 0).sum() >= 10
    assert np.mean(comparison.alike(theirs.first_hit, ours.first_hit)) >= 0.9


def data_of(what):
    return np.array(what.data.inputs, np.float32), np.array(what.data.targets, np.float32)


def test_an_epoch_has_a_loop_for_each_row_that_is_kept():
    """At least one for each of the optimizer's 12 rows and of the 17 of a run's statistics."""
    assert 12 <= loops(1024)["loops"] <= 60


def test_what_hits_less_often_is_not_timed():
    ours, rng = np.arange(1000), np.random.default_rng(0)
    theirs = np.where(rng.random(1000) < 0.05, -1, ours)
    timed = []

    def contender(name, hits):
        def run():
            timed.append(name)
            return Result(hits, 1000)

        return Contender(name, lambda training, starts: run)

    both = [contender("attnlogic", ours), contender("other", theirs)]
    with pytest.raises(comparison.DisagreementError, match="adam: 'other' does not train"):
        comparison.compare(comparison.on_xor("adam", 1000), both, 1000, 5)
    assert timed == ["attnlogic", "other"]  # once each, to be compared


def test_alike_forgives_two_epochs_or_two_percent_but_no_missing_hit():
    theirs, ours = np.array([12, 13, 510, 511, -1, 3, -1]), np.array([10, 10, 500, 500, -1, -1, 3])
    assert comparison.alike(theirs, ours).tolist() == [True, False, True, False, True, False, False]


def small_results():
    agreement = {"reached": 0.5, "attnlogic_reached": 0.25, "sign_p": 0.5, "first_hit_p": 0.4,
                 "alike": 1.0}  # fmt: skip
    row = {"contender": "attnlogic", "seeds": 100, "epochs": 10, "evaluations": 4000,
           "agreement": agreement, "seconds": [0.01, 0.5, 0.02], "first_seconds": 1.02,
           "cpu_seconds": [0.02, 0.04, 1.0]}  # fmt: skip
    slow = {**row, "contender": "torch", "seeds": 10, "evaluations": 200, "seconds": [2.0],
            "first_seconds": 2.5, "cpu_seconds": [4.0]}  # fmt: skip
    left_out = {"contender": "C", "seeds": 100, "epochs": 10, "skipped": "no C compiler"}
    work = {"optimizer": "lbfgs", "contenders": [row, slow, left_out]}
    other = {"model": "mlp", "gate": "parity3", "parameters": 11, "threshold": 1e-4,
             "contenders": [row, slow]}  # fmt: skip
    points = [{"optimizer": "adamw", "seeds": n, "epochs": 10, "chunk": n, "seconds": [0.1 * n],
               "first_seconds": 1.0, "peak_bytes": 2**28, "device": "cpu"}
              for n in (1, 10)]  # fmt: skip
    study = {"seeds": 7, "epochs": 8, "wall_seconds": [3.0], "train_seconds": [2.0],
             "peak_bytes": 2**28, "stored_bytes": 2**20, "compiles": True}  # fmt: skip
    measured = {
        "comparison": [work],
        "models": [other],
        "costs": {"seeds": points, "epochs": points, "optimizers": points, "loops": 7},
        "accelerator": points,
        "startup": {"help": [0.1], "python": [0.01], "import": [0.02]},
        "studies": [study],
    }
    parts = {name: {"date": "2000-01-01", "machine": MACHINE} for name in measured}
    return {name: {**parts[name], "measured": value} for name, value in measured.items()}


def test_the_tables_say_what_was_measured():
    text = report.markdown(small_results())
    lines = text.splitlines()
    assert "abacus, 2 cores, JAX on beads, python 3, jax 1, optax 2, torch 4; 2000-01-01." in lines
    # 1000 seed-epochs in 0.02 s, the median; torch's 100 in 2 s.
    assert (
        "| lbfgs | attnlogic | 100 × 10 | 0.02 (0.01–0.5) | 5.00e+04 | 1 | 50.00% / 25.00% | 0.4 "
        "| 100.0% |" in lines
    )
    assert any(
        line.startswith("| lbfgs | torch | 10 × 10 | 2 (2–2) | 5.00e+01 | 1,000 |")
        for line in lines
    )
    assert "| lbfgs | C | left out: no C compiler | – | – | – | – | – | – |" in lines
    # By CPU time 1000 seed-epochs in 0.04 s, torch's 100 in 4 s.
    assert (
        "| mlp | parity3 | 11 | 5.00e+04 | 5.00e+01 | 1,000 | 1,000 | 1.0 | 0.5 | 0.0001 | 0.4 "
        "| 100.0% |" in lines
    )
    assert "attnlogic 2.00e+05, torch 1.00e+02, ratio 2,000." in text
    assert "| 7 × 8 | new | 3 (3–3) | 2 (2–2) | 1.50 | 256 | 1.0 |" in lines
    for table in text.split("\n\n"):  # every row has a cell for every column
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_the_picture_has_its_panels(tmp_path):
    save(report.chart(small_results()["costs"]["measured"]), tmp_path / "cost.svg")
    picture = (tmp_path / "cost.svg").read_text(encoding="utf-8")
    for title in ("seconds", "peak memory, MiB", "adamw, 10 epochs", "1 seeds, 10 epochs"):
        assert f">{title}</text>" in picture


def test_the_readme_has_the_markers_and_only_what_is_between_them_is_replaced(tmp_path):
    whole = (ROOT / "bench" / "README.md").read_text(encoding="utf-8")
    assert whole.count(report.BEGIN) == whole.count(report.END) == 1
    copy = tmp_path / "README.md"
    copy.write_text(whole, encoding="utf-8")
    for text in ("first\n", "second\n"):
        report.write(text, copy)
    before, after = whole.split(report.BEGIN)[0], whole.split(report.END)[1]
    expected = f"{before}{report.BEGIN}\nsecond\n{report.END}{after}"
    assert copy.read_text(encoding="utf-8") == expected
    copy.write_text("no markers", encoding="utf-8")
    with pytest.raises(ValueError, match="expected <!-- results -->"):
        report.write("text", copy)


def test_a_point_is_measured_in_a_process_of_its_own():
    held = np.ones(2**26)  # 512 MiB here are not the other process' peak
    told = costs.point("sgd", 64, 10, 2, chunk=32)
    assert held.nbytes > 2**28
    assert len(told["seconds"]) == 2
    assert min(told["seconds"]) > 0
    assert 2**26 < told["peak_bytes"] < 2**30 - 1


def test_a_study_is_measured_without_compiled_code_and_with_it():
    """Which of the two is faster depends on the machine, and is not asked here."""
    first, again = costs.study(64, 10, 1)
    for measured, compiles in ((first, True), (again, False)):
        assert measured["compiles"] is compiles
        assert len(measured["train_seconds"]) == len(measured["wall_seconds"]) == 1
        assert min(*measured["train_seconds"], *measured["wall_seconds"]) > 0
        assert measured["stored_bytes"] > 0
        assert measured["peak_bytes"] > 2**20


def test_one_part_is_measured_and_the_others_are_kept(tmp_path):
    file = tmp_path / "results.json"
    file.write_text(json.dumps({"studies": small_results()["studies"]}), encoding="utf-8")
    command = [sys.executable, "-m", "bench", "--quick", "--only", "startup", "--out", tmp_path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results = json.loads(file.read_text(encoding="utf-8"))
    assert set(results) == {"studies", "startup"}
    assert len(results["startup"]["measured"]["help"]) == 3
    assert results["startup"]["machine"] == machine()
    assert "### Start" in done.stdout
    assert "| 7 × 8 |" in done.stdout
