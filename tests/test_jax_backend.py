"""The JAX backend: one function, however it is called, folded and cut into chunks."""

from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import XOR, assert_same, condition, part, seed, seed_range, trained, whole_history

from attnlogic.backend import one_condition
from attnlogic.errors import InputError
from attnlogic.history import outcome
from attnlogic.optimizers import OPTIMIZERS
from attnlogic.outcomes import NONE, concatenate
from attnlogic.problems import initial_params, problem
from attnlogic_jax import JAX, compiled, trainer
from attnlogic_jax.devices import here
from attnlogic_jax.given import given as numbers
from attnlogic_jax.model import evaluation

# --- the statistics, folded, are those of the whole history -------------------------------------


class Folded(NamedTuple):
    by: str
    precision: str
    epochs: int
    shows: tuple[str, ...]  # what at least one of the runs must have, or the case shows little


FOLDED = [
    Folded("adamw", "float32", 403, ("first_hit", "rises", "exits")),
    Folded("adamw", "float64", 400, ("first_hit", "rises", "exits")),
    Folded("adam(lr=0.3, gamma=0.999)", "float32", 400, ("first_hit", "rises", "exits")),
    Folded("adam", "float64", 400, ("first_hit", "rises", "exits")),
    Folded("sgd(lr=50)", "float32", 48, ("diverged_at",)),
    Folded("sgd(lr=0.2, momentum=0.9)", "float64", 400, ("diverged_at",)),
    Folded("polyak", "float32", 800, ("first_hit", "rises", "exits", "stopped_at")),
    Folded("polyak", "float64", 800, ("first_hit", "rises", "exits", "stopped_at")),
    Folded("lbfgs(lr=1)", "float32", 24, ("first_hit", "diverged_at")),
    Folded("lbfgs", "float32", 16, ("first_hit",)),
    Folded("lbfgs", "float64", 16, ("first_hit",)),
]


@pytest.mark.parametrize("case", FOLDED, ids=lambda case: f"{case.by}-{case.precision}")
def test_streaming_is_the_definition_on_the_whole_history(case):
    count, shown = 16, []
    for name in ("xor", "nand"):
        training = condition(name, case.by, case.epochs, precision=case.precision)
        histories = [whole_history(JAX, training, seed(s)) for s in range(count)]
        for threshold in (1e-2, 1e-4):
            runs = trained("jax", replace(training, threshold=threshold), seed_range(count))
            assert_same(
                runs, concatenate([outcome(h, threshold, training.problem) for h in histories])
            )
            shown.append(runs)
    together = concatenate(shown)
    for field in case.shows:
        assert (getattr(together, field) > 0).any(), field


# --- memory and precision -----------------------------------------------------------------------


def test_memory_does_not_grow_with_the_epochs():
    def temporary(epochs):
        lowered = jax.jit(trainer("xor", "adamw", epochs=epochs)).lower(initial_params(range(64)))
        return lowered.compile().memory_analysis().temp_size_in_bytes

    assert temporary(16) == temporary(160_000)


@pytest.mark.parametrize("by", OPTIMIZERS)
def test_what_is_carried_from_epoch_to_epoch_keeps_its_shape(by):
    def shapes(carry):
        return jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), carry)

    packed, training = jnp.asarray(seed_range(128)), condition("xor", by, 1)
    plan = compiled.Plan.of(training, here())
    for groups in (1, 2):
        given = jax.tree.map(jnp.asarray, numbers([training] * groups))
        before = compiled.start.jitted(here()).eval_shape(plan, given, packed)
        after = compiled.advance.jitted(here()).eval_shape(plan, given, before, 10**6)
        assert shapes(after) == shapes(before)


def test_float64_is_switched_on_only_within():
    def off():
        return not jax.config.jax_enable_x64 and jnp.ones(1).dtype == np.float32

    training = condition("xor", "adam", 10, precision="float64")
    assert off()
    for finished in JAX.train(one_condition(training, seed_range(2))):
        assert off()
        assert finished.outcome.final_loss.dtype == np.float64
    assert whole_history(JAX, training, seed(0)).losses.dtype == np.float64
    assert off()


def test_nor_does_float32_depend_on_the_callers_setting():
    training = condition("xor", "adam(gamma=0.99)", 50)
    usual = trained("jax", training, seed_range(3))
    with jax.enable_x64(True):
        assert_same(trained("jax", training, seed_range(3)), usual)
        assert jnp.ones(1).dtype == np.float64


def test_the_loss_its_gradient_and_c_are_stacked():
    packed, targets = jnp.asarray(seed_range(3)), XOR.data.targets
    found = evaluation(XOR, targets, here())(packed)
    assert found.stacked.shape == (8, 3)
    assert found.loss.shape == (3,)
    assert found.gradient.shape == (6, 3)
    assert {name: value.shape for name, value in found.quantities.items()} == {"C": (3,)}
    assert evaluation(XOR, targets, here())(packed[:, 0]).stacked.shape == (8,)
    without = problem("xor", "attention(scores=softmax)")
    assert evaluation(without, targets, here())(packed).stacked.shape == (7, 3)
    assert evaluation(without, targets, here())(packed).gradient.shape == (6, 3)
    assert evaluation(without, targets, here())(packed).quantities == {}


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [2, 0, -1, 1.0, True, "1", None])
def test_jobs_other_than_one_are_refused(jobs):
    training = condition("xor", "adam", 10)
    with pytest.raises(InputError, match=f"one process, got --jobs {jobs}"):
        JAX.check(training, jobs)
    with pytest.raises(InputError, match="jobs"):  # at the call, not at the first outcome
        JAX.train(one_condition(training, seed_range(1)), jobs=jobs)


def test_a_run_that_stopped_stays_where_it_is():
    training = condition("xor", "polyak(tolerance=0.01)", 40)
    runs = trained("jax", training, seed_range(16))
    later = trained("jax", condition("xor", "polyak(tolerance=0.01)", 400), seed_range(16))
    stopped = runs.stopped_at != NONE
    assert stopped.any()
    assert_same(part(runs, stopped), part(later, stopped))
