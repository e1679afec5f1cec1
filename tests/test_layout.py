"""How a batch is laid out: every run once, in order, in groups of one condition, within limits."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from attnlogic_jax.layout import MIN_GROUP, chunks, fewer
from attnlogic_jax.method import LANES

counts = st.lists(st.integers(1, 3000), min_size=1, max_size=12)
"""How many runs each condition has."""

limits = st.fixed_dictionaries(
    {
        "most": st.integers(1, 20_000),
        "most_in_group": st.integers(1, 600),
        "workers": st.integers(1, 5),
        "devices": st.integers(1, 4),
    }
)


def batch(of):
    """The condition of each run."""
    return np.repeat(np.arange(len(of), dtype=np.int32), of)


@given(counts, limits)
def test_every_run_is_there_once_and_in_order(of, within):
    found = chunks(batch(of), **within)
    runs = [chunk.runs.ravel()[chunk.lanes] for chunk in found]
    assert np.concatenate(runs).tolist() == [*range(sum(of))]
    assert all(len(chunk.lanes) for chunk in found)


@given(counts, limits)
def test_a_group_has_runs_of_one_condition(of, within):
    which = batch(of)
    for chunk in chunks(which, **within):
        own = which[chunk.runs]
        assert (own == own[:, :1]).all()
        assert (which[chunk.conditions] == own[:, 0]).all()


@given(counts, limits)
def test_chunks_are_of_one_size_within_the_limits(of, within):
    found = chunks(batch(of), **within)
    ((groups, size),) = {chunk.runs.shape for chunk in found}
    assert size % LANES == 0
    assert groups % within["devices"] == 0
    assert MIN_GROUP <= size <= max(MIN_GROUP, within["most_in_group"] + LANES - 1)
    assert groups * size <= within["devices"] * max(size, within["most"])


@given(counts, limits)
def test_little_is_trained_for_nothing(of, within):
    """What fills a group up is less than its condition needs in rounding; chunks are as full."""
    found = chunks(batch(of), **within)
    groups, size = found[0].runs.shape
    needed = sum(math.ceil(count / size) for count in of)
    rounds = math.ceil(len(found) / within["workers"])
    assert groups * (len(found) - 1) < needed <= groups * len(found)
    # No worker has a round more than the largest chunks would take.
    largest = within["devices"] * max(1, within["most"] // size)
    assert rounds <= math.ceil(needed / (largest * within["workers"]))


@given(st.integers(1, 100_000), limits)
def test_one_condition_is_cut_for_all_workers(count, within):
    """None stands idle while another has more than the smallest group."""
    found = chunks(batch([count]), **within)
    size = found[0].runs.shape[1]
    groups = math.ceil(count / size)
    assert (
        size == MIN_GROUP
        or groups >= within["workers"] * within["devices"]
        or (
            groups * (size - LANES) < count  # else one LANES less would have made another group
        )
    )


@given(limits)
def test_no_runs_are_no_chunks(within):
    assert chunks(np.zeros(0, np.int32), **within) == []


def test_chunks_worked_out_by_hand():
    first, second = chunks(batch([70, 3]), most=64, most_in_group=64, workers=1, devices=2)
    # 70 runs are two groups of 64, the second filled up; the third condition's group is alone.
    assert first.runs.shape == second.runs.shape == (2, 64)
    assert first.runs[0].tolist() == [*range(64)]
    assert first.runs[1].tolist() == [*range(64, 70), *[69] * 58]
    assert first.lanes.tolist() == [*range(70)]
    assert second.runs[0].tolist() == second.runs[1].tolist() == [70, 71, 72, *[72] * 61]
    assert second.lanes.tolist() == [0, 1, 2]
    assert first.conditions.tolist() == [0, 64]


# --- fewer --------------------------------------------------------------------------------------


@st.composite
def under_way(draw):
    """Groups with their conditions, their size, devices, and the seeds that still train."""
    devices = draw(st.integers(1, 4))
    groups = devices * draw(st.integers(1, 12))
    conditions = np.sort(draw(st.lists(st.integers(0, 4), min_size=groups, max_size=groups)))
    size = LANES * draw(st.integers(2, 16))
    share, seed = draw(st.floats(0, 1)), draw(st.integers(0, 2**32 - 1))
    going = np.flatnonzero(np.random.default_rng(seed).random(groups * size) < share)
    if not going.size:
        going = np.array([draw(st.integers(0, groups * size - 1))])
    return conditions, going, size, devices


@given(under_way())
def test_those_that_still_train_are_all_there_and_no_others(case):
    conditions, going, size, devices = case
    found = fewer(*case)
    if found is None:
        return
    assert {*found.ravel().tolist()} == {*going.tolist()}
    own = conditions[found // size]
    assert (own == own[:, :1]).all()
    assert found.shape[0] % devices == 0
    assert found.shape[1] % LANES == 0


@given(under_way())
def test_they_take_a_quarter_of_the_room_as_far_as_groups_can_be_cut(case):
    conditions, _, size, devices = case
    found = fewer(*case)
    if found is None:
        return
    if len(conditions) == devices:  # one group a device becomes smaller, to a multiple of LANES
        assert found.shape == (devices, LANES * math.ceil(size / 4 / LANES))
    else:
        assert found.shape[1] == size
        assert found.shape[0] <= max(devices, len(conditions) // 4)
        assert found.shape[0] < len(conditions)


@given(under_way())
def test_none_is_said_only_while_they_need_more_room(case):
    conditions, going, size, devices = case
    if fewer(*case) is not None:
        return
    several = conditions[going // size]
    needed = sum(math.ceil((several == c).sum() / size) for c in {*several.tolist()})
    if len(conditions) > devices:
        assert needed > devices * max(1, len(conditions) // 4 // devices)
    else:
        assert len({*several.tolist()}) > 1 or going.size > devices * LANES * math.ceil(
            size / 4 / LANES
        )
