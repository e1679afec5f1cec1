"""A study: its conditions, its runs on disk, and what is left of it when it ends before its time.

Most tests run on an abacus: a backend whose outcomes are a few sums on the initial parameters.
"""

import datetime
import errno
import json
import re
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from attnlogic import __version__
from attnlogic.backend import Backend
from attnlogic.errors import InputError
from attnlogic.optimizers.hyperparameters import FAMILIES, optimizer
from attnlogic.outcomes import NONE, History, concatenate, outcome
from attnlogic.problems.gates import gate
from attnlogic.problems.initializations import SEED_LIMIT, initial, initialization
from attnlogic.problems.model import NAMES, pack, unpack
from attnlogic.results import store
from attnlogic.studies import study as module
from attnlogic.studies.study import Study, run, seed_range


class Abacus:
    """A run's losses are |wq|, |wk|, |wv|, and what it learns is nothing.

    Outcomes come ``size`` at a time; after ``good`` of these the error is raised.
    """

    name = "abacus"
    seeds = 5

    def __init__(self, size=3, good=None, error=None):
        self.size, self.left, self.error = size, good, error

    def devices(self):
        return ["ten wires"]

    def versions(self):
        return {"abacus": "2700 BC"}

    def check(self, training, jobs):
        if training.optimizer.name == "lbfgs":
            raise InputError("an abacus has no 'lbfgs'")

    def train(self, training, initial, *, jobs=1, on_progress=None):
        packed = np.stack(pack(initial))
        for first in range(0, packed.shape[1], self.size):
            if self.left == 0:
                raise self.error
            self.left = None if self.left is None else self.left - 1
            some = packed[:, first : first + self.size].T
            done = [self.history(training, unpack(start)) for start in some]
            on_progress(len(done))
            yield concatenate([outcome(history, training.threshold) for history in done])

    def history(self, training, initial, *, on_progress=None):
        losses = np.abs(pack(initial)[:3]).astype(training.precision)
        return History(losses, losses, initial, initial, NONE, np.ones(losses.size, int), 0.0)


SMALL = Study(gates=["xor", "nand"], optimizers=["sgd", "adam"], seeds=10, threshold=0.3)


def test_the_abacus_is_a_backend_with_runs_of_several_kinds(tmp_path):
    assert isinstance(Abacus(), Backend)
    runs = run(SMALL, Abacus(), tmp_path / "study")
    assert runs.table()["status"].n_unique() > 1


# --- what a study is ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gates", "by", "expected"),
    [
        (["xor", "nand"], ["sgd", "adam"],
         ["xor sgd", "xor adam", "nand sgd", "nand adam"]),
        ("XOR", "adam", ["xor adam"]),
        (gate("or"), optimizer("adam(lr=1)"), ["or adam(lr=1)"]),
        (("0110", "xor", gate("xor"), "and", "parity"), ["adam", "Adam()", "adam(lr=0.05)"],
         ["xor adam", "and adam"]),
        (["xor"], ["sgd(lr=1)", "sgd", "sgd(lr=1.0)"], ["xor sgd(lr=1)", "xor sgd"]),
        # Read once only, whatever comes after.
        (iter(["xor", "or"]), iter(["sgd", "adam"]), ["xor sgd", "xor adam", "or sgd", "or adam"]),
    ],
)  # fmt: skip
def test_conditions_are_gates_times_optimizers_each_once(tmp_path, gates, by, expected):
    study = Study(gates=gates, optimizers=by, seeds=2)
    assert [f"{t.gate} {t.optimizer}" for t in study.trainings] == expected
    found = run(study, Abacus(), tmp_path / "study").table()
    pairs = found.select("gate", "optimizer").unique(maintain_order=True).iter_rows()
    assert [" ".join(pair) for pair in pairs] == expected


def test_the_default_study_is_the_notebooks():
    pairs = [(t.gate.name, t.optimizer.name) for t in Study().trainings]
    assert pairs == [(g, o) for g in ("xor", "nand") for o in FAMILIES]
    assert {t.threshold for t in Study().trainings} == {1e-4}


def test_a_budget_is_each_optimizers_own_unless_one_is_given():
    assert [t.epochs for t in Study().trainings[:5]] == [f.epochs for f in FAMILIES.values()]
    assert {t.epochs for t in Study(epochs=7).trainings} == {7}


