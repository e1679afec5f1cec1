"""Running a study: its runs on disk, and what is left when it ends before its time.

Most tests run on an abacus: a backend whose outcomes are a few sums on the initial parameters.
"""

import datetime
import json
import re
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from abacus import SMALL, Abacus, part_names, work

from attnlogic import __version__, summary
from attnlogic.backend import Backend
from attnlogic.problems import NAMES, SEED_LIMIT, initial_params, initialization, pack
from attnlogic.results import load
from attnlogic.studies import Study, estimate, folders, parts, pieces, run, running

# --- the runs -----------------------------------------------------------------------------------


def test_the_abacus_is_a_backend_with_runs_of_several_kinds(tmp_path):
    assert isinstance(Abacus(), Backend)
    assert work(tmp_path / "study").table()["status"].n_unique() > 1


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("init", ["torch", "uniform(scale=0.3)"])
def test_there_is_one_row_for_each_condition_and_seed(tmp_path, precision, init):
    study = Study(
        ["or", "and"], ["sgd(lr=2)", "adam"], range(7, 18), 9, 0.3, precision=precision, init=init
    )
    table = work(tmp_path / "study", study=study).table()
    assert [*table.select("gate", "optimizer", "seed").iter_rows()] == [
        (g, o, s) for g in ("or", "and") for o in ("sgd(lr=2)", "adam") for s in range(7, 18)
    ]
    # The abacus, worked by hand: losses |wq|, |wk|, |wv| of the seed that the row names.
    starts = np.stack(pack(initial_params(np.arange(7, 18), initialization(init))))
    losses = np.abs(starts[:3])
    for _, rows in table.group_by("gate", "optimizer"):
        np.testing.assert_array_equal(
            rows.select(f"{n}_initial" for n in NAMES).to_numpy().T, starts
        )
        np.testing.assert_array_equal(rows["final_loss"], losses[2])
        np.testing.assert_array_equal(rows["min_loss"], losses.min(0))
        hits = [next((t for t in range(3) if run[t] <= 0.3), None) for run in losses.T]
        assert rows["first_hit"].to_list() == hits
    same = {"epochs": 9, "threshold": 0.3, "precision": precision, "init": init}
    for name, value in {**same, "backend": "abacus"}.items():
        assert table[name].unique().to_list() == [value]


def test_without_seeds_each_condition_has_as_many_as_the_backend_says(tmp_path):
    study = Study(["xor", "nand"], ["adam", "sgd"])
    expected = {"adam": 5, "sgd": 7}
    runs = work(tmp_path / "study", study=study)
    found = runs.table().group_by("gate", "optimizer").agg(pl.col("seed").sort())
    assert {(gate, by): seeds for gate, by, seeds in found.rows()} == {
        (gate, by): [*range(n)] for gate in ("xor", "nand") for by, n in expected.items()
    }
    assert estimate(study, Abacus()).runs == len(runs) == runs.asked == 24
    assert {row["runs"] for row in summary(runs).rows(named=True)} == {5, 7}


def test_the_last_seeds_there_are(tmp_path):
    study = Study("xor", "adam", range(SEED_LIMIT - 4, SEED_LIMIT))
    found = work(tmp_path / "study", study=study).table()
    assert found["seed"].to_list() == [*range(SEED_LIMIT - 4, SEED_LIMIT)]


def test_a_short_study_is_one_part_a_kind_of_conditions(tmp_path):
    names = ["000-sgd/0-9", "001-adam/0-9"]
    assert part_names(work(tmp_path / "study")) == names


@pytest.mark.parametrize(
    ("rows", "at_once", "cuts"),
    [
        (10**6, 4, [4] * 5),
        (10**6, 10, [10, 10]),
        (1, 10**6, [3] * 6 + [2]),
        (6, 10**6, [6, 6, 6, 2]),
        (2, 5, [3, 2] * 4),
        (10**6, 1, [1] * 20),
    ],
)
def test_how_the_work_is_cut_does_not_show_in_the_runs(tmp_path, monkeypatch, rows, at_once, cuts):
    whole = work(tmp_path / "whole")
    monkeypatch.setattr(parts, "PART_ROWS", rows)
    monkeypatch.setattr(pieces, "RUNS_AT_ONCE", at_once)
    found = work(tmp_path / "pieces")
    sizes = [part.rows for part in found.inventory().parts]
    assert sorted(sizes) == sorted(cuts + cuts)  # of two kinds
    assert found.table().equals(whole.table())


