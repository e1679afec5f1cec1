"""Seeds that torch trains at once have the losses and outcomes of the notebook's loop."""

import warnings

import helpers
import numpy as np
import pytest
import torch
from helpers import assert_same, part, seed_range, seeds, whole_history
from hypothesis import given
from hypothesis import strategies as st
from test_optimizer_contract import ELEMENTWISE
from torch import nn

from attnlogic.backend import Batch, Training, in_order, one_condition
from attnlogic.history import History, outcome
from attnlogic.optimizers import optimizer
from attnlogic.outcomes import NONE, concatenate
from attnlogic.problems import OwnModule, problem
from attnlogic_torch import PLAIN, TORCH, layout, streaming, together
from attnlogic_torch.optimizers import TORCH_OPTIMIZERS

TOLERANCE = 1e-10
"""Relative to the loss. Both round some ten times an epoch by 1e-16, in another order, which these
optimizers amplify to 1e-12 at most within these epochs (rmsprop, measured)."""


@pytest.fixture
def losses(monkeypatch):
    """The losses that are folded, epoch by epoch, (L,) each."""
    folded, fold = [], streaming.fold

    def note(seen, epoch, losses, *rest):
        folded.append(losses.numpy().copy())
        return fold(seen, epoch, losses, *rest)

    monkeypatch.setattr(streaming, "fold", note)
    return folded


def expect_plain_losses(losses, training, starts):
    """The losses of runs trained at once are those of each run's history."""
    losses.clear()
    [*TORCH.train(one_condition(training, starts))]
    ours = np.stack(losses, axis=1)
    for k, start in enumerate(starts.T):
        run = whole_history(PLAIN, training, start)
        np.testing.assert_allclose(ours[k, : len(run.losses)], run.losses, rtol=TOLERANCE)


EPOCHS = {"polyak": 6}
"""Where rounding is amplified sooner than in 20 epochs."""


@pytest.mark.parametrize("gate", ["xor", "nand", "or", "x1"])
@pytest.mark.parametrize("by", [by for by, how in TORCH_OPTIMIZERS.items() if how.stacks])
def test_losses_are_those_of_the_plain_loop(losses, by, gate):
    training = helpers.condition(gate, by, EPOCHS.get(by, 20), precision="float64")
    expect_plain_losses(losses, training, seed_range(20))


MORE = ["adam(schedule=cosine(epochs=30,final=0.1),warmup=5)", "torch:Adam(lr=0.05, gamma=0.9)",
        "torch:SGD(lr=0.1, momentum=0.9)"]  # fmt: skip


@pytest.mark.parametrize("by", [*(by for by in ELEMENTWISE if "(" in by), *MORE])
def test_every_setting_is_that_of_the_plain_loop(losses, by):
    expect_plain_losses(
        losses, helpers.condition("xor", by, 40, precision="float64"), seed_range(2)
    )


@pytest.mark.parametrize("until", ["budget", "hit"])
@pytest.mark.parametrize(
    ("by", "epochs"), [("adamw", 150), ("sgd(lr=50)", 40), ("polyak(tolerance=0.05)", 6)]
)
def test_outcomes_are_those_of_the_plain_loop(by, epochs, until):
    """Of runs that hit, leave, stop and diverge."""
    training = helpers.condition(
        "xor", by, epochs, precision="float64", threshold=0.05, until=until
    )
    batch = one_condition(training, seed_range(60))
    one, other = (in_order(backend.train(batch)) for backend in (TORCH, PLAIN))
    ours, theirs = helpers.leaves(one), helpers.leaves(other)
    for name, leaf in theirs.items():
        # 150 epochs amplify rounding more than 20 do, and gradient norms lie near zero.
        np.testing.assert_allclose(ours[name], leaf, rtol=1e-7, atol=1e-9, err_msg=name)


# --- a run does not depend on its neighbours ------------------------------------------------------


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize(
    "model", ["attention", "mlp(hidden=64)", "attention(scores=softmax,heads=2)", "linear"]
)
def test_a_run_has_the_same_bits_alone_and_among_others(model, precision):
    training = Training(
        problem("parity3", model), optimizer("adamw"), 40, precision=precision, threshold=0.2
    )
    starts = training.problem.initial(range(300))
    among = in_order(TORCH.train(one_condition(training, starts)))
    for some in ([0], [299], [100, 130, 131], range(70, 200)):
        alone = in_order(TORCH.train(one_condition(training, starts[:, [*some]])))
        assert_same(alone, part(among, [*some]))