@pytest.mark.parametrize(
    ("seeds", "expected"),
    [
        (1, range(1)),
        (SEED_LIMIT, range(SEED_LIMIT)),
        (range(5, 9), range(5, 9)),
        (range(SEED_LIMIT - 1, SEED_LIMIT), range(SEED_LIMIT - 1, SEED_LIMIT)),
        (np.int64(5), range(5)),
        (np.uint8(5), range(5)),
    ],
    ids=repr,
)
def test_seeds_are_a_number_or_a_range(seeds, expected):
    assert seed_range(seeds) == expected
    assert type(seed_range(seeds).stop) is int


@pytest.mark.parametrize(
    ("seeds", "fragment"),
    [
        (0, "at least one, got 0"),
        (-3, "at least one, got -3"),
        (range(9, 5), "at least one, got range(9, 5)"),
        (range(0, 10, 2), "range of step 1, got range(0, 10, 2)"),
        (range(9, 0, -1), "range of step 1"),
        (range(-1, 3), f"0 … {SEED_LIMIT - 1}, got -1 … 2"),
        (SEED_LIMIT + 1, f"0 … {SEED_LIMIT - 1}, got 0 … {SEED_LIMIT}"),
        (5.0, "a number or a range of step 1, got 5.0"),
        (True, "a number or a range of step 1, got True"),
        (np.True_, "a number or a range of step 1"),
        ("5", "a number or a range of step 1, got '5'"),
        ([1, 2], "a number or a range of step 1, got [1, 2]"),
    ],
    ids=repr,
)
def test_seeds_that_make_no_sense_are_refused(seeds, fragment):
    for refuse in (seed_range, lambda seeds: Study(seeds=seeds)):
        with pytest.raises(InputError) as error:
            refuse(seeds)
        assert fragment in str(error.value)


@pytest.mark.parametrize(
    ("study", "how", "fragment"),
    [
        ({"gates": ["xro"]}, {}, "did you mean 'xor'"),
        ({"gates": ["xor", 110]}, {}, "a gate is a name"),
        ({"gates": []}, {}, "at least one gate and one optimizer"),
        ({"optimizers": ["adamm"]}, {}, "did you mean 'adam'"),
        ({"optimizers": ["adam(lr=-1)"]}, {}, "expected a value above 0"),
        ({"optimizers": ()}, {}, "at least one gate and one optimizer"),
        ({"epochs": 0}, {}, "epochs"),
        ({"epochs": 1.5}, {}, "epochs"),
        ({"threshold": float("nan")}, {}, "threshold"),
        ({"threshold": 0}, {}, "threshold"),
        ({"precision": "float16"}, {}, "unknown precision"),
        ({"init": "torhc"}, {}, "did you mean 'torch'"),
        ({"until": "hits"}, {}, "did you mean 'hit'"),
        ({"init": "normal(scale=0)"}, {}, "scale"),
        ({"seeds": 0}, {}, "seeds"),
        ({}, {"backend": "jaxx"}, "did you mean 'jax'"),
        ({}, {"backend": object()}, "a backend is a name or a Backend"),
        ({}, {"backend": "jax", "jobs": 2}, "--jobs 2"),
        ({"optimizers": ["adam(amsgrad=True)"]}, {"backend": "jax"}, "no 'amsgrad'"),
        # Found before the first condition, which could be trained, has cost a minute.
        ({"optimizers": ["adam", "lbfgs"]}, {"backend": Abacus()}, "no 'lbfgs'"),
    ],
    ids=str,
)
def test_bad_input_is_refused_before_anything_is_made(tmp_path, monkeypatch, study, how, fragment):
    monkeypatch.chdir(tmp_path)
    for out in (None, tmp_path / "study"):
        with pytest.raises(InputError) as error:
            run(Study(**{"seeds": 2, **study}), **{"backend": Abacus(), "out": out, **how})
        assert fragment in str(error.value)
        assert [*tmp_path.iterdir()] == []


def test_a_folder_in_use_is_left_alone(tmp_path):
    runs = run(SMALL, Abacus(), tmp_path / "study")
    before = {path: path.stat().st_mtime_ns for path in runs.directory.rglob("*")}
    with pytest.raises(InputError, match="not empty"):
        run(SMALL, Abacus(), tmp_path / "study")
    assert {path: path.stat().st_mtime_ns for path in runs.directory.rglob("*")} == before


