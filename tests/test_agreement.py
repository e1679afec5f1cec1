"""Both backends train the same runs, in float64."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import helpers
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import seeds, trained

from attnlogic.history import join
from attnlogic.outcomes import NONE
from attnlogic.problems import initial_params
from attnlogic.problems.gates import ROWS
from attnlogic.problems.model import loss, pack, unpack
from attnlogic_jax import compiled
from attnlogic_jax.optimizers import method
from attnlogic_torch.training import history

# --- float64: the same runs ---------------------------------------------------------------------

# Another backend rounds otherwise, and training may amplify that: Adam, which oscillates once the
# loss is small, L-BFGS by its differences of gradients, and Polyak's steps, which are huge where
# the gradient nearly vanishes. How much is measured, run by run, on copies that start one rounding
# (2^-52) aside. As long as these agree to STEADY, the backends must agree to AGREE. From there on
# they must be as close as the copies, up to a factor: a copy is moved once, a backend rounds at
# every step (measured: up to 14 with AdamW, 71 with Polyak).
AGREE, STEADY, FACTOR = 1e-9, 1e-10, 100
HOPELESS = 1e-2  # no digits are left to compare
COPIES = 32

SEEDS = range(20)
GATES = ["xor", "nand", "or", "x1"]
EPOCHS = {"adam": 300, "adamw": 300, "sgd": 300, "polyak": 100, "lbfgs": 10}
STEADY_EPOCHS = {"adam": 80, "adamw": 80, "sgd": 300, "polyak": 6, "lbfgs": 1}
"""For these epochs no run comes apart from its copies, on any processor. With Adam the first does
from epoch 114 on, with Polyak's steps from 11, with L-BFGS from 3, give or take a processor's own
rounding; SGD's never do."""

NAMES = ["jax", "torch"]
condition = partial(helpers.condition, precision="float64")


def whole(training, start):
    """A run's whole history, by torch."""
    return join([*history(training, start)])


@pytest.fixture(scope="module")
def by_torch():
    """torch's histories of some seeds, from two processes: they take most of this file's time."""
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as executor:

        def histories(training, numbers):
            starts = [initial_params(s) for s in numbers]
            return list(executor.map(whole, [training] * len(starts), starts, chunksize=4))

        yield histories


def by_jax(training, starts):
    """Each epoch's report, leaves of shape (epochs, N), from packed starts (6, N)."""
    with jax.enable_x64(True):
        packed = jnp.asarray(starts, "float64")
        targets = jnp.asarray(training.gate.targets, "float64")
        plan = compiled.Plan.of(training)
        at = (packed, method(training.optimizer).init(packed))
        _, report = compiled.trace(
            plan, targets, 1e-4, at, training.epochs, room=training.epochs, kept=starts.shape[1]
        )
        return jax.tree.map(np.asarray, report)


def with_copies(numbers):
    """The seeds' starts, then COPIES times the same with each number moved by one rounding."""
    starts = np.stack(pack(seeds(*numbers))).astype(np.float64)
    signs = np.random.default_rng(0).choice([-1, 0, 1], (COPIES, *starts.shape))
    return np.concatenate([starts, *(starts * (1 + signs * 2.0**-52))], axis=1)


def relative(a, b):
    """|a - b|/|b|; 0 where both are equal, or both not finite."""
    same = (a == b) | ~(np.isfinite(a) | np.isfinite(b))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(same, 0.0, np.abs(a - b) / np.abs(b))


def amplification(losses, count):
    """How far any copy has come apart from its seed, up to each epoch: (epochs, seeds)."""
    copies = losses.reshape(len(losses), COPIES + 1, count)
    return np.fmax.accumulate(relative(copies[:, 1:], copies[:, :1]).max(axis=1))