def test_a_seeds_run_does_not_depend_on_the_seeds_beside_it(tmp_path):
    whole, first, second, few = (
        work(tmp_path / str(seeds), "jax", Study("xor", "adamw", seeds, epochs=40)).table()
        for seeds in (range(64), range(32), range(32, 64), range(3, 5))
    )
    assert pl.concat([first, second]).equals(whole)
    assert few.equals(whole[3:5])


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_starts_too_far_out_for_floats_diverge_without_a_warning(tmp_path, backend):
    far = Study("xor", ["adam", "polyak"], 3, epochs=3, init="normal(scale=1e30)")
    runs = work(tmp_path / "far", backend, far).table()
    assert runs["status"].unique().to_list() == ["diverged"]
    assert np.isinf(runs["C_initial"].to_numpy()).all()


# --- where it goes ------------------------------------------------------------------------------


def test_without_a_folder_it_gets_a_fresh_one_by_the_time_of_day(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    work(None)
    (found,) = (tmp_path / "runs").iterdir()
    assert re.fullmatch(r"\d{8}-\d{6}", found.name)
    assert len(load(found)) == 40


def test_two_studies_in_one_second_get_two_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    moment = datetime.datetime(2001, 2, 3, 4, 5, 6, tzinfo=datetime.UTC)
    clock = SimpleNamespace(datetime=SimpleNamespace(now=lambda *_: moment), UTC=datetime.UTC)
    monkeypatch.setattr(folders, "datetime", clock)
    made = [str(work(None, again=True).directory) for _ in range(3)]
    assert made == [f"runs/20010203-040506{suffix}" for suffix in ("", "-2", "-3")]


# --- what is said of it -------------------------------------------------------------------------


def test_the_description_says_how_to_make_the_runs_again(tmp_path):
    before = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    study = Study(["nand"], ["adam(lr=0.1)", "sgd"], range(3, 8), threshold=0.01, init="normal")
    runs = work(tmp_path / "study", study=study, jobs=2)
    told = json.loads((tmp_path / "study" / "study.json").read_text())
    assert told == runs.description == load(tmp_path / "study").description
    created = datetime.datetime.fromisoformat(told.pop("created"))
    assert before <= created <= datetime.datetime.now(datetime.UTC)
    versions = told.pop("versions")
    assert versions.keys() == {"python", "numpy", "abacus"}
    assert versions["numpy"] == np.__version__
    assert told.pop("machine") in told.pop("platform")
    assert told.pop("attnlogic") == __version__
    first, second = told.pop("conditions")
    assert len({told.pop("checksum"), first.pop("digest"), second["digest"]}) == 3
    assert told == {
        "format": 3,
        "backend": "abacus", "devices": ["ten wires"], "jobs": 2, "precision": "float32",
        "threshold": 0.01, "until": "budget", "data": {},
        "kinds": [
            {
                "parts": parts, "model": "attention", "quantities": {"C": "wq·wk·wv"},
                "parameters": ["wq", "wk", "wv", "w1", "w2", "b"],
            }
            for parts in ("000-adam", "001-sgd")
        ],
    }  # fmt: skip
    assert first == {
        "gate": "nand", "optimizer": "adam(lr=0.1)", "epochs": 8000, "init": "normal",
        "model": "attention", "encoding": "01", "kind": 0, "seeds": [[3, 8]],
    }  # fmt: skip
    assert second["optimizer"] == "sgd"
    again = Study(
        [first["gate"]], [first["optimizer"], second["optimizer"]], range(3, 8),
        threshold=told["threshold"], init=first["init"],
    )  # fmt: skip
    assert work(tmp_path / "again", study=again).table().equals(runs.table())


class Recorder:
    """A progress bar that remembers what it was given."""

    def __init__(self, total, unit="run", *, show=None):
        self.total, self.advanced, self.described = total, [], []
        Recorder.last = self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def describe(self, what):
        self.described.append(what)

    def advance(self, runs):
        self.advanced.append(runs)


@pytest.mark.parametrize("backend", [Abacus(), "jax"], ids=["abacus", "jax"])
def test_progress_adds_up_to_the_total(tmp_path, monkeypatch, backend):
    monkeypatch.setattr(running, "Progress", Recorder)
    monkeypatch.setattr(pieces, "RUNS_AT_ONCE", 6)
    work(tmp_path / "study", backend, Study(["xor", "or"], "adam", 10, epochs=20))
    bar = Recorder.last
    assert bar.total == 20
    assert min(bar.advanced) >= 0
    assert sum(bar.advanced) == pytest.approx(20, rel=1e-12)  # jax gives shares of a run
    assert bar.described == ["adam: 2 conditions"]


@pytest.mark.parametrize(("show", "drawn"), [(True, True), (False, False), (None, False)])
def test_progress_is_drawn_on_stderr_if_at_all(tmp_path, capsys, show, drawn):
    run(SMALL, Abacus(), tmp_path / "study", progress=show)
    out, err = capsys.readouterr()
    assert out == ""
    assert ("40 of 40 runs" in err) == drawn
    assert bool(err) == drawn
