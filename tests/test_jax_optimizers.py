"""The JAX backend's optimizers: seeds that do not touch each other, and numbers to all digits."""

import math
from dataclasses import replace
from fractions import Fraction
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from helpers import assert_same, condition, part, seed, seed_range, trained, whole_history

from attnlogic.backend import one_condition
from attnlogic.errors import InputError
from attnlogic.history import outcome
from attnlogic.optimizers import OPTIMIZERS, optimizer, structure
from attnlogic.outcomes import NONE, concatenate
from attnlogic_jax import JAX, compiled, trainer
from attnlogic_jax.adam_rules import one_minus_bernoulli, radam_numbers
from attnlogic_jax.given import given
from attnlogic_jax.method import Evaluated
from attnlogic_jax.optimizers import JAX_OPTIMIZERS, as_arrays, method, numbers
from attnlogic_jax.platforms import Platform
from attnlogic_jax.rates import bias_correction, learning_rate
from attnlogic_torch.optimizers import construct


def test_every_optimizer_has_its_record():
    assert JAX_OPTIMIZERS.keys() == OPTIMIZERS.keys()


@pytest.mark.parametrize("by", OPTIMIZERS)
def test_a_step_is_elementwise_where_the_record_says_so(by):
    """Another slope in b moves b alone if the step is elementwise, and all six if it is not."""

    def moved(slope_of_b):
        slopes = jnp.array([1, 1, 1, 1, 1, slope_of_b])

        def evaluate(packed):
            a = slopes.reshape(-1, *[1] * (packed.ndim - 1))
            loss = jnp.sum(a * packed**4, axis=0) / 4
            return Evaluated(jnp.concatenate([loss[None], a * packed**3]), ())

        chosen, packed = optimizer(by), jnp.tile(jnp.linspace(0.3, 0.8, 6)[:, None], 2)
        how = method(structure(chosen), as_arrays(numbers(chosen), packed.dtype))
        state = how.init(packed)
        for _ in range(3):
            packed, state, _ = how.step(evaluate, packed, state)
        return np.asarray(packed)

    one, other = moved(1.0), moved(0.0)
    assert (one[5] != other[5]).all()
    assert (one[:5] == other[:5]).all() == JAX_OPTIMIZERS[by].elementwise


def test_an_optimizer_without_a_record_is_refused_with_a_list_of_the_others(monkeypatch):
    training = condition("xor", "polyak", 10)
    monkeypatch.delitem(JAX_OPTIMIZERS, "polyak")
    for work in (
        lambda: JAX.check(training, 1),
        lambda: JAX.train(one_condition(training, seed_range(1))),
        lambda: JAX.history(training, seed(0)),
        lambda: trainer("xor", "polyak"),
    ):
        with pytest.raises(InputError, match=r"polyak.*known: adadelta, adagrad, adam, adamax"):
            work()


# --- seeds side by side -------------------------------------------------------------------------

VARIANTS = [
    *OPTIMIZERS, "adam(amsgrad=True)", "radam(decoupled_weight_decay=True, weight_decay=0.1)",
    "sgd(momentum=0.9, dampening=0.1)", "rmsprop(centered=True, momentum=0.5, gamma=0.9)",
    "lbfgs(line_search=strong_wolfe)",
]  # fmt: skip
EPOCHS = {"lbfgs": 4}


def trained_with(*optimizers):
    """The parameters, (6, 64), after some epochs: a group of seeds by each optimizer.

    Laid out as on a GPU, which takes all groups at once.
    """
    epochs = EPOCHS.get(optimizers[0].name, 100)
    trainings = [condition("xor", by, epochs) for by in optimizers]
    plan = compiled.Plan.of(trainings[0], Platform("gpu"))
    data = jax.tree.map(jnp.asarray, given(trainings))
    carry = compiled.start(plan, data, jnp.asarray(seed_range(64)))
    return np.asarray(compiled.advance(plan, data, carry, epochs).packed)


@pytest.mark.parametrize("by", VARIANTS)
def test_seeds_with_numbers_of_their_own_train_as_if_all_had_them(by):
    """To the last bit: conditions that share a batch do not touch each other."""
    chosen = optimizer(by)
    other = replace(chosen, hyperparameters=tuple(moved(chosen).items()))
    assert structure(other) == structure(chosen)
    pairs = [(chosen, chosen), (other, other), (chosen, other)]
    one, two, mixed = (trained_with(*pair) for pair in pairs)
    np.testing.assert_array_equal(mixed[:, :32], one[:, :32])
    np.testing.assert_array_equal(mixed[:, 32:], two[:, 32:])
    assert (one != two).any()


def moved(chosen):
    """Settings of the same structure whose numbers are all a little smaller."""
    return {
        key: 0.9 * value if isinstance(value, float) and value not in (0.0, 1.0) else value
        for key, value in (chosen.settings | {"tolerance": 0.1, "eta_plus": 1.3}).items()
        if key in chosen.settings
    }


