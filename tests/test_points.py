"""Runs with settings of their own: what of them becomes numbers, and features that are off."""

import numpy as np
import pytest

from attnlogic.backend import Points, Training, in_order, one_condition, point_backend
from attnlogic.errors import InputError
from attnlogic.optimizers import OPTIMIZERS, Optimizer, optimizer
from attnlogic.problems import problem
from attnlogic_jax import JAX
from attnlogic_jax.optimizers import numbers, structure
from attnlogic_jax.points import numbers_of_runs

FEATURES = [
    (name, key)
    for name, record in OPTIMIZERS.items()
    for key, setting in record.settings.items()
    if isinstance(setting.off, float) and key != "dampening"  # it needs momentum
]
"""Real-valued settings that one value switches off."""


def with_feature(name, key, value):
    return Optimizer(name, ((key, value),))


@pytest.mark.parametrize(("name", "key"), FEATURES)
def test_a_feature_that_is_off_has_numbers_as_if_it_were_on(name, key):
    off = OPTIMIZERS[name].settings[key].off
    on = with_feature(name, key, 0.5)
    alike, rest = numbers(on), numbers(with_feature(name, key, off), structure(on))
    assert alike.keys() == rest.keys() > numbers(with_feature(name, key, off)).keys()
    assert np.isfinite([*rest.values()]).sum() == np.isfinite([*alike.values()]).sum()


@pytest.mark.parametrize(
    ("by", "key", "on"),
    [
        ("sgd", "weight_decay", 0.1),
        ("sgd", "momentum", 0.5),
        ("sgd(dampening=0.5)", "momentum", 0.5),
        ("sgd(momentum=0.5)", "dampening", 0.5),
        ("adam", "gamma", 0.99),
        ("adamw", "weight_decay", 0.1),
        ("nadam", "weight_decay", 0.1),
        ("asgd", "weight_decay", 0.1),
        ("rmsprop", "momentum", 0.5),
        ("adagrad", "lr_decay", 0.1),
    ],
)
def test_a_run_whose_feature_is_off_is_what_it_is_without_the_feature(by, key, on):
    base = optimizer(by)
    off = base.record.settings[key].off
    settings = base.settings

    def training(value):
        changed = Optimizer(base.name, tuple((settings | {key: value}).items()))
        return Training(problem("nand"), changed, 50)

    starts = problem("nand").initial(range(64))
    each = np.where(np.arange(64) % 2, on, off)
    mixed = in_order(JAX.train_points(Points(training(on), {key: each}, starts)))
    for value in (on, off):
        alone = in_order(JAX.train(one_condition(training(value), starts)))
        chosen = each == value
        # The step has one operation more, which may round; 50 epochs of float32.
        np.testing.assert_allclose(
            mixed.final[:, chosen], alone.final[:, chosen], rtol=2e-4, atol=2e-6
        )


def test_numbers_that_are_the_same_for_all_stay_single():
    rates = np.array([0.1, 0.2, 0.1])
    found = numbers_of_runs(optimizer("adamw"), {"lr": rates})
    assert {*found} == {"lr"}
    np.testing.assert_array_equal(found["lr"], rates)


def test_what_is_derived_from_a_setting_differs_with_it():
    beta = np.array([0.9, 0.0, 0.99])
    found = numbers_of_runs(optimizer("nadam"), {"beta1": beta})
    assert {*found} == {"beta1", "1-beta1", "log_beta1"}
    np.testing.assert_array_equal(found["1-beta1"], 1 - beta)


def test_a_backend_without_points_is_refused():
    with pytest.raises(InputError, match="the torch backend has no runs with settings of their"):
        point_backend("torch")
    assert point_backend("jax") is JAX