# --- the runs -----------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("init", ["torch", "uniform(scale=0.3)"])
def test_there_is_one_row_for_each_condition_and_seed(tmp_path, precision, init):
    study = Study(
        ["or", "and"], ["sgd(lr=2)", "adam"], range(7, 18), 9, 0.3, precision=precision, init=init
    )
    table = run(study, Abacus(), tmp_path / "study").table()
    assert [*table.select("gate", "optimizer", "seed").iter_rows()] == [
        (g, o, s) for g in ("or", "and") for o in ("sgd(lr=2)", "adam") for s in range(7, 18)
    ]
    # The abacus, worked by hand: losses |wq|, |wk|, |wv| of the seed that the row names.
    starts = np.stack(pack(initial(np.arange(7, 18), initialization(init))))
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
    study = Study(["xor"], ["adam"])
    assert len(run(study, Abacus(), tmp_path / "study")) == Abacus.seeds


def test_the_last_seeds_there_are(tmp_path):
    study = Study(["xor"], ["adam"], range(SEED_LIMIT - 4, SEED_LIMIT))
    found = run(study, Abacus(), tmp_path / "study").table()
    assert found["seed"].to_list() == [*range(SEED_LIMIT - 4, SEED_LIMIT)]


def parts(runs):
    return sorted(str(p.relative_to(runs.directory / "parts")) for p in
                  runs.directory.glob("parts/*/*"))  # fmt: skip


def test_a_short_study_is_one_part_a_condition(tmp_path):
    assert parts(run(SMALL, Abacus(), tmp_path / "study")) == [
        "000-xor-sgd/0-9.parquet",
        "001-xor-adam/0-9.parquet",
        "002-nand-sgd/0-9.parquet",
        "003-nand-adam/0-9.parquet",
    ]


@pytest.mark.parametrize(
    ("limits", "cuts"),
    [
        ({"STRETCH": 4}, ["0-3", "4-7", "8-9"]),
        ({"PART_ROWS": 1}, ["0-2", "3-5", "6-8", "9-9"]),
        ({"PART_ROWS": 6}, ["0-5", "6-9"]),
        ({"PART_SECONDS": -1.0}, ["0-2", "3-5", "6-8", "9-9"]),
        ({"PART_ROWS": 2, "STRETCH": 5}, ["0-2", "3-4", "5-7", "8-9"]),
        ({"STRETCH": 1}, [f"{seed}-{seed}" for seed in range(10)]),
    ],
    ids=str,
)
def test_how_the_work_is_cut_does_not_show_in_the_runs(tmp_path, monkeypatch, limits, cuts):
    whole = run(SMALL, Abacus(), tmp_path / "whole")
    for name, value in limits.items():
        monkeypatch.setattr(module, name, value)
    pieces = run(SMALL, Abacus(), tmp_path / "pieces")
    folders = [condition["parts"] for condition in pieces.description["conditions"]]
    assert parts(pieces) == [f"{folder}/{cut}.parquet" for folder in folders for cut in cuts]
    assert pieces.table().equals(whole.table())


def test_a_seeds_run_does_not_depend_on_the_seeds_beside_it(tmp_path):
    whole, first, second, few = (
        run(Study(["xor"], ["adamw"], seeds, epochs=40), "jax", tmp_path / str(seeds)).table()
        for seeds in (range(64), range(32), range(32, 64), range(3, 5))
    )
    assert pl.concat([first, second]).equals(whole)
    assert few.equals(whole[3:5])


# --- before its time ----------------------------------------------------------------------------

ERRORS = [KeyboardInterrupt(), RuntimeError("a wire snapped"), MemoryError()]


