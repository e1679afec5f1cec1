"""What is kept of a run: small histories worked out by hand, and what must hold of any."""

import math
from typing import NamedTuple

import numpy as np
import pytest
from helpers import leaves
from hypothesis import given
from hypothesis import strategies as st

from attnlogic.history import History, rises
from attnlogic.history import outcome as define
from attnlogic.outcomes import (
    LADDER,
    NONE,
    NUMBERS,
    STATUSES,
    Outcome,
    concatenate,
    mapped,
    numbers_of,
    own_numbers,
    status,
)
from attnlogic.problems import invariant, problem, unpack

NAN, INF = math.nan, math.inf
INITIAL, FINAL = np.array([6.0, 5.0, 4.0, 3.0, 2.0, 1.0]), np.array([0.5, 2.0, -3.0, 4.0, 5.0, 6.0])
XOR = problem("xor")
DECLARED = NUMBERS | own_numbers({"C": "wq·wk·wv"})


def outcome(history, threshold, what=XOR):
    return define(history, threshold, what)


def run(losses, dtype=np.float64, stopped_at=NONE):
    """A history with these losses, in which C at epoch t is 10 + t and at the end -3."""
    losses = np.array(losses, dtype)
    C = np.arange(10, 10 + losses.size).astype(dtype)
    return History(losses, {"C": C}, INITIAL, FINAL, stopped_at, np.arange(losses.size) + 1, 0.5)


class Case(NamedTuple):
    losses: list[float]
    status: str
    min_loss: float
    first_hit: int
    sustained_from: int
    rises: list[int]
    exits: int
    worst_after_hit: float
    diverged_at: int = NONE
    stopped_at: int = NONE


# The threshold is 1: a loss of exactly 1 counts as a hit.
CASES = {
    "never reached": Case([4, 3, 5, 2], "unsolved", 2, NONE, NONE, [], 0, NAN),
    "reached and stays": Case([4, 2, 1, 0.5, 0.25], "solved", 0.25, 2, 2, [], 0, 0.5),
    "stays but rises": Case([4, 0.5, 0.75, 0.25, 1], "solved", 0.25, 1, 1, [2, 4], 0, 1),
    "leaves and returns": Case([4, 0.5, 3, 2, 0.75], "solved", 0.5, 1, 4, [2], 1, 3),
    "leaves, rises, stays away": Case([0.5, 2, 3, 1.5], "lost", 0.5, 0, NONE, [1, 2], 1, 3),
    "leaves twice": Case([2, 0.5, 2, 0.25, 4, 0.75, 0.5], "solved", 0.25, 1, 5, [2, 4], 2, 4),
    "leaves at the last epoch": Case([2, 0.5, 0.5, 2], "lost", 0.5, 1, NONE, [3], 1, 2),
    "hit at epoch 0": Case([1, 0.5, 0.5], "solved", 0.5, 0, 0, [], 0, 0.5),
    "hit at the last epoch": Case([4, 2, 1], "solved", 1, 2, 2, [], 0, NAN),
    "rises before the hit do not count": Case([2, 3, 1, 0.5], "solved", 0.5, 2, 2, [], 0, 0.5),
    "one epoch, above": Case([2], "unsolved", 2, NONE, NONE, [], 0, NAN),
    "one epoch, hit": Case([0.5], "solved", 0.5, 0, 0, [], 0, NAN),
    "NaN before any hit": Case([4, 3, NAN], "diverged", 3, NONE, NONE, [], 0, NAN, 2),
    "NaN after a hit": Case([4, 0.5, 0.25, NAN], "diverged", 0.25, 1, NONE, [3], 1, INF, 3),
    "inf after a hit": Case([4, 0.5, 0.25, INF], "diverged", 0.25, 1, NONE, [3], 1, INF, 3),
    "NaN after it left": Case([0.5, 2, NAN], "diverged", 0.5, 0, NONE, [1, 2], 1, INF, 2),
    "NaN at epoch 0": Case([NAN], "diverged", INF, NONE, NONE, [], 0, NAN, 0),
    "inf at epoch 0": Case([INF], "diverged", INF, NONE, NONE, [], 0, NAN, 0),
    "minus inf is no hit": Case([4, -INF], "diverged", 4, NONE, NONE, [], 0, NAN, 1),
    "stopped, solved": Case([4, 0.5, 0], "solved", 0, 1, 1, [], 0, 0, stopped_at=2),
    "stopped, unsolved": Case([4, 3], "unsolved", 3, NONE, NONE, [], 0, NAN, stopped_at=1),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_history_worked_out_by_hand(case, dtype):
    history = run(case.losses, dtype, case.stopped_at)
    got = outcome(history, 1.0)
    final = np.full(6, NAN) if case.diverged_at != NONE else FINAL
    expected = Outcome(
        initial=INITIAL,
        final=final,
        initial_loss=case.losses[0] if np.isfinite(case.losses[0]) else INF,
        final_loss=case.losses[-1] if np.isfinite(case.losses[-1]) else INF,
        min_loss=case.min_loss,
        first_hit=case.first_hit,
        sustained_from=case.sustained_from,
        rises=len(case.rises),
        exits=case.exits,
        worst_after_hit=case.worst_after_hit,
        stopped_at=case.stopped_at,
        diverged_at=case.diverged_at,
        evaluations=sum(range(1, len(case.losses) + 1)),  # t + 1 in epoch t
        evaluations_first_hit=NONE
        if case.first_hit == NONE
        else sum(range(1, case.first_hit + 1)) + 1,
        gradient_norm=NAN if case.diverged_at != NONE else 0.5,
        quantities_initial={"C": 120.0},  # 6·5·4
        quantities_first_hit={"C": NAN if case.first_hit == NONE else 10 + case.first_hit},
        quantities={"C": NAN if case.diverged_at != NONE else -3},
        # Of these losses only 0, the last of its run, is at or below a rung.
        ladder=(len(case.losses) - 1 if case.min_loss == 0 else NONE,) * len(LADDER),
    )
    for field in Outcome._fields:
        np.testing.assert_equal(getattr(got, field), getattr(expected, field), err_msg=field)
    assert rises(history.losses, case.first_hit).tolist() == case.rises
    assert status(got) == case.status


@pytest.mark.parametrize("number", [float, np.float64, np.float32, np.array], ids=repr)
def test_a_threshold_is_rounded_to_the_losses_precision(number):
    # float32(1e-3) is above 1e-3: a backend compares in its own precision, and so does this,
    # whatever type the threshold has.
    assert outcome(run([np.float32(1e-3)], np.float32), number(1e-3)).first_hit == 0
    if number is not np.float32:
        assert outcome(run([np.nextafter(1e-3, 1)], np.float64), number(1e-3)).first_hit == NONE


def test_the_ladder_by_hand():
    got = outcome(run([2, 0.05, 0.1, 1e-3, 2e-3, 5e-8, 1, 1e-10]), 1.0)
    assert np.allclose(LADDER, 10.0 ** -np.arange(1, 11), rtol=1e-12)
    assert got.ladder == (1, 3, 3, 5, 5, 5, 5, 7, 7, 7)
    assert outcome(run([2, 0.05, NAN]), 1.0).ladder == (1, *[NONE] * 9)
    assert outcome(run([0.0]), 1.0).ladder == (0,) * 10


# --- what must hold of any history --------------------------------------------------------------

# Few values, so that ties and the threshold itself come up; a run ends at its first bad loss.
finite = st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 8.0])
dtypes = st.sampled_from([np.float32, np.float64])


