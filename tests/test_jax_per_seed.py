"""optax's own transformations on many seeds: each by itself, as by a loop of optax's for one."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from helpers import XOR, condition, seed_range, whole_history

from attnlogic.optimizers import optimizer, structure
from attnlogic_jax import JAX, compiled
from attnlogic_jax.devices import here
from attnlogic_jax.given import given
from attnlogic_jax.model import evaluation
from attnlogic_jax.optimizers import as_arrays, method, numbers
from attnlogic_jax.per_seed import per_seed
from attnlogic_jax.platforms import Platform


def test_the_zoom_search_is_optaxs_own():
    """Against a loop as optax documents it, in float64."""
    evaluate, epochs = evaluation(XOR, XOR.data.targets, here()), 12

    def value(packed):
        return evaluate(packed).loss

    for seed in (0, 3):
        with jax.enable_x64(True):
            packed, losses = jnp.asarray(XOR.initial(seed), "float64"), []
            lbfgs = optax.lbfgs()
            state, step = lbfgs.init(packed), jax.jit(jax.value_and_grad(value))
            update = jax.jit(lambda g, s, p, v, by=lbfgs: by.update(
                g, s, p, value=v, grad=g, value_fn=value
            ))  # fmt: skip
            for _ in range(epochs):
                loss, gradient = step(packed)
                losses.append(float(loss))
                updates, state = update(gradient, state, packed, loss)
                packed = packed + updates
        training = condition("xor", "lbfgs_zoom", epochs, precision="float64")
        run = whole_history(JAX, training, XOR.initial(seed))
        np.testing.assert_allclose(run.losses, losses, rtol=1e-7)  # amplified rounding


def test_every_evaluation_is_counted():
    chosen, targets = optimizer("lbfgs_zoom"), XOR.data.targets
    how, counted = method(structure(chosen), as_arrays(numbers(chosen), "float32")), []

    def evaluate(packed):
        counted.append(packed)
        return evaluation(XOR, targets, here())(packed)

    packed = jnp.asarray(XOR.initial(3))
    state = how.init(packed)
    with jax.disable_jit():  # so that each evaluation is a call
        for _ in range(4):
            counted.clear()
            packed, state, report = how.step(evaluate, packed, state)
            assert int(report.evaluations) == len(counted) > 1


def test_seeds_have_targets_and_numbers_of_their_own():
    """Laid out as on a GPU, which takes all groups at once."""

    def trained_on(*trainings):
        plan = compiled.Plan.of(trainings[0], Platform("gpu"))
        data = jax.tree.map(jnp.asarray, given(trainings))
        carry = compiled.start(plan, data, jnp.asarray(seed_range(64)))
        return np.asarray(compiled.advance(plan, data, carry, 6).packed)

    xor = condition("xor", "lbfgs_zoom", 6)
    nand = condition("nand", "lbfgs_zoom(curv_rtol=0.1)", 6)
    mixed = trained_on(xor, nand)
    # Compiled anew, so that roundings may differ; amplified for six epochs.
    np.testing.assert_allclose(mixed[:, :32], trained_on(xor)[:, :32], rtol=1e-2, atol=1e-3)
    np.testing.assert_allclose(mixed[:, 32:], trained_on(nand)[:, 32:], rtol=1e-2, atol=1e-3)


def test_an_optimizer_that_looks_across_parameters_never_sees_two_seeds():
    """Clipping by the global norm: of one seed's gradient, not of all."""
    how = per_seed(
        lambda n: optax.chain(optax.clip_by_global_norm(n["norm"]), optax.sgd(n["lr"])),
        as_arrays({"norm": 0.01, "lr": 0.1}, "float32"),
        searches=False,
    )
    packed, evaluate = jnp.asarray(seed_range(5)), evaluation(XOR, XOR.data.targets, here())
    moved, _, report = how.step(evaluate, packed, how.init(packed))
    gradient = np.asarray(evaluate(packed).gradient)
    norm = np.linalg.norm(gradient, axis=0)
    np.testing.assert_allclose(
        packed - moved, 0.1 * gradient * np.minimum(1, 0.01 / norm), rtol=1e-3, atol=1e-7
    )
    assert report.evaluations is None