def test_conditions_side_by_side_are_as_each_alone():
    """Of several gates, rates and schedules, in any order."""
    trainings = tuple(
        helpers.condition(gate, f"adam(lr={lr}, gamma={gamma})", 60, threshold=0.2)
        for gate, lr, gamma in (("xor", 0.1, 0.9), ("or", 0.1, 0.9), ("or", 0.3, 0.99))
    )
    which = np.random.default_rng(0).integers(0, 3, 200).astype(np.int32)
    starts = seed_range(200)
    among = in_order(TORCH.train(Batch(trainings, which, starts)))
    for k, training in enumerate(trainings):
        own = np.flatnonzero(which == k)
        alone = in_order(TORCH.train(one_condition(training, starts[:, own])))
        assert_same(alone, part(among, own))


def test_a_run_has_the_same_bits_however_the_batch_is_cut(monkeypatch):
    training = helpers.condition("xor", "adamw", 40)
    batch = one_condition(training, seed_range(300))
    whole = in_order(TORCH.train(batch))
    monkeypatch.setitem(layout.MAX_LANES, "cpu", 90)
    pieces = [*TORCH.train(batch)]
    assert [piece.first for piece in pieces] == [0, 90, 180, 270]
    assert_same(in_order(pieces), whole)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("model", ["attention", "attention(scores=softmax,heads=2)", "mlp"])
def test_a_traced_evaluation_has_the_same_bits(monkeypatch, model, precision):
    training = Training(problem("xor", model), optimizer("adamw"), 40, precision=precision)
    batch = one_condition(training, training.problem.initial(range(100)))
    usual = in_order(TORCH.train(batch))
    traced = []
    trace = together.make_fx
    monkeypatch.setattr(together, "make_fx", lambda f: traced.append(f) or trace(f))
    monkeypatch.setattr(together, "MIN_TRACED_EPOCHS", 1)
    assert_same(in_order(TORCH.train(batch)), usual)
    assert len(traced) == 1


def test_chunks_are_smaller_where_a_run_is_larger():
    def sizes(model, gate, count, jobs=1, device="cpu", epochs=1):
        training = Training(problem(gate, model), optimizer("adam"), epochs)
        batch = one_condition(training, np.zeros((len(training.problem.names), count), np.float32))
        return [len(some.which) for _, some in layout.cut(batch, jobs, device)]

    assert sizes("attention", "xor", 20_000) == [2**14, 20_000 - 2**14]
    assert sizes("mlp(hidden=64)", "parity5", 100) == [36, 36, 28]
    assert sizes("attention", "xor", 20_000, jobs=2, device="cuda") == [20_000]
    assert sizes("attention", "xor", 4000, jobs=2) == [2000, 2000]
    assert sizes("attention", "xor", 1000, jobs=2) == [1000]  # two processes gain nothing
    assert sizes("attention", "xor", 5000, epochs=8000) == [2097, 2097, 806]  # ten seconds each
    assert sizes("attention", "xor", 2500, epochs=10**6) == [1024, 1024, 452]  # no gain in fewer
    assert sizes("attention", "xor", 5000, epochs=10**6, device="cuda") == [5000]


# --- the statistics -------------------------------------------------------------------------------

VALUES = st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 8.0, np.nan, np.inf, -np.inf])
XOR = problem("xor")


@given(
    st.lists(st.lists(VALUES, min_size=9, max_size=9), min_size=1, max_size=5),
    st.sampled_from(["budget", "hit"]),
    st.lists(st.sampled_from([NONE, 2, 6]), min_size=5, max_size=5),
    st.sampled_from([np.float32, np.float64]),
)
def test_what_is_folded_is_the_definition_bit_for_bit(losses, until, stops, dtype):
    """Losses that go on after a run's end do not count."""
    losses = np.array(losses, dtype).T  # (E, N)
    path = np.random.default_rng(0).normal(size=(10, losses.shape[1], 6)).astype(dtype)
    stops = np.array(stops[: losses.shape[1]])
    ends, runs = [], []
    for k, trace in enumerate(losses.T):
        ending = ~np.isfinite(trace) | ((until == "hit") & (trace <= 1))
        last = int(ending.argmax()) if ending.any() else len(trace) - 1
        stopped_at = stops[k] if NONE != stops[k] < last + (not ending.any()) else NONE
        last = stopped_at if stopped_at != NONE else last
        diverged = not np.isfinite(trace[last])
        if not diverged:
            losses[last:, k] = trace[last]  # it stands still
        path[last + 1 :, k] = path[last, k] if stopped_at != NONE or until == "hit" else 9
        quantities = XOR.quantities(tuple(path[: last + 1, k].T))
        final = path[last + (last == len(trace) - 1 and not ending.any()), k]
        ends.append(final)
        runs.append(
            outcome(
                History(
                    losses[: last + 1, k], quantities, path[0, k], final, stopped_at,
                    np.ones(last + 1, np.int32), dtype(0.5),
                ),
                1.0, XOR,
            )
        )  # fmt: skip
    seen = streaming.start(torch.tensor(path[0]), XOR)
    ladder = streaming.rungs(torch.tensor(path[0]))
    for epoch, row in enumerate(losses):
        packed = torch.tensor(path[epoch])
        seen = streaming.fold(seen, epoch, torch.tensor(row), packed, 1.0, ladder)
        seen = streaming.stop(seen, epoch, torch.tensor((stops != NONE) & (epoch >= stops)))
    found = streaming.finish(
        seen, path[0].T, np.stack(ends, 1), np.full(len(ends), 0.5, dtype), XOR, 1.0, len(losses),
        until_hit=until == "hit",
    )  # fmt: skip
    assert_same(found, concatenate(runs))


