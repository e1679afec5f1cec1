"""The JAX backend: the pure function that trains one seed or many."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import condition, leaves, seed_range, trained

from attnlogic.errors import InputError
from attnlogic.optimizers import OPTIMIZERS
from attnlogic.outcomes import NUMBERS, Kind
from attnlogic.problems import Params, initial_params, pack, unpack
from attnlogic_jax import trainer

# --- the pure function --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "epochs", "precision"),
    [
        ("adamw", 53, "float32"),
        ("adam", 203, "float64"),
        ("sgd(lr=50)", 53, "float32"),
        ("polyak", 5, "float32"),
        ("polyak", 10, "float64"),
    ],
)
def test_jit_of_vmap_of_the_trainer_is_the_fast_path(by, epochs, precision):
    fast = trained(
        "jax", condition("nand", by, epochs, threshold=1e-2, precision=precision), seed_range(16)
    )
    with jax.enable_x64(precision == "float64"):
        params = jax.tree.map(lambda leaf: jnp.asarray(leaf, precision), initial_params(range(16)))
        plain = jax.jit(jax.vmap(trainer("nand", by, epochs=epochs, threshold=1e-2)))(params)
        plain = jax.tree.map(np.asarray, plain)
    # To the last bit with jax 0.10.2; a newer one fuses otherwise, so to the rounding of so few
    # epochs.
    digits = (
        {"rtol": 1e-9, "atol": 1e-12} if precision == "float64" else {"rtol": 1e-3, "atol": 1e-6}
    )
    assert leaves(plain).keys() == leaves(fast).keys()
    for field, a in leaves(plain).items():
        np.testing.assert_allclose(a, leaves(fast)[field], **digits, err_msg=field)


def test_so_it_is_with_lbfgs_but_for_rounding():
    fast = trained("jax", condition("xor", "lbfgs", 2, precision="float64"), seed_range(16))
    with jax.enable_x64(True):
        params = jax.tree.map(lambda leaf: jnp.asarray(leaf, "float64"), initial_params(range(16)))
        train = trainer("xor", "lbfgs", epochs=2)
        batch = jax.tree.map(np.asarray, jax.jit(train)(params))
        mapped = jax.tree.map(np.asarray, jax.jit(jax.vmap(train))(params))
    # The fast path is compiled for one core, and vmap puts the seeds first: each rounds otherwise.
    # Two epochs, forty iterations, make 2e-9 of that in a gradient that nearly vanishes; in the
    # third some seeds amplify it a millionfold.
    for one, other in itertools.combinations(map(leaves, (fast, batch, mapped)), 2):
        assert one.keys() == other.keys()
        for field, leaf in one.items():
            rtol = 1e-8 if field == "gradient_norm" else 1e-9
            np.testing.assert_allclose(leaf, other[field], rtol=rtol, err_msg=field)


@pytest.mark.parametrize("by", ["adamw", "polyak"])
def test_one_seed_and_any_batch_of_seeds(by):
    """The code for one seed rounds otherwise: equal to 1e-4 after a few epochs in float32."""
    train = jax.jit(trainer("xor", by, epochs=3))
    flat = leaves(train(initial_params(range(6))))
    square = leaves(train(initial_params(np.arange(6).reshape(2, 3))))
    assert {leaf.shape for leaf in square.values()} == {(2, 3)}
    alone = leaves(train(initial_params(4)))
    assert {leaf.shape for leaf in alone.values()} == {()}
    for field, f in flat.items():
        np.testing.assert_allclose(square[field], f.reshape(2, 3), rtol=1e-4, err_msg=field)
        np.testing.assert_allclose(alone[field], f[4], rtol=1e-4, err_msg=field)


def test_its_parameters_have_the_form_in_which_they_were_given():
    start = jax.tree.map(jnp.asarray, initial_params(range(2)))
    runs = jax.jit(trainer("xor", "adam", epochs=3))(start)
    assert isinstance(runs.initial, Params)
    assert isinstance(runs.final, Params)
    assert jax.tree.structure(runs.final) == jax.tree.structure(start)
    np.testing.assert_array_equal(pack(runs.initial), pack(start))


@pytest.mark.parametrize("by", [*OPTIMIZERS, "adam(gamma=0.99)", "lbfgs(gamma=0.99)"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_all_is_computed_in_the_dtype_of_the_parameters(by, precision):
    with jax.enable_x64(True):  # where JAX's own default is float64
        params = jax.tree.map(lambda leaf: jnp.asarray(leaf, precision), initial_params(range(2)))
        runs = jax.eval_shape(trainer("xor", by, epochs=9), params)
    for field, leaf in leaves(runs).items():
        kind = NUMBERS[field].kind if field in NUMBERS else Kind.REAL
        assert leaf.dtype == kind.dtype(precision), field


@pytest.mark.parametrize(("by", "epochs"), [("adamw", 8), ("sgd", 8), ("polyak", 2), ("lbfgs", 1)])
def test_training_can_be_differentiated(by, epochs):
    """C at the end by each initial parameter, against central differences."""
    step = 1e-6
    with jax.enable_x64(True):
        train = jax.jit(trainer("xor", by, epochs=epochs))
        start = jnp.asarray(pack(initial_params(0)), "float64")
        gradient = jax.jit(jax.grad(lambda p: train(unpack(tuple(p))).quantities["C"]))(start)
        aside = start[:, None] + step * jnp.concatenate([jnp.eye(6), -jnp.eye(6)], axis=1)
        up, down = jnp.split(train(unpack(tuple(aside))).quantities["C"], 2)
        by_differences = np.asarray((up - down) / (2 * step))
    # The differences' own error: step² times a third derivative, and 1e-16/step of rounding.
    np.testing.assert_allclose(gradient, by_differences, rtol=1e-6, atol=1e-8)
    assert np.abs(by_differences).max() > 0.1


def test_the_trainer_refuses_what_makes_no_sense():
    with pytest.raises(InputError, match="epochs"):
        trainer("xor", "adam", epochs=0)
    with pytest.raises(InputError, match="beta1"):
        trainer("xor", "adam(beta1=1)")


@pytest.mark.parametrize(
    ("odd", "says"),
    [(np.zeros(3, np.float32), "shape"), (np.zeros(2, np.int32), "type")],
    ids=["shape", "whole numbers"],
)
def test_a_trainer_refuses_leaves_that_do_not_fit_together(odd, says):
    train = trainer("xor", "adam", epochs=8)
    params = unpack([*np.ones((5, 2), np.float32), odd])
    for way in (train, jax.jit(train)):
        with pytest.raises(AssertionError, match=says):
            way(params)
