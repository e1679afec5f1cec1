"""A batch with other numbers: what a method computes from them is kept for each condition."""

import numpy as np
import pytest
from helpers import assert_same, condition, part, seed_range

from attnlogic.backend import Batch, backend, checked, in_order, one_condition


@pytest.mark.parametrize(
    ("by", "one", "other"),
    [
        ("asgd", "lr=0.05", "lr=0.2"),
        ("nadam", "momentum_decay=0.004,lr=0.05", "momentum_decay=0.1,lr=0.1"),
        ("rprop", "lr=0.01", "lr=0.1"),
        ("adamw", "lr=0.05,warmup=5", "lr=0.1,warmup=50"),
    ],
)
def test_each_condition_is_as_if_it_were_alone(by, one, other):
    """In groups of its own, and in a group alone: the last bit is the same."""
    trainings = [checked(condition("xor", f"{by}({given})", 120)) for given in (one, other)]
    starts, jax = seed_range(260), backend("jax")
    which = np.repeat(np.arange(2, dtype=np.int32), 260)
    batch = Batch(tuple(trainings), which, np.concatenate([starts, starts], axis=1))
    together = in_order(jax.train(batch))
    for k, training in enumerate(trainings):
        alone = in_order(jax.train(one_condition(training, starts)))
        assert_same(part(together, slice(260 * k, 260 * (k + 1))), alone)
        few = in_order(jax.train(one_condition(training, starts[:, :20])))
        assert_same(part(alone, slice(20)), few)
