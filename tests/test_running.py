"""Running a study: its runs on disk, and what is left when it ends before its time.

Most tests run on an abacus: a backend whose outcomes are a few sums on the initial parameters.
"""

import datetime
import errno
import json
import os
import re
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from abacus import Abacus

from attnlogic import __version__
from attnlogic.backend import Backend
from attnlogic.errors import InputError
from attnlogic.problems import SEED_LIMIT, initial_params, initialization
from attnlogic.problems.model import NAMES, pack
from attnlogic.results import files, load, writing
from attnlogic.studies import Study, parts, run, running

SMALL = Study(gates=["xor", "nand"], optimizers=["sgd", "adam"], seeds=10, threshold=0.3)


def work(out, backend=None, study=SMALL, **how):
    return run(study, backend or Abacus(), out, progress=False, **how)


def left(directory):
    """All that there is in a folder, but for the folders themselves."""
    return sorted(str(p.relative_to(directory)) for p in directory.rglob("*"))


def part_names(runs):
    return sorted(str(p.relative_to(runs.directory / "parts")) for p in runs.part_files())


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


def test_without_seeds_there_are_as_many_as_the_backend_says(tmp_path):
    assert len(work(tmp_path / "study", study=Study("xor", "adam"))) == Abacus.seeds


def test_the_last_seeds_there_are(tmp_path):
    study = Study("xor", "adam", range(SEED_LIMIT - 4, SEED_LIMIT))
    found = work(tmp_path / "study", study=study).table()
    assert found["seed"].to_list() == [*range(SEED_LIMIT - 4, SEED_LIMIT)]


def test_a_short_study_is_one_part_a_condition(tmp_path):
    assert part_names(work(tmp_path / "study")) == [
        "000-xor-sgd/0-9.parquet",
        "001-xor-adam/0-9.parquet",
        "002-nand-sgd/0-9.parquet",
        "003-nand-adam/0-9.parquet",
    ]


@pytest.mark.parametrize(
    ("rows", "at_once", "cuts"),
    [
        (10**6, 4, ["0-3", "4-7", "8-9"]),
        (1, 10**6, ["0-2", "3-5", "6-8", "9-9"]),
        (6, 10**6, ["0-5", "6-9"]),
        (2, 5, ["0-2", "3-4", "5-7", "8-9"]),
        (10**6, 1, [f"{seed}-{seed}" for seed in range(10)]),
    ],
)
def test_how_the_work_is_cut_does_not_show_in_the_runs(tmp_path, monkeypatch, rows, at_once, cuts):
    whole = work(tmp_path / "whole")
    monkeypatch.setattr(parts, "PART_ROWS", rows)
    monkeypatch.setattr(running, "SEEDS_AT_ONCE", at_once)
    pieces = work(tmp_path / "pieces")
    folders = [condition["parts"] for condition in pieces.description["conditions"]]
    assert part_names(pieces) == [f"{folder}/{cut}.parquet" for folder in folders for cut in cuts]
    assert pieces.table().equals(whole.table())


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


# --- before its time ----------------------------------------------------------------------------

ERRORS = [KeyboardInterrupt(), RuntimeError("a wire snapped"), MemoryError()]


