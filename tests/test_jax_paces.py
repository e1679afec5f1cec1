"""Epochs of several iterations: each seed goes at its own pace, and each is as if it were alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from attnlogic_jax import paces, streaming
from attnlogic_jax.method import Evaluated, Iterations, Within
from attnlogic_jax.training import Carry

PERIOD = 21
"""Iterations of two epochs together, of each seed."""

SHORTER = np.array([1, 20, 7, 14, 20, 1])
"""Iterations of each seed's first epoch; its second takes the rest, its third as many again."""

THRESHOLD = np.float32(-30)


def evaluate(packed):
    """The loss is how far down a seed is; its derivative is of no use here."""
    return Evaluated(jnp.stack([packed[0], packed[0]]), ())


def begin(here):
    none = jnp.zeros(here.loss.shape, jnp.int32)
    return Within(here, none + 1, here.loss > -1000, none)


def iterate(evaluate, epoch, packed, calls, within):
    """One down, till the epoch's end; the state counts how often this is called for all seeds."""
    down = jnp.where(within.active, packed - 1, packed)
    here = evaluate(down)
    done = -here.loss % PERIOD
    goes_on = within.active & (done != 0) & (done != SHORTER[: len(done)])
    spent = within.evaluations + goes_on
    return down, calls + 1, Within(here, spent, goes_on, within.i + 1)


STEPS = Iterations(begin, iterate, lambda calls, epochs: calls)


def start(seeds):
    packed = jnp.zeros((1, seeds), jnp.float32)
    calls = jnp.zeros((), jnp.int32)
    return Carry(jnp.zeros((), jnp.int32), packed, calls, streaming.start(packed, []))


def expected(epochs):
    """By hand: where each seed is, what it has spent, and its first hit."""
    lengths = [[s, PERIOD - s] * (epochs // 2) + [s] * (epochs % 2) for s in SHORTER]
    losses = [np.append(0, -np.cumsum(one))[:-1] for one in lengths]
    hits = [next((t for t, x in enumerate(one) if x <= THRESHOLD), -1) for one in losses]
    return [sum(one) for one in lengths], hits, [one[-1] for one in losses]


def in_each(calls, shorter):
    """The iterations of a seed in each call, from those of its first epoch."""
    lengths = iter([shorter, PERIOD - shorter] * sum(calls))
    return [sum(next(lengths) for _ in range(epochs)) for epochs in calls]


@pytest.mark.parametrize("calls", [[5], [1, 4], [2, 2, 1], [4], [0, 6]], ids=str)
def test_no_seed_waits_for_another_within_a_call(calls):
    carry = start(len(SHORTER))
    for epochs in calls:
        carry = jax.jit(paces.advance, static_argnums=(0, 1))(
            STEPS, evaluate, THRESHOLD, carry, epochs
        )
    spent, hits, last = expected(sum(calls))
    np.testing.assert_array_equal(carry.packed[0], np.negative(spent))
    np.testing.assert_array_equal(streaming.joined(carry.seen.evaluations), spent)
    np.testing.assert_array_equal(carry.seen.first_hit, hits)
    np.testing.assert_array_equal(carry.seen.loss, last)
    assert carry.epoch == sum(calls)
    by_seed = [in_each(calls, shorter) for shorter in SHORTER]
    assert carry.state == sum(max(of_all) for of_all in zip(*by_seed, strict=True))
