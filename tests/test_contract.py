"""Both backends keep one contract, and in float64 they train the same runs."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import whole_history

from attnlogic.backend import Backend, Training
from attnlogic.backend import backend as find
from attnlogic.errors import InputError
from attnlogic.history import join
from attnlogic.optimizers import OPTIMIZERS, optimizer
from attnlogic.outcomes import NONE, NUMBERS, concatenate, leaves_of, numbers_of
from attnlogic.problems import initial_params
from attnlogic.problems.gates import ROWS, gate
from attnlogic.problems.model import invariant, loss, pack, unpack
from attnlogic_jax import compiled
from attnlogic_jax.optimizers import method
from attnlogic_torch.training import history

NAMES = ["jax", "torch"]


def condition(gate_name, by, epochs, precision="float64", **rest):
    return Training(gate(gate_name), optimizer(by), epochs, precision=precision, **rest)


def seeds(*numbers):
    return initial_params(np.array(numbers, np.uint32))


def trained(name, training, starts):
    return concatenate(list(find(name).train(training, starts)))


# --- what any backend promises ------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_backend_says_who_it_is(name):
    backend = find(name)
    assert isinstance(backend, Backend)
    assert backend.name == name
    assert backend.seeds >= 1
    assert backend.devices()
    assert all(isinstance(device, str) and device for device in backend.devices())
    versions = backend.versions()
    assert name in versions
    assert all(isinstance(v, str) and v[0].isdigit() for v in versions.values())


@pytest.mark.parametrize("by", ["adam", "lbfgs"])
def test_runs_that_end_at_their_first_hit_are_the_same_by_both(by):
    epochs = {"adam": 200, "lbfgs": 10}[by]
    training = replace(condition("nand", by, epochs, threshold=1e-3), until="hit")
    one, other = (concatenate([*find(name).train(training, seeds(*range(12)))]) for name in NAMES)
    hit = one.first_hit != NONE
    assert hit.any()
    assert (one.rises[hit] == 0).all()
    for field in ("first_hit", "sustained_from", "stopped_at", "evaluations", "ladder"):
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field), err_msg=field)
    for field in ("final_loss", "C", "C_first_hit", "gradient_norm"):
        a, b = (getattr(runs, field)[hit] for runs in (one, other))
        np.testing.assert_allclose(a, b, rtol=1e-4, err_msg=field)  # some amplify rounding
    np.testing.assert_array_equal(one.C[hit], one.C_first_hit[hit])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("by", ["adam", "polyak", "lbfgs"])
def test_outcomes_are_numpy_arrays_of_the_trainings_precision(name, by, precision):
    starts = seeds(0, 1, 2)
    outcomes = list(find(name).train(condition("xor", by, 9, precision), starts))
    assert sum(len(one.first_hit) for one in outcomes) == 3
    for one in outcomes:
        assert {type(leaf) for leaf in leaves_of(one)} == {np.ndarray}
        assert {leaf.shape for leaf in leaves_of(one)} == {one.first_hit.shape}
        assert {leaf.dtype for leaf in leaves_of(one)[:12]} == {np.dtype(precision)}
        for name_of, leaf in numbers_of(one).items():
            assert leaf.dtype == NUMBERS[name_of].kind.dtype(precision), name_of
    for given, kept in zip(pack(starts), pack(concatenate(outcomes).initial), strict=True):
        np.testing.assert_array_equal(kept, given)  # float32 fits into float64
    assert {leaf.dtype for leaf in pack(starts)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("epochs", [1, 8, 19])
def test_a_history_has_one_loss_an_epoch(name, precision, epochs):
    start = initial_params(4)
    run = whole_history(find(name), condition("xor", "adam", epochs, precision), start)
    assert run.losses.shape == run.C.shape == (epochs,)
    assert run.losses.dtype == run.C.dtype == np.dtype(precision)
    assert {np.asarray(p).dtype for p in pack(run.final)} == {np.dtype(precision)}
    assert {np.shape(p) for p in pack(run.final)} == {()}
    np.testing.assert_array_equal(pack(run.initial), pack(start))
    assert run.evaluations.tolist() == [1] * epochs
    assert run.stopped_at == NONE
    # C in float64 of float32 parameters differs from C in float32 by three roundings.
    assert run.C[0] == pytest.approx(float(invariant(start)), rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_outcomes_come_in_the_order_of_the_seeds(name):
    training = condition("xor", "adam", 20)
    together = leaves_of(trained(name, training, seeds(5, 3, 9)))
    for i, seed in enumerate((5, 3, 9)):
        alone = leaves_of(trained(name, training, seeds(seed)))
        for leaf, one in zip(together, alone, strict=True):
            np.testing.assert_array_equal(leaf[i], one[0])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("epochs", [1, 248])
@pytest.mark.parametrize("by", ["adam", "sgd(lr=50)", "polyak(tolerance=0.05)"])
def test_what_advance_is_told_adds_up(name, epochs, by):
    """Also where runs end early: they diverge, or stop."""
    training, told = condition("xor", by, epochs, "float32"), []
    list(find(name).train(training, seeds(0, 1, 2), on_progress=told.append))
    assert sum(told) == pytest.approx(3)
    told.clear()
    whole_history(find(name), training, initial_params(0), on_progress=told.append)
    assert sum(told) == pytest.approx(1)
    assert min(told) > 0


@pytest.mark.parametrize("name", NAMES)
def test_no_seeds_give_no_outcomes(name):
    outcomes = find(name).train(condition("xor", "adam", 5), seeds())
    assert sum(len(one.first_hit) for one in outcomes) == 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "change", [{"epochs": 0}, {"threshold": -1.0}, {"precision": "float16"}], ids=str
)
def test_a_training_that_makes_no_sense_is_refused_at_once(name, change):
    backend, training = find(name), replace(condition("xor", "adam", 5), **change)
    (word,) = change
    for work in (
        lambda: backend.check(training, 1),
        lambda: backend.train(training, seeds(0)),  # at the call, not at the first outcome
        lambda: whole_history(backend, training, initial_params(0)),
    ):
        with pytest.raises(InputError, match=word):
            work()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("by", OPTIMIZERS)
@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_a_run_that_starts_at_no_number_diverges_at_once(name, by, bad):
    start = unpack([np.float32([0.5, bad]), *np.float32([[0.5, 0.5]] * 5)])
    training = condition("xor", by, 8, "float32")
    run = trained(name, training, start)
    assert run.diverged_at.tolist() == [NONE, 0]
    assert run.evaluations[1] == 1
    assert run.stopped_at[1] == NONE
    assert run.final_loss[1] == run.min_loss[1] == run.initial_loss[1] == np.inf
    assert np.isnan([leaf[1] for leaf in (*pack(run.final), run.C)]).all()
    history = whole_history(find(name), training, unpack([leaf[1] for leaf in pack(start)]))
    assert len(history.losses) == history.evaluations.sum() == 1


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
        training = condition(gate_name, by, epochs, precision)
        one, other = (trained(name, training, seeds(*numbers)) for name in NAMES)
        assert (one.diverged_at != NONE).all()
        assert one.diverged_at.tolist() == other.diverged_at.tolist()
        assert one.evaluations.tolist() == other.evaluations.tolist()


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("gate_name", ["xor", "nand"])
def test_runs_stop_at_the_same_epoch(gate_name, precision):
    # With so coarse a tolerance they stop early, before rounding is amplified.
    training = condition(gate_name, "polyak(tolerance=0.05)", 12, precision)
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
