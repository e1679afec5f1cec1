"""optax's own transformations on many seeds: each by itself, as by a loop of optax's for one."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from helpers import XOR, condition, seed_range, whole_history

from attnlogic.optimizers import optimizer, structure
from attnlogic.problems import gate, initial_params, pack
from attnlogic_jax import JAX, compiled
from attnlogic_jax.model import evaluation
from attnlogic_jax.optimizers import as_arrays, method, numbers
from attnlogic_jax.per_seed import per_seed


def test_the_zoom_search_is_optaxs_own():
    """Against a loop as optax documents it, in float64."""
    evaluate, epochs = evaluation(XOR, XOR.data.targets), 12

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
        run = whole_history(JAX, training, initial_params(seed))
        np.testing.assert_allclose(run.losses, losses, rtol=1e-7)  # amplified rounding


def test_every_evaluation_is_counted():
    chosen, targets = optimizer("lbfgs_zoom"), gate("xor").targets
    how, counted = method(structure(chosen), as_arrays(numbers(chosen), "float32")), []

    def evaluate(packed):
        counted.append(packed)
        return evaluation(targets)(packed)

    packed = jnp.asarray(pack(initial_params(3)))
    state = how.init(packed)
    with jax.disable_jit():  # so that each evaluation is a call
        for _ in range(4):
            counted.clear()
            packed, state, report = how.step(evaluate, packed, state)
            assert int(report.evaluations) == len(counted) > 1


def test_seeds_have_targets_and_numbers_of_their_own():
    starts = np.stack(pack(seed_range(64)))

    def trained_on(targets, **given):
        training = condition("xor", "lbfgs_zoom", 6)
        plan, data = compiled.Plan.of(training), compiled.Data.of(training)
        data = data._replace(
            targets=tuple(jnp.asarray(t, "float32") for t in targets),
            numbers=data.numbers | {k: jnp.asarray(v, "float32") for k, v in given.items()},
        )
        carry = compiled.start(plan, data, jnp.asarray(starts))
        return np.asarray(compiled.advance(plan, data, carry, training.epochs).packed)

    xor, nand = gate("xor").targets, gate("nand").targets
    odd = np.arange(64) % 2 == 1
    mixed = trained_on(
        [np.where(odd, a, b) for a, b in zip(xor, nand, strict=True)],
        curv_rtol=np.where(odd, 0.9, 0.1),
    )
    # Compiled anew, so that roundings may differ; amplified for six epochs.
    np.testing.assert_allclose(mixed[:, odd], trained_on(xor)[:, odd], rtol=1e-2, atol=1e-3)
    other = trained_on(nand, curv_rtol=0.1)[:, ~odd]
    np.testing.assert_allclose(mixed[:, ~odd], other, rtol=1e-2, atol=1e-3)


def test_an_optimizer_that_looks_across_parameters_never_sees_two_seeds():
    """Clipping by the global norm: of one seed's gradient, not of all."""
    how = per_seed(
        lambda n: optax.chain(optax.clip_by_global_norm(n["norm"]), optax.sgd(n["lr"])),
        as_arrays({"norm": 0.01, "lr": 0.1}, "float32"),
        searches=False,
    )
    packed, evaluate = jnp.asarray(seed_range(5)), evaluation(XOR, XOR.data.targets)
    moved, _, report = how.step(evaluate, packed, how.init(packed))
    gradient = np.asarray(evaluate(packed).gradient)
    norm = np.linalg.norm(gradient, axis=0)
    np.testing.assert_allclose(
        packed - moved, 0.1 * gradient * np.minimum(1, 0.01 / norm), rtol=1e-3, atol=1e-7
    )
    assert report.evaluations is None
