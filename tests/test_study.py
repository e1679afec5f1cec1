"""A study as a value: its conditions, its normal form, and what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from abacus import Abacus

from attnlogic.errors import InputError, described
from attnlogic.optimizers import DEFAULT_STUDY, OPTIMIZERS, Optimizer, optimizer
from attnlogic.problems import SEED_LIMIT, Gate, Initialization, gate
from attnlogic.studies import Study, run, seed_range

# --- conditions ---------------------------------------------------------------------------------


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
        (np.array(["xor", "or"]), {"sgd": 1, "adam": 2},
         ["xor sgd", "xor adam", "or sgd", "or adam"]),
        # Read once only, whatever comes after.
        (iter(["xor", "or"]), iter(["sgd", "adam"]), ["xor sgd", "xor adam", "or sgd", "or adam"]),
    ],
)  # fmt: skip
def test_conditions_are_gates_times_optimizers_each_once(tmp_path, gates, by, expected):
    study = Study(gates=gates, optimizers=by, seeds=2)
    assert [f"{c.training.problem} {c.training.optimizer}" for c in study.conditions] == expected
    found = run(study, Abacus(), tmp_path / "study", progress=False).table()
    pairs = found.select("gate", "optimizer").unique(maintain_order=True).iter_rows()
    assert [" ".join(pair) for pair in pairs] == expected


def test_the_default_study_is_the_notebooks():
    pairs = [(c.training.problem.data.name, c.training.optimizer.name) for c in Study().conditions]
    assert pairs == [(g, o) for g in ("xor", "nand") for o in DEFAULT_STUDY]
    assert {c.training.threshold for c in Study().conditions} == {1e-4}


def test_a_budget_is_each_optimizers_own_unless_one_is_given():
    assert [c.training.epochs for c in Study().conditions[:5]] == [
        OPTIMIZERS[o].epochs for o in DEFAULT_STUDY
    ]
    assert {c.training.epochs for c in Study(epochs=7).conditions} == {7}


# --- seeds --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seeds", "expected"),
    [
        (1, range(1)),
        (1e6, range(1_000_000)),
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
        (0, "got 0, which is no seed"),
        (-3, "got -3, which is no seed"),
        (range(9, 5), "got range(9, 5), which is no seed"),
        (range(5, 5), "such as range(500, 1000), got range(5, 5)"),
        (range(0, 10, 2), "of step 1, got range(0, 10, 2)"),
        (range(9, 0, -1), "of step 1"),
        (range(-1, 3), f"0 … {SEED_LIMIT - 1}, got -1 … 2"),
        (SEED_LIMIT + 1, f"0 … {SEED_LIMIT - 1}, got 0 … {SEED_LIMIT}"),
        (2**70, f"0 … {SEED_LIMIT - 1}, got 0 … "),
        (range(2**70), f"0 … {SEED_LIMIT - 1}, got 0 … "),
        (10**5000, "such as 1000"),
        (5.5, "a number such as 1000, or a range such as range(500, 1000), got 5.5 (float)"),
        (float("nan"), "got nan"),
        (True, "got True (bool)"),
        (np.True_, "got np.True_"),
        ("5", "got '5' (str)"),
        ([1, 2], "got [1, 2] (list)"),
    ],
    ids=described,
)
def test_seeds_that_make_no_sense_are_refused(seeds, fragment):
    for refuse in (seed_range, lambda seeds: Study(seeds=seeds)):
        with pytest.raises(InputError) as error:
            refuse(seeds)
        assert str(error.value).startswith("seeds")
        assert fragment in str(error.value)


# --- the normal form ----------------------------------------------------------------------------

PLAIN = {
    "gates": ["xor"], "optimizers": ["adam(lr=0.1)"], "seeds": 4, "epochs": 30, "threshold": 0.1,
    "precision": "float32", "init": "normal(scale=0.5)", "until": "hit",
}  # fmt: skip
OTHERWISE = {
    "gates": [np.str_("XOR"), Gate("mine", (0, 1, 1, 0)), "0110"],
    "optimizers": np.array("adam(lr=1e-1)").reshape(1),
    "seeds": np.int16(4),
    "epochs": np.float64(30),
    "threshold": np.float64(0.1),
    "precision": np.str_("float32"),
    "init": Initialization("normal", (("scale", np.float64(0.5)),)),
    "until": np.str_("hit"),
}
FORMS = {name: {**PLAIN, name: other} for name, other in OTHERWISE.items()}
FORMS["an optimizer"] = {
    **PLAIN, "optimizers": Optimizer("adam", (("lr", np.float64(0.1)),)),
}  # fmt: skip
FORMS["a generator"] = {**PLAIN, "gates": (name for name in ["xor"])}


@pytest.mark.parametrize("given", [OTHERWISE, *FORMS.values()], ids=["all", *FORMS])
def test_however_it_is_written_a_study_is_one_value(given):
    study = Study(**given)
    assert study == Study(**PLAIN)
    assert hash(study) == hash(Study(**PLAIN))
    for name in PLAIN:
        kinds = {"gates": tuple, "optimizers": tuple, "seeds": range, "init": tuple}
        plain = kinds.get(name, type(PLAIN[name]))
        assert type(getattr(study, name)) is plain, name
    assert all(type(value) in (int, float, bool, str)
               for value in study.conditions[0].training.optimizer.settings.values())  # fmt: skip


@pytest.mark.parametrize("given", [OTHERWISE, *FORMS.values()], ids=["all", *FORMS])
def test_however_it_is_written_a_study_gives_the_same_rows(tmp_path, given):
    if not isinstance(given["gates"], list):
        given = {**given, "gates": ["xor"]}  # a generator is spent by now
    written = [
        run(Study(**form), "jax", tmp_path / name, progress=False)
        for name, form in (("one", PLAIN), ("other", given))
    ]
    one, other = (runs.table() for runs in written)
    assert one.equals(other)
    assert [*one["first_hit"]] != [None] * 4
    descriptions = [json.loads((tmp_path / n / "study.json").read_text()) for n in ("one", "other")]
    for description in descriptions:
        del description["created"], description["checksum"]
    assert descriptions[0] == descriptions[1]


def test_its_text_makes_it_again_and_is_short():
    for study in (Study(), Study(**PLAIN), Study("or", seeds=range(3, 9), precision="float64")):
        assert eval(repr(study)) == study
        assert len(repr(study)) < 200
    assert repr(Study("xor", "adam", 9)) == (
        "Study(gates=['xor'], optimizers=['adam'], seeds=range(0, 9))"
    )


def test_it_can_be_changed():
    longer = replace(Study(**PLAIN), epochs=60, seeds=8)
    assert longer == Study(**{**PLAIN, "epochs": 60, "seeds": 8})
    assert {c.training.epochs for c in longer.conditions} == {60}


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("study", "how", "fragment"),
    [
        ({"gates": ["xro"]}, {}, "did you mean 'xor'"),
        ({"gates": ["xor", 110]}, {}, "got 110"),
        (
            {"gates": 3},
            {},
            "gates: expected a name such as 'xor', or a list of at least one, got 3",
        ),
        ({"gates": None}, {}, "gates: expected"),
        ({"gates": []}, {}, "at least one, got [] (list)"),
        ({"optimizers": ["adamm"]}, {}, "did you mean 'adam'"),
        ({"optimizers": ["adam(lr=-1)"]}, {}, "above 0"),
        ({"optimizers": ["adam", "adam(lr=1e-60)"]}, {}, "float32 can hold"),
        ({"optimizers": ()}, {}, "at least one, got () (tuple)"),
        ({"optimizers": None}, {}, "optimizers: expected a name such as 'adam'"),
        ({"optimizers": torch.optim}, {}, "torch.optim"),
        ({"optimizers": [torch.optim]}, {}, "torch.optim"),
        ({"optimizers": 0.05}, {}, "got 0.05 (float)"),
        ({"epochs": 0}, {}, "epochs: expected a whole number in 1 … 2147483647, got 0"),
        ({"epochs": 1.5}, {}, "epochs"),
        ({"epochs": "5"}, {}, "epochs"),
        ({"threshold": float("nan")}, {}, "threshold"),
        ({"threshold": float("inf")}, {}, "threshold: expected a finite number above 0"),
        ({"threshold": 0}, {}, "threshold"),
        ({"threshold": "x"}, {}, "got 'x' (str)"),
        ({"threshold": None}, {}, "got None"),
        ({"threshold": 1e39}, {}, "threshold"),
        ({"threshold": 1e-50}, {}, "threshold"),
        ({"threshold": np.longdouble("1e4000")}, {}, "threshold"),
        ({"precision": "float16"}, {}, "unknown precision"),
        ({"precision": np.float32}, {}, "precision: expected a name"),
        ({"precision": ["float32"]}, {}, "precision: expected a name"),
        ({"init": "torhc"}, {}, "did you mean 'torch'"),
        ({"init": 3}, {}, "init: expected a name such as 'torch'"),
        ({"init": None}, {}, "init: expected a name such as 'torch'"),
        ({"until": "hits"}, {}, "unknown value of until 'hits': did you mean 'hit'"),
        ({"until": None}, {}, "value of until: expected a name"),
        ({"init": "normal(scale=0)"}, {}, "scale"),
        ({"seeds": 0}, {}, "seeds"),
        ({}, {"backend": "jaxx"}, "did you mean 'jax'"),
        ({}, {"backend": ("jax",)}, "a backend is a name or a Backend"),
        ({}, {"backend": 3}, "a backend is a name or a Backend"),
        ({}, {"backend": None}, "a backend is a name or a Backend"),
        ({}, {"backend": "jax", "jobs": 2}, "--jobs 2"),
        ({}, {"jobs": True}, "jobs: expected a whole number of at least 1, got True (bool)"),
        ({}, {"jobs": 0}, "jobs"),
        ({}, {"jobs": "2"}, "jobs"),
        ({"optimizers": ["lbfgs_zoom"]}, {"backend": "torch"}, "unknown optimizer of the torch"),
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


@pytest.mark.parametrize(("study", "out", "fragment"), [
    ("xor", None, "study: expected a Study such as Study('xor', 'adam'), got 'xor' (str)"),
    (Study("xor", "adam", 1), 3, "out: expected a folder such as 'runs/demo', got 3 (int)"),
])  # fmt: skip
def test_a_study_is_run_into_a_folder(tmp_path, monkeypatch, study, out, fragment):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as error:
        run(study, Abacus(), out)
    assert fragment in str(error.value)
    assert [*tmp_path.iterdir()] == []
