"""The history of L-BFGS: the pairs that were found last."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attnlogic_jax.lbfgs import _push

HISTORY, PARAMETERS, SEEDS = 5, 3, 4


@pytest.mark.parametrize("active", [[False] * SEEDS, [True, False, True, False], [True] * SEEDS])
def test_a_pair_enters_the_history_of_the_active_seeds_alone_and_so_do_derivatives(active):
    random = np.random.default_rng(0)
    shapes = (PARAMETERS, SEEDS), (PARAMETERS, SEEDS), (SEEDS,)
    pair = tuple(random.normal(size=shape).astype("f4") for shape in shapes)
    memory = tuple(random.normal(size=(HISTORY, *shape)).astype("f4") for shape in shapes)

    pushed, pullback = jax.vjp(
        lambda memory, pair: _push(jnp.array(active), memory, pair), memory, pair
    )
    of_memory, of_pair = pullback(pushed)  # linear: what is kept comes back to where it was

    for seed, goes in enumerate(active):
        for old, new, now, back, back_new in zip(
            memory, pair, pushed, of_memory, of_pair, strict=True
        ):
            kept = old[: HISTORY - goes, ..., seed]
            expected = [*([new[..., seed]] if goes else []), *kept]
            np.testing.assert_array_equal(now[..., seed], expected)
            np.testing.assert_array_equal(back[: HISTORY - goes, ..., seed], kept)
            np.testing.assert_array_equal(back[HISTORY - goes :, ..., seed], 0)
            np.testing.assert_array_equal(back_new[..., seed], new[..., seed] if goes else 0)
