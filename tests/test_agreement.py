"""Both backends train the same runs, as far as rounding lets them, on whatever processor.

How far that is comes from ``copies``: what is a number must be as close as the copies are, and what
is a whole number, such as the epoch at which a run stops, the same wherever all copies have the
same.
"""

from dataclasses import replace
from functools import partial

import helpers
import numpy as np
import pytest
from copies import STEADY, agreed, assert_as_close_as_copies, first, with_copies
from helpers import seed, seeds, torch_side_by_side, trained, whole_history

from attnlogic.outcomes import LADDER, NONE, numbers_of
from attnlogic.problems import ROWS, loss, unpack
from attnlogic_torch import TORCH
from attnlogic_torch.optimizers import record

condition = partial(helpers.condition, precision="float64")


# --- epoch by epoch -----------------------------------------------------------------------------

SEEDS = {"adam": 20, "adamw": 20, "sgd": 20, "polyak": 20, "lbfgs": 10}
GATES = ["xor", "nand", "or", "x1"]
EPOCHS = {"adam": 300, "adamw": 300, "sgd": 300, "polyak": 100, "lbfgs": 10}

STEADY_EPOCHS = {"adam": 60, "adamw": 60, "sgd": 300, "polyak": 6, "lbfgs": 1}
"""For these epochs rounding is amplified in no run: with Adam it begins at epoch 95 or later, with
Polyak's steps at 11, with L-BFGS at 3, whatever the processor, give or take a little. With SGD it
never is."""

STEADY_SHARE = {"adam": 0.6, "adamw": 0.6, "sgd": 1.0, "polyak": 0.1, "lbfgs": 0.4}
"""The least share of epochs that is compared to nine digits, of any gate. Measured: from 0.76,
0.81, 1, 0.18 and 0.60 on."""


@pytest.mark.parametrize("gate_name", GATES)
@pytest.mark.parametrize("by", EPOCHS)
def test_losses_agree_epoch_by_epoch(by, gate_name):
    training, chosen = condition(gate_name, by, EPOCHS[by]), range(SEEDS[by])
    copies = with_copies(training, chosen)
    steady = copies.spread < STEADY
    assert steady[: STEADY_EPOCHS[by]].all()
    assert steady.mean() >= STEADY_SHARE[by]
    own = chosen
    if record(training.optimizer).elementwise:
        # The same optimizers of torch's, all seeds at once; the backend itself trains two.
        together = torch_side_by_side(training, seeds(*chosen))
        for number in chosen:
            assert_as_close_as_copies(copies, number, together[:, number], np.ones(EPOCHS[by]))
        own = chosen[:2]
    for number in own:
        run = whole_history(TORCH, training, seed(number))
        assert_as_close_as_copies(copies, number, run.losses, run.evaluations)


# Budgets let each setting make a difference, and end before rounding is amplified.
HYPERPARAMETERS = [
    ("adam(weight_decay=0.01, beta1=0.8, beta2=0.99, eps=1e-6)", 100),
    ("adam(lr=0.001)", 100),
    ("adam(gamma=0.9995)", 100),
    ("adamw(weight_decay=0.1)", 100),
    ("adamw(gamma=0.99, beta2=0.9)", 60),
    ("sgd(momentum=0.9)", 60),
    ("sgd(momentum=0.9, nesterov=True, weight_decay=0.01)", 60),
    ("sgd(gamma=0.99)", 100),
    ("lbfgs(lr=1, max_iter=5)", 3),
    ("lbfgs(history_size=3)", 3),
    ("lbfgs(max_iter=5, max_eval=4)", 8),
    ("lbfgs(max_iter=1)", 20),
    ("lbfgs(tolerance_grad=0.1)", 8),
    ("lbfgs(tolerance_change=0.01)", 8),
    ("lbfgs(gamma=0.9)", 3),
    ("adam(schedule=cosine(epochs=60,final=0.1))", 100),
    ("adamw(schedule=linear(epochs=80),warmup=10)", 100),
    ("sgd(schedule=step(every=20,factor=0.5),warmup=30)", 100),
    ("lbfgs(schedule=step(every=1,factor=0.9),warmup=2)", 3),
    ("polyak(f_min=0.01)", 10),
    ("polyak(tolerance=0.05)", 10),
]


@pytest.mark.parametrize(("by", "epochs"), HYPERPARAMETERS, ids=[c[0] for c in HYPERPARAMETERS])
def test_every_hyperparameter_means_the_same(by, epochs):
    numbers = (0, 2, 4)
    for name in ("xor", "nand"):
        training = condition(name, by, epochs)
        copies = with_copies(training, numbers)
        for place, number in enumerate(numbers):
            run = whole_history(TORCH, training, seed(number))
            assert_as_close_as_copies(copies, place, run.losses, run.evaluations)
            assert copies.spread[len(run.losses) - 1, place] < 1e-6  # six digits were compared