@st.composite
def histories(draw):
    losses = draw(st.lists(finite, max_size=12))
    end = draw(st.sampled_from([[], [NAN], [INF]])) if losses else [draw(finite)]
    return run(losses + end, draw(dtypes), draw(st.sampled_from([NONE, len(losses + end) - 1])))


@given(histories())
def test_invariants(history):
    run, losses = outcome(history, 1.0), history.losses
    diverged, reached = run.diverged_at != NONE, run.first_hit != NONE
    solved = run.sustained_from != NONE
    assert solved == bool(run.final_loss <= 1)
    assert not (solved and diverged)
    assert reached == bool(run.min_loss <= 1)
    if solved:
        assert run.sustained_from >= run.first_hit
        assert (losses[run.sustained_from :] <= 1).all()
        assert run.sustained_from == 0 or not losses[run.sustained_from - 1] <= 1
        assert (run.sustained_from == run.first_hit) == (run.exits == 0)
    if reached:
        assert not (losses[: run.first_hit] <= 1).any()
        assert run.quantities_first_hit["C"] == 10 + run.first_hit
    else:
        assert run.rises == run.exits == 0
        assert np.isnan(run.quantities_first_hit["C"])
    assert 0 <= run.exits <= run.rises
    assert run.rises == len(rises(losses, run.first_hit)) < losses.size

    assert np.isnan(run.worst_after_hit) == (run.first_hit in (NONE, losses.size - 1))
    assert (run.worst_after_hit > 1) == (run.exits > 0)
    if not np.isnan(run.worst_after_hit):
        last = INF if np.isnan(run.final_loss) else run.final_loss
        assert run.worst_after_hit >= last >= run.min_loss

    assert diverged == (not np.isfinite(run.final_loss))
    assert all(np.isnan(leaf) == diverged for leaf in (*run.final, run.quantities["C"]))
    np.testing.assert_equal(run.quantities["C"], invariant(unpack(run.final)))


