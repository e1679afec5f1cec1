"""What L-BFGS remembers: each seed's last pairs, newest first, as a list would have them."""

from collections import deque

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attnlogic_jax.lbfgs_memory import MOST_NEW, Pairs, empty, remember

SEEDS, PARAMETERS = 5, 2
SIZES = [1, 2, 9, 20, 79, 100]


def some_pairs(steps):
    """What each seed is given in each step, if anything; some more often than others."""
    random = np.random.default_rng(0)
    for _ in range(steps):
        s, y = random.normal(size=(2, PARAMETERS, SEEDS)).astype(np.float32)
        where = random.random(SEEDS) < [1, 0, 0.1, 0.6, 0.9]
        yield where, Pairs(s, y, random.normal(size=SEEDS).astype(np.float32))


def remembered(memory, seed):
    """A seed's pairs, newest first."""
    return [
        [*s[:, seed], *y[:, seed], rho[seed]]
        for pairs, counts in memory.parts
        for s, y, rho, counted in zip(*pairs, counts, strict=True)
        if counted[seed]
    ]


@pytest.mark.parametrize("size", SIZES)
def test_it_is_a_list_of_the_last_pairs_of_each_seed(size):
    step = jax.jit(remember)
    memory = empty(jnp.zeros((PARAMETERS, SEEDS)), size)
    nothing = [[0.0] * (2 * PARAMETERS + 1)] * size
    expected = [deque(nothing, maxlen=size) for _ in range(SEEDS)]
    for where, pair in some_pairs(3 * size + 20):
        memory = step(memory, where, pair)
        for seed in np.flatnonzero(where):
            expected[seed].appendleft([*pair.s[:, seed], *pair.y[:, seed], pair.rho[seed]])
        for seed in range(SEEDS):
            assert remembered(memory, seed) == [*expected[seed]]


def test_all_pairs_are_moved_once_in_a_while_only():
    assert [empty(jnp.zeros((1, 1)), size).new.rho.shape[0] for size in SIZES] == [
        1, 1, 1, 2, 4, MOST_NEW
    ]  # fmt: skip
    memory = empty(jnp.zeros((PARAMETERS, SEEDS)), 100)
    moves = 0
    for where, pair in some_pairs(64):
        before, memory = memory.old, remember(memory, where, pair)
        moves += not np.array_equal(before.s, memory.old.s)
    assert moves == 64 // MOST_NEW - 1


@pytest.mark.parametrize("size", [2, 20])
def test_it_can_be_differentiated_in_both_modes(size):
    steps = [*some_pairs(2 * size + 5)]

    def last(pairs):
        """A linear function of what was remembered."""
        memory = empty(jnp.zeros((PARAMETERS, SEEDS)), size)
        for (where, _), pair in zip(steps, pairs, strict=True):
            memory = remember(memory, where, pair)
        weights = iter(range(1, 1000))
        return sum(
            next(weights) * jnp.sum(jnp.where(counts[:, None], pairs.s * pairs.y, 0))
            for pairs, counts in memory.parts
        )

    given = [pair for _, pair in steps]
    gradient = jax.grad(last)(given)
    _, forwards = jax.jvp(last, (given,), (given,))
    inner = sum(
        jnp.sum(a * b) for a, b in zip(*map(jax.tree.leaves, (gradient, given)), strict=True)
    )
    np.testing.assert_allclose(forwards, inner, rtol=1e-5)
    np.testing.assert_allclose(forwards, 2 * last(given), rtol=1e-5)  # of the second degree
