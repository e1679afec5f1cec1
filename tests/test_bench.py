"""The benchmark's contenders train alike, and each measurement has a process of its own."""

import jax
import numpy as np
import pytest
import torch

from attnlogic.backend import Training
from attnlogic.optimizers import optimizer
from attnlogic.problems import FLOATS, mean_squared_error, model, problem
from bench import (
    comparison,
    contenders,
    costs,
    fast_jax,
    growth,
    native,
    plain_equinox,
    plain_jax,
    plain_models,
    torch_batched,
)
from bench.machine import cxx
from bench.models import OWN
from bench.probe import loops
from bench.work import Contender, Result, SkippedError


@pytest.fixture(autouse=True)
def _one_thread():
    """For 64 seeds torch's second thread only gets in the way."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def first_hits(prepare, by, threshold):
    training = Training(problem("xor"), optimizer(by), 300, threshold)
    try:
        return prepare(training, training.problem.initial(np.arange(64)))().first_hit
    except SkippedError as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize(
    ("prepare", "by", "threshold"),
    [
        (fast_jax.prepare, "adamw", 1e-4),
        (fast_jax.prepare, "sgd", 0.05),
        (plain_jax.prepare, "adamw", 1e-4),
        (plain_equinox.prepare, "adamw", 1e-4),
        (torch_batched.prepare, "adamw", 1e-4),
        (native.prepare, "adamw", 1e-4),
        (native.prepare, "adam", 1e-4),
        (native.prepare, "sgd", 0.05),
    ],
)
def test_contenders_hit_when_the_fast_path_does(prepare, by, threshold):
    """Nine of ten seeds: late hits of the others move with the rounding."""
    theirs = first_hits(prepare, by, threshold)
    ours = first_hits(contenders.attnlogic, by, threshold)
    hit = ours >= 0
    assert hit.sum() >= 10
    assert np.mean(comparison.alike(theirs, ours)[hit]) >= 0.9


@pytest.mark.parametrize("prepare", [fast_jax.prepare, plain_jax.prepare, native.prepare])
def test_polyaks_first_hits_have_the_same_distribution(prepare):
    """His steps amplify rounding, so that seeds cannot be compared one by one."""
    theirs = first_hits(prepare, "polyak", 1e-4)
    told = comparison.agreement(theirs, first_hits(contenders.attnlogic, "polyak", 1e-4), 300)
    comparison.check("contender", "polyak", 64, told)
    assert told["reached"] > 0.9


MODELS = (
    "attention", "attention(residual=False)", "attention(bias=False)", "attention(heads=2)",
    "attention(scores=softmax)", "linear", "mlp", "mlp(hidden=3,activation=relu)",
    "mlp(activation=sigmoid)", "mlp(activation=identity)",
)  # fmt: skip


@pytest.fixture
def _as_users_write():
    """Array code adds a vector to each row of a matrix, which the other tests forbid."""
    with jax.numpy_rank_promotion("allow"):
        yield


@pytest.mark.parametrize("of", MODELS)
@pytest.mark.usefixtures("_as_users_write")
def test_array_code_is_the_model(of):
    """Its loss at some parameters is that of the same model in Python's floats."""
    what = problem("01101001", model(of))
    packed = what.initial([3])[:, 0]
    params, loss = plain_models.array_code(what)
    outputs = [what.predict([float(p) for p in packed], x, FLOATS) for x in what.data.inputs]
    expected = mean_squared_error(outputs, what.data.targets)
    assert loss(params(packed)) == pytest.approx(expected, rel=1e-5)  # float32's sums


@pytest.mark.usefixtures("_as_users_write")
def test_a_users_own_loss_is_the_mlp_and_trains_alike_in_both():
    """Plain JAX is given the user's own loss; at one pytree it is what the model ``mlp`` gives."""
    own, of_arithmetic = problem("xor", OWN), problem("xor", "mlp")
    packed = of_arithmetic.initial([3])[:, 0]
    params, loss = plain_models.array_code(of_arithmetic)
    assert OWN.loss(params(packed), *data_of(own)) == loss(params(packed))
    training = Training(own, optimizer("adamw"), 300)
    starts = own.initial(np.arange(64))
    ours, *peers = (way.prepare(training, starts)() for way in contenders.of_any_model())
    assert (ours.first_hit >= 0).sum() >= 10
    for theirs in peers:
        assert np.mean(comparison.alike(theirs.first_hit, ours.first_hit)) >= 0.9


def data_of(what):
    return np.array(what.data.inputs, np.float32), np.array(what.data.targets, np.float32)


