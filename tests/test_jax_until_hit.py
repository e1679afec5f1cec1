"""The JAX backend: runs that end at their first hit."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import XOR, assert_same, condition, leaves, seed, seed_range, trained, whole_history

from attnlogic.backend import in_order, one_condition
from attnlogic.history import outcome
from attnlogic.outcomes import NONE, concatenate, status
from attnlogic.problems import initial_params, invariant, unpack
from attnlogic_jax import JAX, chunks, compiled, platforms, trainer

# --- runs that end at their first hit -----------------------------------------------------------

HIT = [
    ("adamw", "float32", 403),
    ("adam", "float64", 300),
    ("polyak", "float32", 400),
    ("lbfgs", "float32", 24),
]


@pytest.mark.parametrize(("by", "precision", "epochs"), HIT)
def test_a_run_ends_at_its_first_hit(by, precision, epochs):
    """Its history is that of the whole run, cut there, and the fast path says what it says."""
    whole = condition("xor", by, epochs, threshold=1e-2, precision=precision)
    until = replace(whole, until="hit")
    cut = [whole_history(JAX, until, seed(s)) for s in range(16)]
    shown = 0
    for number, history in enumerate(cut):
        every = whole_history(JAX, whole, seed(number))
        hit = int(outcome(every, 1e-2, XOR).first_hit)
        end = len(every.losses) if hit == NONE else hit + 1
        np.testing.assert_array_equal(history.losses, every.losses[:end])
        np.testing.assert_array_equal(history.quantities["C"], every.quantities["C"][:end])
        if hit != NONE:
            # NumPy's two multiplications and XLA's may be in another order: four roundings.
            last = history.quantities["C"][-1]
            assert invariant(unpack(history.final)) == pytest.approx(last, rel=1e-6)
            assert history.stopped_at == NONE
            shown += 1
    assert shown > 0
    expected = concatenate([outcome(h, 1e-2, XOR) for h in cut])
    assert_same(trained("jax", until, seed_range(16)), expected)


def test_those_that_go_on_are_trained_by_themselves(monkeypatch, cores):
    training = replace(condition("xor", "adamw", 800, threshold=1e-2), until="hit")
    whole, progress, sizes = trained("jax", training, seed_range(512)), [], []
    advance = compiled.advance

    def watched(*args):
        sizes.append(args[2].packed.shape[1])
        return advance(*args)

    cores(1)
    monkeypatch.setattr(chunks, "MIN_COMPACTED_CHUNK", 64)
    monkeypatch.setitem(chunks.TARGET_CALL_SECONDS, "hit", 0.001)
    monkeypatch.setattr(compiled, "advance", watched)
    batch = one_condition(training, seed_range(512))
    assert_same(in_order(JAX.train(batch, on_progress=progress.append)), whole)
    assert sum(progress) == pytest.approx(512)
    assert sizes[0] == 512
    assert sizes[-1] <= 128
    assert {"solved", "unsolved"} <= set(status(whole))
    assert (whole.sustained_from == whole.first_hit).all()


@pytest.mark.usefixtures("on_a_cpu")
@pytest.mark.parametrize("until", ["budget", "hit"])
def test_seeds_that_take_as_long_are_put_side_by_side(monkeypatch, until, cores):
    training, starts = replace(condition("xor", "lbfgs", 60), until=until), seed_range(512)
    cores(1)
    monkeypatch.setitem(platforms.WITH_HISTORY.chunk, "cpu", 64)  # one group: none is moved
    whole = trained("jax", training, starts)
    monkeypatch.setitem(platforms.WITH_HISTORY.chunk, "cpu", 512)
    monkeypatch.setattr(chunks, "PROBE_EPOCHS", 8)
    monkeypatch.setitem(chunks.TARGET_CALL_SECONDS, until, 0.01)
    chosen, take = [], compiled.take

    def watched(trees, which):
        if len(which) == 512:  # else it is groups that are taken, with their conditions' numbers
            chosen.append(which)
        return take(trees, which)

    monkeypatch.setattr(compiled, "take", watched)
    assert_same(trained("jax", training, starts), whole)
    assert len(chosen) >= 2
    assert all(np.array_equal(np.sort(which), np.arange(512)) for which in chosen)
    assert any(not np.array_equal(which, np.arange(512)) for which in chosen)


def test_when_all_have_hit_no_epoch_is_trained_for_nothing(monkeypatch):
    training = replace(condition("nand", "adam", 10**9, threshold=0.2), until="hit")
    progress = []
    batch = one_condition(training, seed_range(40))
    runs = in_order(JAX.train(batch, on_progress=progress.append))
    assert (runs.first_hit != NONE).all()
    assert sum(progress) == pytest.approx(40)


def test_the_trainer_ends_runs_likewise():
    """In float64: there 203 epochs of rounding stay below the contract's 1e-9."""
    how = {"threshold": 1e-2, "until": "hit"}
    fast = trained(
        "jax", condition("xor", "adamw", 203, precision="float64", **how), seed_range(16)
    )
    with jax.enable_x64(True):
        params = jax.tree.map(lambda leaf: jnp.asarray(leaf, "float64"), initial_params(range(16)))
        alone = jax.tree.map(
            np.asarray, jax.jit(trainer("xor", "adamw", epochs=203, **how))(params)
        )
    assert (fast.first_hit != NONE).any()
    assert leaves(alone).keys() == leaves(fast).keys()
    for field, a in leaves(alone).items():
        np.testing.assert_allclose(a, leaves(fast)[field], rtol=1e-9, atol=1e-12, err_msg=field)