@pytest.mark.parametrize("good", [0, 1, 3, 4, 6])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_what_was_done_before_an_error_is_kept(tmp_path, error, good):
    whole = run(SMALL, Abacus(), tmp_path / "whole").table()
    with pytest.raises(type(error)) as raised:
        run(SMALL, Abacus(good=good, error=error), tmp_path / "study")
    assert raised.value is error
    done = 10 * (good // 4) + 3 * (good % 4)  # a condition has outcomes of 3, 3, 3 and 1 runs
    runs = store.load(tmp_path / "study")
    assert runs.table().equals(whole[:done])
    assert runs.description["seeds"] == {"first": 0, "count": 10}


@pytest.fixture
def troubled_disk(monkeypatch):
    """Makes ``store.write_part`` raise on its n-th calls, before or after it has written."""

    def trouble(error, calls, after=False):
        made, write = [], store.write_part

        def write_part(*args):
            made.append(args)
            if len(made) not in calls:
                write(*args)
                return
            if after:
                write(*args)
            raise error

        monkeypatch.setattr(store, "write_part", write_part)
        return made

    return trouble


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_interrupt_while_a_part_is_written_loses_nothing(
    tmp_path, monkeypatch, troubled_disk, after
):
    whole = run(SMALL, Abacus(), tmp_path / "whole").table()
    monkeypatch.setattr(module, "PART_ROWS", 1)
    troubled_disk(KeyboardInterrupt(), {2}, after)
    with pytest.raises(KeyboardInterrupt):
        run(SMALL, Abacus(), tmp_path / "study")
    runs = store.load(tmp_path / "study")
    assert runs.table().equals(whole[:6])
    assert parts(runs) == ["000-xor-sgd/0-2.parquet", "000-xor-sgd/3-5.parquet"]


def test_a_full_disk_is_the_error_raised_and_costs_only_what_did_not_fit(
    tmp_path, monkeypatch, troubled_disk
):
    whole = run(SMALL, Abacus(), tmp_path / "whole").table()
    monkeypatch.setattr(module, "PART_ROWS", 1)
    full = OSError(errno.ENOSPC, "No space left on device")
    calls = troubled_disk(full, set(range(3, 100)))
    with pytest.raises(OSError, match="No space left") as error:
        run(SMALL, Abacus(), tmp_path / "study")
    assert error.value.errno == errno.ENOSPC
    assert len(calls) <= 4  # it gives up, rather than train on in vain
    assert store.load(tmp_path / "study").table().equals(whole[:6])


# --- what is said of it -------------------------------------------------------------------------


def test_the_description_says_how_to_make_the_runs_again(tmp_path):
    before = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    study = Study(["nand"], ["adam(lr=0.1)", "sgd"], range(3, 8), threshold=0.01, init="normal")
    runs = run(study, Abacus(), tmp_path / "study", jobs=2)
    told = json.loads((tmp_path / "study" / "study.json").read_text())
    assert told == runs.description == store.load(tmp_path / "study").description
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
    assert run(again, Abacus(), tmp_path / "again").table().equals(runs.table())


def test_without_a_folder_it_gets_a_fresh_one_by_the_time_of_day(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(SMALL, Abacus())
    (found,) = (tmp_path / "runs").iterdir()
    assert re.fullmatch(r"\d{8}-\d{6}", found.name)
    assert len(store.load(found)) == 40


def test_two_studies_in_one_second_get_two_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    moment = datetime.datetime(2001, 2, 3, 4, 5, 6, tzinfo=datetime.UTC)
    clock = SimpleNamespace(datetime=SimpleNamespace(now=lambda *_: moment), UTC=datetime.UTC)
    monkeypatch.setattr(module, "datetime", clock)
    made = [str(run(SMALL, Abacus()).directory) for _ in range(3)]
    assert made == [f"runs/20010203-040506{suffix}" for suffix in ("", "-2", "-3")]


class Recorder:
    """What the progress bar is told."""

    def __init__(self, total, *, show=None):
        self.total, self.told, self.described = total, [], []
        Recorder.last = self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def describe(self, what):
        self.described.append(what)

    def advance(self, runs):
        self.told.append(runs)


@pytest.mark.parametrize("backend", [Abacus(), "jax"], ids=["abacus", "jax"])
def test_progress_adds_up_to_the_total(tmp_path, monkeypatch, backend):
    monkeypatch.setattr(module, "Progress", Recorder)
    monkeypatch.setattr(module, "STRETCH", 6)
    run(Study(["xor", "or"], ["adam"], 10, epochs=20), backend, tmp_path / "study")
    bar = Recorder.last
    assert bar.total == 20
    assert min(bar.told) >= 0
    assert sum(bar.told) == pytest.approx(20, rel=1e-12)  # jax tells shares of a run
    assert bar.described == ["xor · adam", "or · adam"]


@pytest.mark.parametrize(("show", "drawn"), [(True, True), (False, False), (None, False)])
def test_progress_is_drawn_on_stderr_if_at_all(tmp_path, capsys, show, drawn):
    run(SMALL, Abacus(), tmp_path / "study", progress=show)
    out, err = capsys.readouterr()
    assert out == ""
    assert ("40 of 40 runs" in err) == drawn
    assert bool(err) == drawn


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_starts_too_far_out_for_floats_diverge_without_a_warning(tmp_path, backend):
    far = Study(["xor"], ["adam", "polyak"], 3, epochs=3, init="normal(scale=1e30)")
    runs = run(far, backend, tmp_path / "far", progress=False).table()
    assert runs["status"].unique().to_list() == ["diverged"]
    assert np.isinf(runs["C_initial"].to_numpy()).all()
