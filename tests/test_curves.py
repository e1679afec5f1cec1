"""Which conditions lie on a curve: those that differ in one number alone."""

import itertools
import math

import pytest

from attnlogic.grammar import replaced
from attnlogic.results import CONDITION
from attnlogic.statistics.curves import curves

KEY = {
    "gate": "xor", "optimizer": "adamw", "backend": "jax", "precision": "float32", "epochs": 100,
    "threshold": 1e-4, "init": "torch", "until": "budget", "model": "attention", "encoding": "01",
}  # fmt: skip


def keys(**columns):
    """Every combination of these columns' values, the last changing fastest."""
    return [
        KEY | dict(zip(columns, values, strict=True))
        for values in itertools.product(*columns.values())
    ]


def found(**columns):
    return [
        (c.setting, c.about["gate"], c.about["optimizer"], c.values)
        for c in curves(keys(**columns))
    ]


def test_the_key_has_the_columns_of_a_condition():
    assert [*KEY] == [*CONDITION]


def test_a_default_is_a_value_and_values_ascend():
    rates = ["adamw(lr=0.1)", "adamw", "adamw(lr=0.01)"]
    (curve,) = curves(keys(optimizer=rates))
    assert curve.values == (0.01, 0.05, 0.1)
    assert curve.at == (2, 1, 0)
    assert curve.about == KEY | {"optimizer": "adamw(lr=…)"}
    assert (curve.lowest, curve.highest) == (0, math.inf)


def test_a_sweep_of_two_settings_has_a_curve_for_each_value_of_the_other():
    product = [f"sgd(lr={lr},momentum={m})" for lr in (0.1, 1) for m in (0.5, 0.8, 0.9)]
    lines = [
        *(("lr", f"sgd(lr=…,momentum={m})", (0.1, 1)) for m in (0.5, 0.8, 0.9)),
        *(("momentum", f"sgd(lr={lr},momentum=…)", (0.5, 0.8, 0.9)) for lr in (0.1, 1)),
    ]
    expected = [(line[0], gate, *line[1:]) for gate in ("xor", "or") for line in lines]
    given = found(optimizer=product, gate=["xor", "or"])
    assert sorted(given) == sorted(expected)
    assert [one[1] for one in given] == ["xor"] * 5 + ["or"] * 5  # gate by gate
    assert [one[0] for one in given[:5]] == ["lr"] * 3 + ["momentum"] * 2


@pytest.mark.parametrize(
    ("texts", "setting", "text", "values"),
    [
        (["lbfgs", "lbfgs(max_iter=8)"], "max_iter", "lbfgs(max_iter=…)", (8, 20)),
        (["lbfgs", "lbfgs(max_eval=8)"], "max_eval", "lbfgs(max_eval=…)", (8, 25)),
        (
            ["sgd(lr=1,schedule=step)", "sgd(lr=1,schedule=step(every=9))"],
            "schedule.every",
            "sgd(lr=1,schedule=step(every=…))",
            (9, 1000),
        ),
        (
            ["optax:lion(b1=0.9,learning_rate=1)", "optax:lion(b1=0.9,learning_rate=0.5)"],
            "learning_rate",
            "optax:lion(b1=0.9,learning_rate=…)",
            (0.5, 1),
        ),
        (["no.such:rule(epochs=3)", "no.such:rule(epochs=4)"], "setting_epochs",
         "no.such:rule(epochs=…)", (3, 4)),
    ],
)  # fmt: skip
def test_settings_of_optimizers(texts, setting, text, values):
    """A default that follows from the swept value, L-BFGS's max_eval, is no second difference."""
    assert found(optimizer=texts) == [(setting, "xor", text, values)]


@pytest.mark.parametrize(
    ("column", "texts", "setting", "text", "values"),
    [
        ("init", ["normal", "normal(scale=0.1)"], "init_scale", "normal(scale=…)", (0.1, 1)),
        ("model", ["mlp", "mlp(hidden=3)"], "model_hidden", "mlp(hidden=…)", (2, 3)),
        ("model", ["attention", "attention(heads=2)"], "model_heads", "attention(heads=…)", (1, 2)),
        ("model", ["no.such:net(act=relu,k=3)", "no.such:net(act=relu,k=4)"], "model_k",
         "no.such:net(act=relu,k=…)", (3, 4)),
        ("epochs", [200, 100], "epochs", None, (100, 200)),
    ],
)  # fmt: skip
def test_settings_of_starts_models_and_the_budget(column, texts, setting, text, values):
    """A user's module, here one that does not exist, is not imported."""
    (curve,) = curves(keys(**{column: texts}))
    assert (curve.setting, curve.about[column], curve.values) == (setting, text, values)


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"optimizer": ["adam", "adamw", "object:mine", "optax:lion", "optax:lion(b1=0.5)"]},
        {"optimizer": ["adam(lr=0.1)", "adam(beta1=0.5)"]},
        {"optimizer": ["adam", "adam(amsgrad=True)"]},
        {"optimizer": ["torch:A(betas=(0.9,0.99))", "torch:A(betas=(0.8,0.99))"]},
        {"optimizer": ["x:f(n=1)", f"x:f(n={10**400})"]},
        {"optimizer": ["sgd(schedule=step(every=9))", "sgd(schedule=cosine(epochs=9))"]},
        {"init": ["normal", "uniform(scale=2)", "torch"]},
        {"model": ["mlp", "mlp(activation=relu)", "linear", "net.py:Net", "my net"]},
        {"threshold": [1e-4, 1e-5], "gate": ["or", "xor"], "precision": ["float32", "float64"]},
    ],
)
def test_without_one_number_that_differs_there_is_no_curve(columns):
    assert found(**columns) == []


def test_a_point_of_a_curve_is_the_condition_itself():
    some = keys(optimizer=["adam", "adam(lr=1)"], epochs=[10, 20, 30], init=["normal", "torch"])
    for curve in curves(some):
        for value, place in zip(curve.values, curve.at, strict=True):
            given = {k: v for k, v in some[place].items() if curve.about[k] == v}
            (swept,) = set(KEY) - set(given)
            assert swept == {"lr": "optimizer", "epochs": "epochs"}[curve.setting]
            if swept == "epochs":
                assert some[place]["epochs"] == value


def test_a_text_keeps_what_is_not_replaced():
    text = "a.b:f(name='x, (y', k=[1, 2], lr=1e-03)"
    assert replaced(text, "lr", "…") == "a.b:f(name='x, (y',k=[1, 2],lr=…)"
    assert replaced(text, "r", "…") == "a.b:f(name='x, (y',k=[1, 2],lr=1e-03)"
    assert replaced("sgd(schedule=step)", "schedule.every", "…") == "sgd(schedule=step)"