@pytest.mark.parametrize("by", [by for by in VARIANTS if not by.startswith("lbfgs")])
def test_a_run_is_the_same_alone_and_beside_others(by):
    training = condition("xor", by, 100)
    whole = trained("jax", training, seed_range(128))
    assert_same(trained("jax", training, seed_range(5, 40)), part(whole, slice(40, 45)))


# --- numbers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", VARIANTS)
def test_optimizers_of_one_structure_have_numbers_of_the_same_names(by):
    chosen = optimizer(by)
    other = replace(chosen, hyperparameters=tuple(moved(chosen).items()))
    assert numbers(other).keys() == numbers(chosen).keys()
    assert numbers(other) != numbers(chosen)
    assert {type(number) for number in numbers(chosen).values()} == {float}


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("gamma", [0.9, 0.999, 0.9995, 1.0003])
def test_the_rate_keeps_its_digits_however_many_epochs(gamma, precision):
    """Against exact fractions. float32's rounding of gamma itself would cost 1e-4 after 8000."""
    eps, tiny = (float(getattr(np.finfo(precision), name)) for name in ("eps", "tiny"))
    chosen = optimizer(f"sgd(gamma={gamma})")
    for epoch in (0, 1, 800, 8000):
        with jax.enable_x64(precision == "float64"):
            data = as_arrays(numbers(chosen), precision)
            found = float(jax.jit(partial(learning_rate, structure(chosen)))(data, np.int32(epoch)))
        exact = Fraction(0.05) * Fraction(gamma) ** epoch
        if exact < Fraction(tiny):
            assert found < tiny
        else:
            # Two roundings of the exponent, each by half an eps of itself, and those of exp, lr
            # and their product.
            allowed = eps * (epoch * abs(math.log(gamma)) + 4)
            assert abs(Fraction(found) / exact - 1) <= allowed


def test_the_rate_is_that_of_torchs_schedule():
    by = optimizer("sgd(gamma=0.9995)")
    built, schedule = construct(by, [torch.zeros(1, requires_grad=True)])
    theirs = []
    for _ in range(8000):
        theirs.append(schedule.get_last_lr()[0])
        built.step()
        schedule.step()
    with jax.enable_x64(True):
        data, epochs = as_arrays(numbers(by), "float64"), np.arange(8000)
        ours = jax.vmap(partial(learning_rate, structure(by), data))(epochs)
    np.testing.assert_allclose(ours, theirs, rtol=8000 * 2e-16)  # torch's roundings add up


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.999, 0.999999])
def test_corrections_keep_their_digits_however_many_epochs(beta, precision):
    eps = float(np.finfo(precision).eps)
    log = math.log(beta) if beta else -math.inf
    for t in (1, 2, 50, 1000, 8000):
        with jax.enable_x64(precision == "float64"):
            found = float(bias_correction(*(jnp.asarray(x, precision) for x in (log, t))))
        # Roundings of the logarithm, the product, expm1.
        assert abs(Fraction(found) / (1 - Fraction(beta) ** t) - 1) <= 4 * eps


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("beta2", [0.3, 0.9, 0.99, 0.999, 0.99999])
def test_radams_length_of_memory_keeps_its_digits(beta2, precision):
    """ρₜ near 5 is a difference of two numbers near 2/(1 - β₂): here it must not cost digits."""
    eps, derived = float(np.finfo(precision).eps), radam_numbers({"beta2": beta2})
    for t in (1, 5, 6, 100, 400, 600, 1000, 8000):
        with jax.enable_x64(precision == "float64"):
            h = jnp.asarray(-math.log(beta2) * t, precision)
            found = float(derived["rho_offset"] + derived["rho_scale"] * one_minus_bernoulli(h))
        power, limit = Fraction(beta2) ** t, 2 / (1 - Fraction(beta2)) - 1
        exact = float(limit - 2 * t * power / (1 - power))
        # A few roundings here; and those of ρ∞ in float64 on the host, which torch has as well.
        assert abs(found / exact - 1) <= 8 * eps + 4 * 2**-53 * float(limit) / exact


@pytest.mark.parametrize(
    ("by", "precision"),
    [("sgd(lr=1e300)", "float64"), ("sgd(lr=3e38)", "float32"), ("lbfgs(lr=3e38)", "float32")],
)
def test_numbers_beyond_all_bounds_warn_nobody(by, precision):
    """Warnings are errors in all tests, in whatever thread."""
    training = condition("xor", by, 20, precision=precision)
    runs = trained("jax", training, seed_range(4))
    assert (runs.diverged_at != NONE).all()
    one = outcome(whole_history(JAX, training, seed(0)), 1e-4, training.problem)
    assert_same(concatenate([one]), part(runs, [0]))