@pytest.mark.parametrize("gate_name", GATES)
@pytest.mark.parametrize("by", EPOCHS)
def test_losses_agree_epoch_by_epoch(by_torch, by, gate_name):
    training = condition(gate_name, by, EPOCHS[by])
    report = by_jax(training, with_copies(SEEDS))
    amplified = amplification(report.loss, len(SEEDS))
    compared = 0
    for s, run in zip(SEEDS, by_torch(training, SEEDS), strict=True):
        end = len(run.losses)
        apart, own = relative(report.loss[:end, s], run.losses), amplified[:end, s]
        assert own[: STEADY_EPOCHS[by]].max() < STEADY, f"seed {s} comes apart early"
        allowed = np.where(own < STEADY, AGREE, np.where(own < HOPELESS, FACTOR * own, np.inf))
        worst = np.argmax(apart / allowed)
        assert (apart <= allowed).all(), f"seed {s}, epoch {worst}: {apart[worst]:.1e} apart"
        # What an epoch spends shows in the next one's loss.
        steady = int(np.sum(own < STEADY)) - 1
        spent = np.ones(end) if report.evaluations is None else report.evaluations[:end, s]
        assert run.evaluations[:steady].tolist() == spent[:steady].tolist()
        compared += int(np.sum(own < STEADY))
    # Enough is compared closely for a wrong formula to show: all of SGD, most of Adam.
    assert compared >= len(SEEDS) * STEADY_EPOCHS[by]


# Budgets end before rounding is amplified, and let each setting make a difference.
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
    ("polyak(f_min=0.01)", 10),
    ("polyak(tolerance=0.05)", 10),
]


@pytest.mark.parametrize(("by", "epochs"), HYPERPARAMETERS, ids=[c[0] for c in HYPERPARAMETERS])
def test_every_hyperparameter_means_the_same(by, epochs):
    numbers = (0, 2, 4)
    for name in ("xor", "nand"):
        training = condition(name, by, epochs)
        report = by_jax(training, np.stack(pack(seeds(*numbers))))
        for i, s in enumerate(numbers):
            run = whole(training, initial_params(s))
            end = len(run.losses)
            np.testing.assert_allclose(report.loss[:end, i], run.losses, rtol=AGREE, err_msg=s)
            if report.evaluations is not None:
                assert report.evaluations[:end, i].tolist() == run.evaluations.tolist()


@pytest.mark.parametrize(
    ("gate_name", "by", "epochs", "numbers", "precisions"),
    [
        ("xor", "sgd(lr=50)", 60, range(20), ["float32", "float64"]),
        ("nand", "sgd(lr=50)", 60, range(20), ["float32", "float64"]),
        ("xor", "lbfgs", 12, [62], ["float64"]),
        ("or", "lbfgs", 12, [12], ["float64"]),
    ],
)
def test_runs_diverge_at_the_same_epoch(gate_name, by, epochs, numbers, precisions):
    for precision in precisions:
        training = condition(gate_name, by, epochs, precision=precision)
        one, other = (trained(name, training, seeds(*numbers)) for name in NAMES)
        assert (one.diverged_at != NONE).all()
        assert one.diverged_at.tolist() == other.diverged_at.tolist()
        assert one.evaluations.tolist() == other.evaluations.tolist()


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("gate_name", ["xor", "nand"])
def test_runs_stop_at_the_same_epoch(gate_name, precision):
    # With so coarse a tolerance they stop early, before rounding is amplified.
    training = condition(gate_name, "polyak(tolerance=0.05)", 12, precision=precision)
    one, other = (trained(name, training, seeds(*range(20))) for name in NAMES)
    assert len(set(one.stopped_at.tolist())) > 3
    assert one.stopped_at.tolist() == other.stopped_at.tolist()
    assert one.evaluations.tolist() == other.evaluations.tolist()


@pytest.mark.parametrize("gate_name", ["xor", "nand"])
@pytest.mark.parametrize(("by", "epochs"), [("adam", 60), ("sgd", 60), ("lbfgs", 2), ("polyak", 8)])
def test_both_end_where_the_gradient_is_the_same(gate_name, by, epochs):
    training = condition(gate_name, by, epochs)
    one, other = (trained(name, training, seeds(*range(8))) for name in NAMES)
    np.testing.assert_allclose(one.gradient_norm, other.gradient_norm, rtol=1e-8)
    starts = unpack([leaf.astype(np.float64) for leaf in pack(one.final)])
    # By central differences of the model itself: of second order in a step of 1e-5.
    leaves, gradient = np.stack(pack(starts)), []
    for i in range(6):
        step = np.zeros((6, 1))
        step[i] = 1e-5
        above, below = (
            loss(unpack([*moved]), ROWS, training.gate.targets)
            for moved in (leaves + step, leaves - step)
        )
        gradient.append((above - below) / 2e-5)
    norm = np.linalg.norm(gradient, axis=0)
    np.testing.assert_allclose(one.gradient_norm, norm, rtol=1e-4, atol=1e-8)