@pytest.mark.parametrize("good", [1, 3, 4, 6])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_what_was_done_before_an_error_is_kept(tmp_path, error, good):
    whole = work(tmp_path / "whole").table()
    with pytest.raises(type(error)) as raised:
        work(tmp_path / "study", Abacus(good=good, error=error))
    assert raised.value is error
    done = 10 * (good // 4) + 3 * (good % 4)  # a condition has outcomes of 3, 3, 3 and 1 runs
    runs = load(tmp_path / "study")
    assert runs.table().equals(whole[:done])
    assert runs.description["seeds"] == {"first": 0, "count": 10}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("out", [None, "study", "deep/er/still", "deep/../other", "empty"])
def test_a_study_without_a_run_leaves_nothing(tmp_path, monkeypatch, error, out):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").write_text("keep")
    before = left(tmp_path)
    with pytest.raises(type(error)) as raised:
        work(out, Abacus(good=0, error=error))
    assert raised.value is error
    assert left(tmp_path) == before


def test_what_others_put_there_meanwhile_is_kept(tmp_path):
    class Busy(Abacus):
        def train(self, *_, **__):
            (tmp_path / "runs" / "another").mkdir()
            (tmp_path / "runs" / "mine" / "notes").write_text("keep")
            raise RuntimeError("a wire snapped")

    with pytest.raises(RuntimeError):
        work(tmp_path / "runs" / "mine", Busy())
    assert left(tmp_path) == ["runs", "runs/another", "runs/mine", "runs/mine/notes"]


def test_a_backends_work_is_ended_with_the_study(tmp_path, monkeypatch):
    ended = []

    class Watched(Abacus):
        def train(self, *args, **rest):
            try:
                yield from super().train(*args, **rest)
            finally:
                ended.append(True)

    def write_part(*_):
        assert not ended
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(parts, "PART_ROWS", 1)
    monkeypatch.setattr(running, "write_part", write_part)
    with pytest.raises(OSError, match="No space"):
        work(tmp_path / "study", Watched())
    assert ended == [True]
    assert left(tmp_path) == []


@pytest.fixture
def troubled_disk(monkeypatch):
    """Makes the n-th writings of a part raise, before or after it has been written."""

    def trouble(error, calls, after=False):
        made, write = [], writing.write_part

        def write_part(*args):
            made.append(args)
            if len(made) not in calls:
                write(*args)
                return
            if after:
                write(*args)
            raise error

        monkeypatch.setattr(running, "write_part", write_part)
        return made

    return trouble


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_interrupt_while_a_part_is_written_loses_nothing(
    tmp_path, monkeypatch, troubled_disk, after
):
    whole = work(tmp_path / "whole").table()
    monkeypatch.setattr(parts, "PART_ROWS", 1)
    troubled_disk(KeyboardInterrupt(), {2}, after)
    with pytest.raises(KeyboardInterrupt):
        work(tmp_path / "study")
    runs = load(tmp_path / "study")
    assert runs.table().equals(whole[:6])
    assert part_names(runs) == ["000-xor-sgd/0-2.parquet", "000-xor-sgd/3-5.parquet"]


def test_a_full_disk_is_the_error_raised_and_costs_only_what_did_not_fit(tmp_path, monkeypatch):
    whole = work(tmp_path / "whole").table()
    monkeypatch.setattr(parts, "PART_ROWS", 1)
    calls, fsync = [], os.fsync

    def full(file):
        calls.append(file)
        if len(calls) > 3:  # the description and two parts
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(file)

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as error:
        work(tmp_path / "study")
    assert error.value.errno == errno.ENOSPC
    part = tmp_path / "study" / "parts" / "000-xor-sgd" / "6-8.parquet"
    assert str(error.value) == f"[Errno 28] No space left on device: '{part}'"
    assert len(calls) <= 5  # it gives up, rather than train on in vain
    assert load(tmp_path / "study").table().equals(whole[:6])


# --- where it goes ------------------------------------------------------------------------------


def test_a_folder_in_use_is_left_alone(tmp_path):
    runs = work(tmp_path / "study")
    before = {path: path.stat().st_mtime_ns for path in runs.directory.rglob("*")}
    with pytest.raises(InputError, match="not empty"):
        work(tmp_path / "study")
    assert {path: path.stat().st_mtime_ns for path in runs.directory.rglob("*")} == before


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
    monkeypatch.setattr(running, "datetime", clock)
    made = [str(work(None).directory) for _ in range(3)]
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
    assert isinstance(told.pop("platform"), str)
    assert told.pop("attnlogic") == __version__
    first, second = told.pop("conditions")
    assert told == {
        "backend": "abacus", "devices": ["ten wires"], "jobs": 2, "precision": "float32",
        "threshold": 0.01, "init": "normal", "until": "budget", "seeds": {"first": 3, "count": 5},
    }  # fmt: skip
    assert first == {
        "gate": "nand", "targets": "1110", "optimizer": "adam(lr=0.1)",
        "hyperparameters": {
            "lr": 0.1, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0,
            "amsgrad": False, "gamma": 1.0,
        },
        "epochs": 8000, "parts": "000-nand-adam",
    }  # fmt: skip
    assert (second["optimizer"], second["parts"]) == ("sgd", "001-nand-sgd")
    again = Study(
        [first["gate"]], [first["optimizer"], second["optimizer"]], range(3, 8),
        threshold=told["threshold"], init=told["init"],
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
    monkeypatch.setattr(running, "SEEDS_AT_ONCE", 6)
    work(tmp_path / "study", backend, Study(["xor", "or"], "adam", 10, epochs=20))
    bar = Recorder.last
    assert bar.total == 20
    assert min(bar.advanced) >= 0
    assert sum(bar.advanced) == pytest.approx(20, rel=1e-12)  # jax gives shares of a run
    assert bar.described == ["xor · adam", "or · adam"]


@pytest.mark.parametrize(("show", "drawn"), [(True, True), (False, False), (None, False)])
def test_progress_is_drawn_on_stderr_if_at_all(tmp_path, capsys, show, drawn):
    run(SMALL, Abacus(), tmp_path / "study", progress=show)
    out, err = capsys.readouterr()
    assert out == ""
    assert ("40 of 40 runs" in err) == drawn
    assert bool(err) == drawn
