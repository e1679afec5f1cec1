"""Backends are found by name, and one that is broken says how to mend it."""

from dataclasses import replace
from importlib.metadata import EntryPoint

import numpy as np
import pytest

from attnlogic.backend import GROUP, Backend, Training, backend, checked, names, one_condition
from attnlogic.backend import registry as module
from attnlogic.errors import InputError
from attnlogic.optimizers import optimizer
from attnlogic.problems import gate, problem

GOOD = """
class Good:
    name = "good"
    def default_seeds(self, training): return 3
    def devices(self): return ["abacus"]
    def versions(self): return {}
    def check(self, training, jobs): pass
    def train(self, batch, *, jobs=1, on_progress=None): raise NotImplementedError
    def history(self, training, initial, *, on_progress=None): raise NotImplementedError
backend = Good()
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Registers a backend whose module has the given source."""

    def register(name, source, attribute="backend"):
        if source is not None:
            (tmp_path / f"attnlogic_plugin_{name}.py").write_text(source)
        entry = EntryPoint(name, f"attnlogic_plugin_{name}:{attribute}", GROUP)
        monkeypatch.setattr(module, "_registered", lambda: {name: entry})

    monkeypatch.syspath_prepend(tmp_path)
    return register


def test_the_two_of_this_package_are_registered():
    assert {"jax", "torch"} <= set(names())
    assert names() == sorted(names())


def test_a_third_partys_backend_is_found(plugin):
    plugin("good", GOOD)
    found = backend("good")
    assert isinstance(found, Backend)
    assert found.devices() == ["abacus"]
    assert backend(found) is found
    assert names() == ["good"]


@pytest.mark.parametrize(
    ("name", "source", "fragments"),
    [
        (
            "needy",
            "import a_package_that_nobody_has",
            ["'needy'", "'a_package_that_nobody_has'", "not installed", "with pip"],
        ),
        ("absent", None, ["'absent'", "'attnlogic_plugin_absent'", "not installed"]),
        (
            "broken",
            "raise RuntimeError('no accelerator')",
            ["'broken'", "RuntimeError('no accelerator')", "mend or uninstall"],
        ),
        ("typo", "def f(:", ["'typo'", "SyntaxError", "mend or uninstall"]),
        ("empty", "", ["'empty'", "AttributeError", "attnlogic_plugin_empty:backend"]),
        ("poor", "backend = object()", ["'poor'", "lacks methods of attnlogic.backend.Backend"]),
        ("half", GOOD.replace("def train", "def trian"), ["'half'", "lacks methods"]),
    ],
)
def test_a_broken_backend_says_how_to_mend_it(plugin, name, source, fragments):
    plugin(name, source)
    with pytest.raises(InputError) as error:
        backend(name)
    for fragment in fragments:
        assert fragment in str(error.value)


@pytest.mark.parametrize(
    ("name", "fragments"),
    [
        ("jaxx", ["unknown backend 'jaxx'", "did you mean 'jax'", "known: "]),
        ("", ["unknown backend ''", "torch"]),
    ],
)
def test_an_unknown_backend(name, fragments):
    with pytest.raises(InputError) as error:
        backend(name)
    for fragment in fragments:
        assert fragment in str(error.value)


@pytest.mark.parametrize("other", ["one:backend", "two:backend"])
def test_two_packages_with_one_name_conflict_unless_they_are_the_same(monkeypatch, other):
    entries = [EntryPoint("mine", value, GROUP) for value in ("one:backend", other)]
    monkeypatch.setattr(module, "entry_points", lambda group: entries)
    uncached = module._registered.__wrapped__
    if other == "one:backend":
        assert list(uncached()) == ["mine"]
    else:
        with pytest.raises(InputError, match=r"'mine'.*one:backend and two:backend.*uninstall"):
            uncached()


TRAINING = Training(problem("xor"), optimizer("adam"), epochs=10)


def test_a_training_that_makes_sense_is_passed_on():
    longest = replace(TRAINING, epochs=2**31 - 1, threshold=1e9, precision="float64")
    for training in (TRAINING, replace(TRAINING, epochs=1), longest):
        assert checked(training) == training


def test_numpys_numbers_become_pythons():
    passed = checked(replace(TRAINING, epochs=np.int64(7), threshold=np.float64(0.5)))
    assert (type(passed.epochs), type(passed.threshold)) == (int, float)
    assert (passed.epochs, passed.threshold) == (7, 0.5)


def test_equal_trainings_are_one_key():
    assert {TRAINING: 1}[Training(problem("0110"), optimizer("Adam()"), 10)] == 1


@pytest.mark.parametrize("what", ["xor", "0110", gate("xor"), problem("xor")], ids=repr)
def test_what_is_trained_becomes_a_problem(what):
    assert checked(replace(TRAINING, problem=what)) == TRAINING


def test_trainings_of_one_kind_differ_in_targets_alone_or_numbers():
    assert replace(TRAINING, problem=problem("nand")).kind == TRAINING.kind
    for change in (
        {"problem": problem("xor", "attention(bias=False)")},
        {"problem": problem("xor", encoding="pm1")},
        {"problem": problem("00000001")},
        {"optimizer": optimizer("sgd")},
        {"epochs": 11},
        {"threshold": 1e-3},
        {"precision": "float64"},
        {"until": "hit"},
    ):
        assert replace(TRAINING, **change).kind != TRAINING.kind, change


def test_runs_of_one_condition_are_a_batch_from_packed_parameters_or_the_models_own():
    packed = TRAINING.problem.initial(range(5))
    for initial in (packed, TRAINING.problem.unpack(packed)):
        batch = one_condition(replace(TRAINING, problem=gate("xor")), initial)
        assert batch.trainings == (TRAINING,)
        assert batch.which.tolist() == [0] * 5
        assert batch.which.dtype == np.int32
        np.testing.assert_array_equal(batch.initial, packed)


@pytest.mark.parametrize(
    ("change", "fragments"),
    [
        ({"epochs": 0}, ["epochs", "whole number in 1 …", "got 0"]),
        ({"epochs": -5}, ["epochs", "-5"]),
        ({"epochs": 10.5}, ["epochs", "10.5"]),
        ({"epochs": "10"}, ["epochs", "'10'"]),
        ({"epochs": True}, ["epochs", "got True"]),
        ({"threshold": True}, ["threshold", "got True"]),
        ({"epochs": 2**31}, ["epochs", "2147483648"]),
        ({"threshold": 0}, ["threshold", "above 0"]),
        ({"threshold": -1e-4}, ["threshold", "-0.0001"]),
        ({"threshold": float("nan")}, ["threshold", "nan"]),
        ({"threshold": float("inf")}, ["threshold", "inf"]),
        ({"threshold": 1e-60}, ["threshold", "1.18e-38", "float32", "1e-60"]),
        ({"threshold": 1e60}, ["threshold", "3.4e+38", "float32", "1e+60"]),
        ({"precision": "float16"}, ["unknown precision 'float16'", "known: float32, float64"]),
        ({"precision": "Float64"}, ["did you mean 'float64'"]),
    ],
    ids=str,
)
def test_a_training_that_makes_no_sense_is_refused(change, fragments):
    with pytest.raises(InputError) as error:
        checked(replace(TRAINING, **change))
    for fragment in fragments:
        assert fragment in str(error.value)