def test_it_ends_when_all_runs_have_ended(losses, monkeypatch):
    monkeypatch.setattr(together, "TARGET_PART_SECONDS", 0.0)
    training = helpers.condition("xor", "sgd(lr=50)", 10_000)
    runs = in_order(TORCH.train(one_condition(training, seeds(8, 1, 2, 9, 4))))
    assert (runs.diverged_at != NONE).all()
    assert len(losses) == runs.diverged_at.max() + 1


# --- modules of a user's own ----------------------------------------------------------------------


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(2, 3)
        self.scale = nn.Parameter(torch.randn(()))
        self.register_buffer("mask", torch.tensor([1.0, 0.0, 2.0]))

    def forward(self, x):
        return (torch.tanh(self.inner(x)) * self.mask).sum(-1) * self.scale


class Branching(Net):
    def forward(self, x):
        return super().forward(x) if self.scale > 0 else -super().forward(x)


class Miscounting(Net):
    """Its loss is another one where ``torch.func`` runs it."""

    def forward(self, x):
        alone = isinstance(self.scale, nn.Parameter)
        return super().forward(x) * (1.0 if alone else 1.1)


FEW = 16
"""Seeds of a condition whose runs are trained one at a time, where none are asked for."""

ALONE = OwnModule(
    Net, lambda module: module.scale**2 + sum(p.sum() ** 4 for p in module.parameters()), "alone"
)
UNUSED = OwnModule(Net, lambda module, x, y: (module.scale - y).square().sum(), "unused")
ABSOLUTE = OwnModule(Net, lambda module, x, y: (module(x) - y).abs().sum(), "absolute")


@pytest.mark.parametrize("own", [Net, ALONE, ABSOLUTE], ids=str)
def test_a_users_module_is_trained_together(losses, own):
    what = problem("xor" if own is not ALONE else None, own)
    training = Training(what, optimizer("adam"), 40, precision="float64")
    starts = what.initial(range(4))
    expect_plain_losses(losses, training, starts)
    assert len(losses) == 40


@pytest.mark.parametrize(
    ("own", "why"),
    [
        (Branching, "data-dependent control flow"),
        (Miscounting, "another loss"),
        (UNUSED, "does not depend on all parameters"),
    ],
)
def test_a_module_that_vmap_does_not_take_is_trained_alone_and_that_is_said(losses, own, why):
    training = Training(problem("xor", own), optimizer("adam"), 10)
    batch = one_condition(training, training.problem.initial(range(3)))
    with pytest.warns(UserWarning, match=f"one seed at a time, which takes long: .*{why}"):
        runs = in_order(TORCH.train(batch))
    assert not losses
    with warnings.catch_warnings(action="error"):
        assert_same(runs, in_order(PLAIN.train(batch)))
        assert TORCH.default_seeds(training) == FEW


@pytest.mark.parametrize("by", ["lbfgs", "torch:Adafactor(lr=0.1)", "torch:LBFGS"])
def test_what_is_not_elementwise_is_trained_alone(losses, by):
    batch = one_condition(helpers.condition("xor", by, 3), seed_range(3))
    one, other = (in_order(backend.train(batch)) for backend in (TORCH, PLAIN))
    assert_same(one, other)
    assert not losses
    assert TORCH.default_seeds(batch.trainings[0]) == FEW


@pytest.mark.parametrize("by", ["adam", "adamw", "sgd", "polyak"])
def test_of_what_is_trained_together_a_study_has_more_seeds(by):
    training = helpers.condition("xor", by, 3)
    assert PLAIN.default_seeds(training) < FEW < TORCH.default_seeds(training)
