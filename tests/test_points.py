"""Runs with settings of their own: what of them becomes numbers, and features that are off."""

import jax.numpy as jnp
import numpy as np
import pytest

from attnlogic.backend import Points, Training, in_order, one_condition, point_backend
from attnlogic.errors import InputError
from attnlogic.optimizers import OPTIMIZERS, Optimizer, optimizer
from attnlogic.problems import problem
from attnlogic_jax import JAX, groups, parallel
from attnlogic_jax.groups import Given
from attnlogic_jax.optimizers import numbers, structure
from attnlogic_jax.platforms import Platform
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


def test_a_feature_that_some_runs_have_must_be_on():
    with pytest.raises(InputError, match="sgd has weight_decay switched off, and some runs have"):
        numbers_of_runs(optimizer("sgd"), {"weight_decay": np.array([0.1, 0.2])})


def test_what_is_derived_from_a_setting_differs_with_it():
    beta = np.array([0.9, 0.0, 0.99])
    found = numbers_of_runs(optimizer("nadam"), {"beta1": beta})
    assert {*found} == {"beta1", "1-beta1", "log_beta1"}
    np.testing.assert_array_equal(found["1-beta1"], 1 - beta)


def of_three_groups():
    """Numbers of three groups of four seeds: one of each group, and one of each seed."""
    rates = jnp.arange(12.0).reshape(3, 4)
    return Given((jnp.arange(3.0),), {"lr": rates.T, "beta": jnp.arange(3.0)}, jnp.arange(3.0))


def test_a_group_has_the_numbers_of_its_seeds():
    one = groups.of_group(1, of_three_groups())
    np.testing.assert_array_equal(one.numbers["lr"], [4, 5, 6, 7])
    assert (one.numbers["beta"], one.threshold, one.targets) == (1, 1, (1,))


def test_all_groups_at_once_have_the_numbers_of_their_seeds():
    """As a GPU takes them."""
    each = groups.one_a_seed(of_three_groups(), 12)
    np.testing.assert_array_equal(each.numbers["lr"], np.arange(12))
    np.testing.assert_array_equal(each.numbers["beta"], np.repeat(np.arange(3), 4))


def test_seeds_that_are_laid_out_anew_keep_their_numbers():
    chosen = np.array([[11, 8], [5, 5]])
    now = groups.regrouped(of_three_groups(), chosen, 4)
    np.testing.assert_array_equal(now.numbers["lr"], chosen.T)
    np.testing.assert_array_equal(now.numbers["beta"], [2, 1])


def test_on_a_gpu_all_groups_are_trained_at_once(monkeypatch):
    """The layout of numbers for such a device; the arithmetic is this machine's."""
    rates = np.geomspace(0.01, 1, 1000)
    given = Points(
        Training(problem("nand"), optimizer("sgd"), 30, precision="float64"),
        {"lr": rates},
        problem("nand").initial(np.arange(1000) % 7),
    )
    batch = one_condition(given.training, given.initial)
    each = numbers_of_runs(given.training.optimizer, given.settings)
    laid_out = parallel.layout(batch, Platform("cpu"))
    assert len(laid_out[0].runs) > 1  # several groups at once
    one = in_order(JAX.train_points(given))
    monkeypatch.setattr(parallel, "here", lambda: Platform("gpu"))
    again = in_order(parallel.train(batch, laid_out=laid_out, each=each))
    # Compiled as another function, it rounds otherwise, by 1e-16. Rates near 1 amplify that, in 30
    # epochs two millionfold (measured in float32).
    np.testing.assert_allclose(again.final_loss, one.final_loss, rtol=1e-8)


def test_a_backend_without_points_is_refused():
    with pytest.raises(InputError, match="the torch backend has no runs with settings of their"):
        point_backend("torch")
    assert point_backend("jax") is JAX
