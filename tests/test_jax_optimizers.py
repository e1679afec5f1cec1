"""The JAX backend: one record an optimizer, what each refuses."""

import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_same, condition, part, seed_range, trained, whole_history

from attnlogic.errors import InputError
from attnlogic.history import outcome
from attnlogic.optimizers import OPTIMIZERS, optimizer
from attnlogic.outcomes import NONE, concatenate
from attnlogic.problems import initial_params
from attnlogic_jax import JAX, trainer
from attnlogic_jax.optimizers import JAX_OPTIMIZERS, method


def test_every_optimizer_has_its_record():
    assert JAX_OPTIMIZERS.keys() == OPTIMIZERS.keys()


@pytest.mark.parametrize("by", OPTIMIZERS)
def test_a_step_is_elementwise_where_the_record_says_so(by):
    """Another slope in b moves b alone if the step is elementwise, and all six if it is not."""

    def moved(slope_of_b):
        def evaluate(packed):
            gradient = packed * jnp.array([1, 1, 1, 1, 1, slope_of_b], packed.dtype)[:, None]
            return jnp.stack([jnp.sum(packed**2, axis=0), *gradient, packed[0]])

        how, packed = method(optimizer(by)), jnp.full((6, 2), 0.5)
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
        lambda: JAX.train(training, seed_range(1)),
        lambda: JAX.history(training, initial_params(0)),
        lambda: trainer("xor", "polyak"),
    ):
        with pytest.raises(InputError, match=r"polyak.*known: adam, adamw, lbfgs, sgd"):
            work()


@pytest.mark.parametrize(
    ("by", "fragments"),
    [
        ("adam(amsgrad=True)", ["'amsgrad'", "--backend torch"]),
        ("adamw(amsgrad=True)", ["'amsgrad'", "adamw(amsgrad=True)"]),
        ("sgd(momentum=0.9, dampening=0.1)", ["'dampening'", "--backend torch"]),
    ],
)
def test_what_optax_lacks_is_refused(by, fragments):
    training = condition("xor", by, 10)
    for work in (
        lambda: JAX.check(training, 1),
        lambda: JAX.train(training, seed_range(1)),
        lambda: JAX.history(training, initial_params(0)),
        lambda: trainer("xor", by),
    ):
        with pytest.raises(InputError) as error:
            work()
        for fragment in fragments:
            assert fragment in str(error.value)


# --- numbers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "precision"),
    [("sgd(lr=1e300)", "float64"), ("sgd(lr=3e38)", "float32"), ("lbfgs(lr=3e38)", "float32")],
)
def test_numbers_beyond_all_bounds_warn_nobody(by, precision):
    """Warnings are errors in all tests, in whatever thread."""
    training = condition("xor", by, 20, precision=precision)
    runs = trained("jax", training, seed_range(4))
    assert (runs.diverged_at != NONE).all()
    one = outcome(whole_history(JAX, training, initial_params(0)), 1e-4)
    assert_same(concatenate([one]), part(runs, [0]))