# --- how runs end -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gate_name", "by", "epochs"), [("nand", "adam", 200), ("or", "lbfgs", 10)]
)
def test_runs_that_end_at_their_first_hit_are_the_same_by_both(gate_name, by, epochs):
    numbers = range(12)
    training = replace(condition(gate_name, by, epochs, threshold=1e-3), until="hit")
    copies = with_copies(replace(training, until="budget"), numbers)
    passed = [first(copies.losses <= rung) for rung in LADDER[:3]]
    before = np.arange(epochs)[:, None, None] < passed[2]
    spent = np.sum(copies.evaluations, axis=0, where=before)
    alike = agreed(*passed, spent) & (passed[2][0] != NONE)
    assert alike.sum() >= 2
    one, other = (trained(name, training, seeds(*numbers)) for name in ("jax", "torch"))
    for field in ("first_hit", "sustained_from", "stopped_at", "evaluations", "rises"):
        a, b = (getattr(runs, field)[alike] for runs in (one, other))
        np.testing.assert_array_equal(a, b, err_msg=field)
    np.testing.assert_array_equal(one.first_hit[alike], passed[2][0, alike])
    np.testing.assert_array_equal(one.evaluations[alike], spent[0, alike] + 1)
    for a, b in zip(one.ladder, other.ladder, strict=True):
        np.testing.assert_array_equal(a[alike], b[alike])
    steady = alike & (copies.spread[one.first_hit, np.arange(len(numbers))] < 1e-8)
    assert steady.any()
    for field in ("final_loss", "C", "C_first_hit", "gradient_norm"):
        a, b = (numbers_of(runs)[field][steady] for runs in (one, other))
        np.testing.assert_allclose(a, b, rtol=1e-6, err_msg=field)
    hit = one.first_hit != NONE
    assert (one.rises[hit] == 0).all()
    np.testing.assert_array_equal(one.quantities["C"][hit], one.quantities_first_hit["C"][hit])


@pytest.mark.parametrize(
    ("gate_name", "by", "epochs", "numbers", "precisions"),
    [
        ("xor", "sgd(lr=50)", 60, range(20), ["float32", "float64"]),
        ("nand", "sgd(lr=50)", 60, range(20), ["float32", "float64"]),
        ("xor", "lbfgs(lr=3)", 3, range(16), ["float64"]),
        ("or", "lbfgs(lr=10)", 3, range(16), ["float64"]),
    ],
)
def test_runs_diverge_at_the_same_epoch(gate_name, by, epochs, numbers, precisions):
    for precision in precisions:
        training = condition(gate_name, by, epochs, precision=precision)
        copies = with_copies(training, numbers)
        at = first(~np.isfinite(copies.losses))
        spent = np.sum(copies.evaluations, axis=0, where=np.arange(epochs)[:, None, None] <= at)
        alike = np.flatnonzero(agreed(at, spent) & (at[0] != NONE))
        assert alike.size >= 3
        chosen = [numbers[place] for place in alike]
        for name in ("jax", "torch"):
            runs = trained(name, training, seeds(*chosen))
            np.testing.assert_array_equal(runs.diverged_at, at[0, alike])
            np.testing.assert_array_equal(runs.evaluations, spent[0, alike])


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("gate_name", ["xor", "nand"])
def test_runs_stop_at_the_same_epoch(gate_name, precision):
    # With so coarse a tolerance they stop early, before rounding is amplified much.
    training = condition(gate_name, "polyak(tolerance=0.05)", 12, precision=precision)
    numbers = range(20)
    at = first(with_copies(training, numbers).stopped)
    alike = agreed(at)
    assert alike.mean() > 0.8
    assert len(set(at[0, alike].tolist())) > 3
    for name in ("jax", "torch"):
        runs = trained(name, training, seeds(*numbers))
        np.testing.assert_array_equal(runs.stopped_at[alike], at[0, alike])
        spent = np.where(at[0] == NONE, training.epochs, at[0] + 1)
        np.testing.assert_array_equal(runs.evaluations[alike], spent[alike])


@pytest.mark.parametrize("gate_name", ["xor", "nand"])
@pytest.mark.parametrize(("by", "epochs"), [("adam", 60), ("sgd", 60), ("lbfgs", 2), ("polyak", 6)])
def test_both_end_where_the_gradient_is_the_same(gate_name, by, epochs):
    training = condition(gate_name, by, epochs)  # too short for rounding to be amplified
    one, other = (trained(name, training, seeds(*range(8))) for name in ("jax", "torch"))
    np.testing.assert_allclose(one.gradient_norm, other.gradient_norm, rtol=1e-8)
    ends, gradient = one.final.astype(np.float64), []
    # By central differences of the model itself: of second order in a step of 1e-5.
    for i in range(6):
        step = np.zeros((6, 1))
        step[i] = 1e-5
        above, below = (
            loss(unpack([*moved]), ROWS, training.problem.data.targets)
            for moved in (ends + step, ends - step)
        )
        gradient.append((above - below) / 2e-5)
    norm = np.linalg.norm(gradient, axis=0)
    np.testing.assert_allclose(one.gradient_norm, norm, rtol=1e-4, atol=1e-8)
