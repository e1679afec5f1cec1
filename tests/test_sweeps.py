"""Sweeps: every combination of values, in the order of the text, each once."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnlogic.errors import InputError
from attnlogic.optimizers import optimizer, optimizers
from attnlogic.problems import initialization, initializations
from attnlogic.settings import Setting
from attnlogic.sweeps import sweep

KNOWN = {
    "hidden": Setting(2, "units", low=1, high=1000),
    "activation": Setting("tanh", "its name", choices=("tanh", "relu")),
    "bias": Setting(True, "whether there is one"),
    "scale": Setting(1.0, "a number", low=0, open_low=True),
    "decay": Setting(
        "none",
        "how it falls",
        choices={
            "none": {},
            "step": {"every": Setting(9, "epochs", low=1), "by": Setting(0.5, "")},
        },
    ),
}


def choices(text):
    _, found = sweep("model", text, "mlp(hidden=2)", lambda name: KNOWN)
    return [tuple(one.values()) for one in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mlp", [()]),
        ("mlp(hidden=3)", [(3,)]),
        ("mlp(hidden=[2,4,8])", [(2,), (4,), (8,)]),
        ("mlp(hidden=[2])", [(2,)]),
        ("mlp(hidden=[2, 4,])", [(2,), (4,)]),
        ("mlp(hidden=[2, 2.0, 2])", [(2,)]),
        ("mlp(hidden=2..8:3)", [(2,), (5,), (8,)]),
        ("mlp(hidden=[1, 2..4:3, 3..5:3])", [(1,), (2,), (3,), (4,), (5,)]),
        ("mlp(hidden=1..8:log:4)", [(1,), (2,), (4,), (8,)]),
        ("mlp(scale=0.1..10:log:3)", [(0.1,), (1.0,), (10.0,)]),
        ("mlp(bias=[true, False])", [(True,), (False,)]),
        ("mlp(activation=[ReLU, tanh])", [("relu",), ("tanh",)]),
        ("mlp(decay=step)", [("step",)]),
        ("mlp(decay=[none, step(every=[1, 2])])",
         [("none",), ("step(every=1)",), ("step(every=2)",)]),
        ("mlp(decay=step(every=1..3:3, by=[0.5, 0.1]))",
         [("step(every=1)",), ("step(every=1,by=0.1)",), ("step(every=2)",),
          ("step(every=2,by=0.1)",), ("step(every=3)",), ("step(every=3,by=0.1)",)]),
        ("mlp(scale=[1, 2], hidden=[4, 3])", [(1.0, 4), (1.0, 3), (2.0, 4), (2.0, 3)]),
        ("optax:lion(b1=[0.9, 0.8], mask=None)", [(0.9, None), (0.8, None)]),
        ("torch:A(betas=[(0.9, 0.99), (0.8, 0.9)])", [((0.9, 0.99),), ((0.8, 0.9),)]),
        ("torch:A(n=1..3:3, w=1..2:3)", [(n, w) for n in (1, 2, 3) for w in (1.0, 1.5, 2.0)]),
        ("torch:A(n=[1, True, 1.0, 1])", [(1,), (True,), (1.0,)]),
    ],
)  # fmt: skip
def test_what_a_text_stands_for(text, expected):
    found = choices(text)
    assert repr(found) == repr(expected)  # 1, 1.0 and True are equal


@given(st.lists(st.lists(st.integers(1, 1000), min_size=1, max_size=4, unique=True), max_size=4))
def test_the_first_setting_changes_slowest(lists):
    keys = ["a", "b", "c", "d"][: len(lists)]
    text = f"x:y({', '.join(f'{k}={v}' for k, v in zip(keys, lists, strict=True))})"
    assert choices(text) == list(itertools.product(*lists))


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("mlp(hidden=[])", "hidden of mlp: the list is empty: give at least one value"),
        ("mlp(hidden=[[1, 2]])", "hidden of mlp: expected single values in a list, got a list"),
        ("mlp(hidden=1..10:5)", "hidden of mlp: expected whole numbers, but point 2 of 1..10:5"),
        ("mlp(hidden=1..2000:2000)", "point 1001 of 1..2000:2000 for hidden of mlp: expected a"),
        ("mlp(hidden=[1, 2000])", "hidden of mlp: expected a whole number in 1 … 1000, got 2000"),
        ("mlp(scale=0..1:3)", "point 1 of 0..1:3 for scale of mlp: expected a finite number above"),
        ("mlp(scale=[1, fast])", "scale of mlp: expected a finite number above 0, got 'fast'"),
        ("mlp(scale=[1, nan])", "scale of mlp: expected a finite number above 0"),
        ("mlp(scale=[1, 1e999])", "scale of mlp: expected a finite number above 0, got inf"),
        ("mlp(bias=0..1:2)", "bias of mlp: expected no range, got 0..1:2: write a list of [True,"),
        ("mlp(activation=0..1:2)", "expected no range, got 0..1:2: write a list of [tanh, relu]"),
        ("mlp(activation=[tanh, rely])", "unknown activation of mlp 'rely': did you mean 'relu'"),
        ("mlp(activation=tanh(x=1))", "tanh has no settings, got 'x' (str): leave it out"),
        ("mlp(decay=stop)", "unknown decay of mlp 'stop': did you mean 'step'"),
        ("mlp(decay=step(ever=3))", "unknown setting of step 'ever': did you mean 'every'"),
        ("mlp(decay=step(every=0..2:3))", "point 1 of 0..2:3 for every of step: expected a whole"),
        ("mlp(decay=0..1:3)", "write a list of [none, step]"),
        ("mlp(hidden=1..1000:1000, scale=1..2:101)", "at most 100,000 choices, got 101,000"),
        ("mlp(decay=step(every=1..1000:1000, by=1..2:101))", "at most 100,000 choices, got 101,"),
        ("mlp(hiden=[1, 2])", "unknown setting of mlp 'hiden': did you mean 'hidden'"),
        ("mlp(scale=1e-4...1:log:25)", "scale of mlp: expected a range start..end:points"),
        (
            "optax:a(x={})",
            "x of optax:a: expected a finite number, a bool, a text, None",
        ),
        ("optax:a(x=1e999)", "x of optax:a: expected a finite number"),
        ("optax:a(x=(1, 1e999))", "x of optax:a: expected a finite number"),
        ("optax:a(x=1j)", "x of optax:a: expected a finite number"),
    ],
)
def test_a_wrong_sweep_says_what_is_wrong(text, fragment):
    with pytest.raises(InputError) as error:
        choices(text)
    assert fragment in str(error.value)


def test_a_sweep_of_optimizers():
    found = optimizers("adamw(lr=1e-4..1:log:25, weight_decay=[0,0.01])")
    assert len(found) == 50
    assert [str(by) for by in found[:3]] == [
        "adamw(lr=0.0001,weight_decay=0)", "adamw(lr=0.0001)",
        "adamw(lr=0.00014677992676220695,weight_decay=0)",
    ]  # fmt: skip
    assert tuple(optimizer(str(by)) for by in found) == found
    # Compared with NumPy's, whose powers are within a rounding or two.
    lrs = [by.settings["lr"] for by in found[::2]]
    np.testing.assert_allclose(lrs, np.geomspace(1e-4, 1, 25), rtol=1e-14)


def test_what_equals_the_default_in_two_ways_is_one_optimizer():
    assert list(map(str, optimizers("adam(schedule=[constant, exponential(gamma=1)])"))) == ["adam"]
    assert len(optimizers("lbfgs(max_iter=[20, 40])")) == 2


def test_several_optimizers_each_once_in_order():
    adam = optimizer("adam")
    assert optimizers(["sgd", "adam(lr=[0.05, 1])", adam]) == (
        optimizer("sgd"), adam, optimizer("adam(lr=1)"),
    )  # fmt: skip
    assert optimizers(adam) == (adam,)


@pytest.mark.parametrize("wrong", [[], 3, None, [[]], ["adam", 3]], ids=repr)
def test_what_are_no_optimizers_is_refused(wrong):
    with pytest.raises(InputError, match=r"optimizers?: expected a (name|text) such as 'adam"):
        optimizers(wrong)


def test_a_sweep_of_initializations():
    found = initializations("normal(scale=0.1..10:log:3)")
    assert list(map(str, found)) == ["normal(scale=0.1)", "normal", "normal(scale=10)"]
    assert initializations(found[0]) == found[:1]
    assert initializations("torch") == (initialization("torch"),)


def test_where_one_is_expected_several_are_refused():
    assert str(optimizer("adam(lr=[0.1])")) == "adam(lr=0.1)"
    with pytest.raises(InputError, match=r"optimizer 'adam\(lr=\[1,2\]\)' stands for 2 choices"):
        optimizer("adam(lr=[1,2])")
    with pytest.raises(InputError, match="stands for 3 choices; here one is expected: give each"):
        initialization("normal(scale=1..3:3)")