@given(histories())
def test_exactly_one_status_holds(history):
    run = outcome(history, 1.0)
    diverged, hit = run.diverged_at != NONE, run.first_hit != NONE
    ended_well = bool(run.final_loss <= 1)
    holds = {
        "solved": ended_well,
        "lost": hit and not ended_well and not diverged,
        "unsolved": not hit and not diverged,
        "diverged": diverged,
    }
    assert tuple(holds) == STATUSES
    assert [name for name in STATUSES if holds[name]] == [str(status(run))]


@given(histories(), st.integers(-20, 20))
def test_scaling_the_losses_with_the_threshold_moves_no_epoch(history, power):
    scaled = history._replace(losses=history.losses * history.losses.dtype.type(2.0**power))
    one, other = outcome(history, 1.0), outcome(scaled, 2.0**power)
    epochs = ("first_hit", "sustained_from", "rises", "exits", "stopped_at", "diverged_at")
    assert all(getattr(one, e) == getattr(other, e) for e in epochs)


@given(histories(), st.sampled_from(range(10)))
def test_a_rungs_first_hit_is_what_it_would_be_as_the_threshold(history, k):
    history = history._replace(losses=history.losses * history.losses.dtype.type(1e-3))
    assert outcome(history, 1.0).ladder[k] == outcome(history, LADDER[k]).first_hit


@given(histories())
def test_dtypes_are_those_promised(history):
    run = outcome(history, 1.0)
    for name, leaf in numbers_of(run).items():
        expected = {"EPOCH": np.int32, "COUNT": np.int64, "REAL": history.losses.dtype}
        assert leaf.dtype == expected[DECLARED[name].kind.name], name
    assert {*numbers_of(run)} == {*DECLARED}
    assert run.initial.dtype == run.final.dtype == history.losses.dtype
    assert run.initial.shape == run.final.shape == (6,)
    assert {np.shape(leaf) for leaf in leaves(run).values()} == {()}


@given(st.lists(histories(), min_size=1, max_size=6), st.integers(0, 6))
def test_runs_side_by_side(some, cut):
    runs = [outcome(h, 1.0) for h in some]
    together = concatenate(runs)
    every = leaves(together)
    assert {leaf.shape for leaf in every.values()} == {(len(runs),)}
    assert list(status(together)) == [str(status(r)) for r in runs]
    for i, one in enumerate(runs):
        for field, leaf in leaves(one).items():
            np.testing.assert_equal(float(every[field][i]), float(leaf), err_msg=field)

    parts = [concatenate(part) for part in (runs[:cut], runs[cut:]) if part]
    for field, leaf in leaves(concatenate(parts)).items():
        np.testing.assert_array_equal(every[field], leaf, err_msg=field)


def test_an_outcome_is_mapped_leaf_by_leaf():
    one, other = outcome(run([4, 0.5]), 1.0), outcome(run([0.5, 2, 1]), 1.0)
    pairs = mapped(lambda a, b: (a, b), one, other)
    for name in Outcome._fields:
        got, a, b = (getattr(runs, name) for runs in (pairs, one, other))
        if isinstance(a, dict):
            assert got == {"C": (a["C"], b["C"])}
        elif name == "ladder":
            assert got == tuple(zip(a, b, strict=True))
        else:
            np.testing.assert_equal(got, (a, b))


def test_a_model_without_numbers_of_its_own_has_none():
    what = problem("xor", "attention(scores=softmax)")
    history = run([4, 0.5])._replace(quantities={})
    one = outcome(history, 1.0, what)
    assert one.quantities_initial == one.quantities_first_hit == one.quantities == {}
    assert [*numbers_of(one)] == [*NUMBERS]
    assert [*numbers_of(concatenate([one, one]))] == [*NUMBERS]
    assert repr(one) == "Outcome(solved: first_hit=1, final_loss=0.5)"
    with_c = outcome(run([4, 0.5]), 1.0)
    for name, value in numbers_of(one).items():
        np.testing.assert_equal(value, numbers_of(with_c)[name])


def test_rises_are_the_notebooks_count():
    losses = np.array([5, 6, 1, 3, 2, 2, 4, 0.5])
    assert rises(losses, 2).tolist() == [3, 6]  # 6 at epoch 1 comes before the hit; 2, 2 is no rise
    assert rises(losses, NONE).tolist() == []
    assert rises(losses, 7).tolist() == []


def test_a_historys_text_is_one_line():
    assert repr(run([4, 3, 0.5])) == "History(3 epochs: loss 4 … 0.5)"