def test_the_fastest_peer_trains_conditions_one_after_the_other():
    """Seeds that do not fill a chunk are not mixed up, and each condition has its own rate."""
    trainings = [Training(problem("xor"), optimizer(f"adam(lr={lr})"), 200) for lr in (0.05, 0.01)]
    starts = trainings[0].problem.initial(np.arange(33))
    together = fast_jax.prepare_conditions(trainings, starts)().first_hit.reshape(2, 33)
    for hits, training in zip(together, trainings, strict=True):
        alone = contenders.attnlogic(training, starts)().first_hit
        assert np.mean(comparison.alike(hits, alone)) >= 0.9  # rounding moves late hits
    assert (together[0] >= 0).sum() > (together[1] >= 0).sum()  # by then 0.01 is too slow


@pytest.mark.skipif(cxx() is None, reason="torch.compile needs a C++ compiler")
@pytest.mark.filterwarnings("default")  # torch's own, of its compiler
def test_torch_compiles_what_it_otherwise_computes_by_itself():
    training = Training(problem("xor"), optimizer("adamw"), 20, 0.2)
    starts = training.problem.initial(np.arange(64))
    compiled, plain = (
        torch_batched.prepare(training, starts, compiled=c)().first_hit for c in (True, False)
    )
    assert (plain >= 0).any()
    assert compiled.tolist() == plain.tolist()  # 20 epochs, too few for rounding to move a hit


def test_an_epoch_has_a_loop_for_each_row_that_is_kept():
    """At least one for each of the optimizer's 12 rows and of the 17 of a run's statistics."""
    assert 12 <= loops(1024)["loops"] <= 60


def test_what_hits_less_often_is_not_timed():
    ours, rng = np.arange(1000), np.random.default_rng(0)
    theirs = np.where(rng.random(1000) < 0.05, -1, ours)
    timed = []

    def contender(name, hits):
        def run():
            timed.append(name)
            return Result(hits, 1000)

        return Contender(name, lambda training, starts: run)

    both = [contender("attnlogic", ours), contender("other", theirs)]
    with pytest.raises(comparison.DisagreementError, match="adam: 'other' does not train"):
        comparison.compare(comparison.on_xor("adam", 1000), both, 1000, 5, lambda: 0.0)
    assert timed == ["attnlogic", "other"]  # once each, to be compared


def test_alike_forgives_two_epochs_or_two_percent_but_no_missing_hit():
    theirs, ours = np.array([12, 13, 510, 511, -1, 3, -1]), np.array([10, 10, 500, 500, -1, -1, 3])
    assert comparison.alike(theirs, ours).tolist() == [True, False, True, False, True, False, False]


def test_a_point_is_measured_in_a_process_of_its_own():
    held = np.ones(2**26)  # 512 MiB here are not the other process' peak
    told = costs.point("sgd", 64, 10, 2, chunk=32)
    assert held.nbytes > 2**28
    assert len(told["seconds"]) == 2
    assert min(told["seconds"]) > 0
    assert 2**26 < told["peak_bytes"] < 2**30 - 1


def test_a_study_is_measured_without_compiled_code_and_with_it():
    """Which of the two is faster depends on the machine, and is not asked here."""
    first, again = costs.study(64, 10, 1, lambda: 0.0)
    for measured, compiles in ((first, True), (again, False)):
        assert measured["compiles"] is compiles
        assert len(measured["train_seconds"]) == len(measured["wall_seconds"]) == 1
        assert min(*measured["train_seconds"], *measured["wall_seconds"]) > 0
        assert measured["stored_bytes"] > 0
        assert measured["peak_bytes"] > 2**20


@pytest.mark.parametrize(
    ("point", "parameters"),
    [
        (growth.Point(growth.COUNTED, "census", 64, 10), 6),
        (growth.Point(growth.ATTNLOGIC, "train", 64, 10, conditions=2, bits=3), 7),
        (growth.Point(growth.PEER_OWN, "peer", 64, 10, hidden=5), 21),
    ],
)
def test_a_point_of_a_curve_is_measured_as_it_says(point, parameters, monkeypatch):
    monkeypatch.setenv("JAX_NUMPY_RANK_PROMOTION", "allow")  # see _as_users_write
    told = point.measured(1)
    assert told["way"] == point.way
    assert (told["seeds"], told["conditions"]) == (64, point.conditions)
    assert told["parameters"] == parameters
    assert len(told["seconds"]) == 1
    assert told["first_seconds"] > 0
    assert told["peak_bytes"] > 2**26
