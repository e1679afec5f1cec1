"""The statistics that are folded while training, against their definition on whole histories.

The losses are made up, so that they tie, lie exactly at the threshold or at a rung, or are no
numbers: comparisons that are off by their equality show only there.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from attnlogic.history import History, outcome
from attnlogic.outcomes import LADDER, NONE, NUMBERS, mapped, numbers_of
from attnlogic.problems import problem
from attnlogic_jax import streaming
from attnlogic_jax.chunks import joined
from attnlogic_jax.method import Report

THRESHOLD = np.float32(1e-4)
ABOVE = np.nextafter(THRESHOLD, np.float32(1))
BELOW = np.nextafter(THRESHOLD, np.float32(0))
NAN, INF = float("nan"), float("inf")
XOR = problem("xor")

losses = st.sampled_from(
    [0.0, *map(float, (BELOW, THRESHOLD, ABOVE)), 1e-3, 0.5, 0.5, 2.0, *LADDER, NAN, INF, -INF]
)
sequences = st.lists(losses, min_size=1, max_size=14)


def cut(values, stopped_at, until_hit):
    """How long the run lasts, and the epoch at which its own rule ended it."""
    ends = {}
    for epoch, loss in enumerate(np.asarray(values, np.float32)):
        if until_hit and loss <= THRESHOLD:
            ends.setdefault(epoch, "hit")
        elif not np.isfinite(loss):
            ends.setdefault(epoch, "diverged")
        elif stopped_at == epoch:
            ends.setdefault(epoch, "stopped")
    last = min(ends, default=len(values) - 1)
    return last + 1, last if ends.get(last) == "stopped" else NONE


def history_of(values, stopped_at, evaluations, until_hit):
    """The run as the reference sees it, and its losses as they are folded."""
    length, stop = cut(values, stopped_at, until_hit)
    kept = np.asarray(values[:length], np.float32)
    C = np.arange(10, 10 + length, dtype=np.float32)
    params = np.arange(1, 7, dtype=np.float32)
    counts = np.ones(length, int) if evaluations is None else np.asarray(evaluations[:length])
    run = History(kept, {"C": C}, params, params, stop, counts, np.float32(0.25))
    # A run that has stopped or hit stands still; one that diverged may do anything.
    rest = [kept[-1]] * (len(values) - length) if np.isfinite(kept[-1]) else values[length:]
    return run, [*kept, *rest]


fold = jax.jit(streaming.fold)


def folded_outcome(values, stop, evaluations, until_hit, budget):
    """One run through the fold, with another beside it that never does anything."""
    packed = jnp.stack([jnp.full(2, k + 1, jnp.float32) for k in range(6)])
    seen = streaming.start(packed, ["C"])
    for epoch in range(budget):
        report = Report(
            loss=np.array([values[epoch], 3.0], np.float32),
            quantities={"C": np.array([10 + epoch, 0], np.float32)},
            evaluations=None
            if evaluations is None
            else np.array([evaluations[epoch], 1], np.int32),
            stopped=np.array([NONE < stop <= epoch, False]),
        )
        seen = fold(seen, np.int32(epoch), report, THRESHOLD)
    found = streaming.finish(
        seen, packed, jnp.asarray([values[0], 3.0], jnp.float32), packed,
        jnp.full(2, 0.25, jnp.float32), jnp.asarray(budget), jnp.asarray(THRESHOLD),
        XOR.quantities,
        counted=evaluations is not None, until_hit=until_hit,
    )  # fmt: skip
    found = found._replace(
        evaluations=joined(found.evaluations),
        evaluations_first_hit=joined(found.evaluations_first_hit),
    )
    return mapped(lambda leaf: np.asarray(leaf)[..., 0], found)


@given(
    values=sequences,
    stopped_at=st.none() | st.integers(0, 13),
    counted=st.booleans(),
    until_hit=st.booleans(),
)
@example(values=[0.5, 1e-4, 1e-4], stopped_at=None, counted=True, until_hit=False)
@example(values=[float(ABOVE), 1e-4, float(ABOVE)], stopped_at=None, counted=False, until_hit=False)
@example(values=[1e-4, 0.5, 0.5, 1e-4, 2.0], stopped_at=None, counted=True, until_hit=False)
@example(values=[0.5, NAN], stopped_at=1, counted=False, until_hit=False)
@example(values=[0.5, 1e-4, NAN], stopped_at=None, counted=False, until_hit=True)
@example(values=[2.0, 0.5, 0.5], stopped_at=1, counted=False, until_hit=False)
@example(values=[2.0, 1e-4, 0.5], stopped_at=1, counted=False, until_hit=True)
@example(values=[2.0, INF, 0.0, 0.5], stopped_at=None, counted=False, until_hit=False)
def test_every_number_is_that_of_its_definition(values, stopped_at, counted, until_hit):
    # No method both counts its evaluations and stops by its own rule.
    stopped_at = None if counted else stopped_at
    evaluations = [3 + epoch for epoch in range(len(values))] if counted else None
    if counted:  # an epoch that shows the end of a run has one evaluation
        length, _ = cut(values, None, until_hit)
        last = np.float32(values[length - 1])
        if not np.isfinite(last) or (until_hit and last <= THRESHOLD):
            evaluations[length - 1] = 1
    run, folded = history_of(values, stopped_at, evaluations, until_hit)
    expected = outcome(run, THRESHOLD, XOR)
    # Where a run hit it stands still, and its own rule may say so from then on.
    stop = stopped_at if until_hit and expected.first_hit != NONE else run.stopped_at
    stop = NONE if stop is None else stop
    found = folded_outcome(folded, stop, evaluations, until_hit, len(values))
    of_found = numbers_of(found)
    for name, value in numbers_of(expected).items():
        np.testing.assert_array_equal(of_found[name], value, err_msg=name, strict=True)


def test_evaluations_do_not_wrap():
    """Two million an epoch pass 2^31 after 1074 epochs."""
    budget, each = 5000, 2_000_000
    values, evaluations = [0.5] * (budget - 1) + [0.0], [each] * budget
    run, _ = history_of(values, None, evaluations, until_hit=False)
    expected = outcome(run, THRESHOLD, XOR)
    found = folded_outcome(values, NONE, evaluations, False, budget)
    assert found.evaluations == expected.evaluations == budget * each
    assert found.evaluations_first_hit == expected.evaluations_first_hit
    assert found.evaluations_first_hit == (budget - 1) * each + 1
    assert found.evaluations.dtype == np.int64


@pytest.mark.parametrize("number", [0, 5, 2**30 - 1, 2**30, 2**31 - 2, 2**31 - 1, 2**31, 10**10])
def test_a_count_of_the_pure_function_is_the_largest_where_32_bits_do_not_do(number):
    words = jnp.asarray([[number >> 30], [number & (2**30 - 1)]], jnp.int32)
    assert streaming.joined(words).tolist() == [min(number, 2**31 - 1)]
    with jax.enable_x64(True):
        assert streaming.joined(words).tolist() == [number]
        assert streaming.joined(words).dtype == np.int64


@pytest.mark.parametrize("name", NUMBERS)
def test_what_does_not_exist_yet_is_no_nan(name):
    """JAX's search for NaN may find a run's own, never one of the fold's."""
    seen = streaming.start(jnp.ones((6, 3), jnp.float32), ["C"])
    assert not np.isnan(seen.quantities_first_hit["C"]).any()
    if hasattr(seen, name):
        assert not np.isnan(np.asarray(getattr(seen, name), np.float64)).any()
