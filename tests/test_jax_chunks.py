"""The JAX backend: seeds cut into chunks, side by side, and how often they are compiled."""

import threading
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_same, condition, part, seed_range, trained

from attnlogic.backend import Batch, Training, in_order, one_condition
from attnlogic.optimizers import optimizer
from attnlogic.problems import problem
from attnlogic_jax import JAX, chunks, compiled, layout, parallel, platforms
from attnlogic_jax.devices import here
from attnlogic_jax.given import given
from attnlogic_jax.platforms import Platform

# --- chunks side by side ------------------------------------------------------------------------


def test_chunks_may_be_laid_out_as_is_asked_for():
    batch = one_condition(condition("xor", "adam", 20), seed_range(128))
    of_64 = layout.chunks(batch.which, most=64, most_in_group=64, workers=1, devices=1)
    parts = list(parallel.train(batch, laid_out=of_64))
    assert sorted((part.first, part.end) for part in parts) == [(0, 64), (64, 128)]


def test_runs_come_as_they_are_finished_with_their_places(monkeypatch, chunks_of):
    training, starts, train = condition("xor", "adam", 20), seed_range(256), chunks.train_chunk
    whole, others_came = trained("jax", training, starts), threading.Event()

    def first_is_last(plan, trainings, initial, *rest):
        if np.array_equal(initial[0, :2], starts[0, :2]):
            assert others_came.wait(60)
        return train(plan, trainings, initial, *rest)

    chunks_of(64)
    monkeypatch.setattr(parallel, "train_chunk", first_is_last)
    came = []
    for finished in JAX.train(one_condition(training, starts)):
        came.append(finished)
        if len(came) == 3:
            others_came.set()
    assert [one.first for one in came] == [64, 128, 192, 0]
    assert_same(in_order(came), whole)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_what_goes_wrong_in_one_chunk_ends_them_all(error, chunks_of):
    calls = []

    def advance(runs):
        calls.append(runs)
        if len(calls) == 5:
            raise error("enough")

    chunks_of(64)
    batch = one_condition(condition("xor", "adam", 10**9), seed_range(256))
    outcomes = JAX.train(batch, on_progress=advance)
    with pytest.raises(error, match="enough"):
        next(outcomes)
    assert not workers()


def test_closing_the_iterator_ends_the_work(chunks_of):
    progress = []
    chunks_of(64)
    batch = one_condition(condition("xor", "adam", 300), seed_range(6400))
    outcomes = JAX.train(batch, on_progress=progress.append)
    next(outcomes)
    assert workers()
    outcomes.close()
    assert not workers()
    told = len(progress)
    assert sum(progress) < 6400 / 2
    time.sleep(0.05)
    assert len(progress) == told


def workers():
    return [thread for thread in threading.enumerate() if "attnlogic" in thread.name]


@pytest.mark.usefixtures("on_a_cpu")
@pytest.mark.parametrize("groups", [1, 16])
def test_on_a_cpu_training_is_compiled_as_a_whole_for_one_core(groups):
    training, packed = condition("xor", "adamw", 1), jnp.zeros((6, 8192))
    plan = compiled.Plan.of(training, here())
    numbers = jax.tree.map(jnp.asarray, given([training] * groups))
    carry = compiled.start(plan, numbers, packed)
    lowered = compiled.advance.jitted(plan.platform).lower(plan, numbers, carry, 1)
    text = lowered.compile().as_text()
    tags = ('inlineable="false"', 'xla_cpu_small_call="true"')
    assert any(" call(" in line and all(tag in line for tag in tags) for line in text.splitlines())


# --- what is compiled, and how often ------------------------------------------------------------


@pytest.fixture
def chunks_of(monkeypatch, cores, on_a_cpu):
    """Sets the most seeds of a chunk; two chunks are trained at a time."""

    def most(size):
        cores(2)
        monkeypatch.setitem(platforms.USUAL.chunk, "cpu", size)
        monkeypatch.setitem(platforms.WITH_HISTORY.chunk, "cpu", size)

    return most


def test_one_compilation_serves_every_gate_threshold_budget_and_chunk(compilations, chunks_of):
    chunks_of(128)
    own = ["jit(advance)", "jit(start)"]  # jit(finish) serves other optimizers, too

    def compiled_by(name, by, epochs, threshold, count):
        training = condition(name, by, epochs, threshold=threshold)
        compilations.clear()
        trained("jax", training, seed_range(count))
        return sorted(name for name in compilations if name in own), len(compilations)

    # A structure that no other test has: nothing is compiled beforehand.
    by = "adam(amsgrad=True, weight_decay=0.01, warmup=3, lr={})"
    assert compiled_by("xor", by.format(0.1), 20, 1e-4, 256)[0] == own
    assert compiled_by("nand", by.format(0.1), 20, 1e-4, 256) == ([], 0)
    assert compiled_by("xor", by.format(0.1), 20, 1e-2, 256) == ([], 0)
    for epochs in (1, 8, 77, 400):
        assert compiled_by("xor", by.format(0.1), epochs, 1e-4, 256) == ([], 0)
    assert compiled_by("or", by.format(0.1), 20, 1e-4, 768) == ([], 0)  # six chunks
    assert compiled_by("xor", by.format(0.2), 20, 1e-4, 256) == ([], 0)
    assert compiled_by("xor", by.format(0.1).replace("0.01", "0.5"), 20, 1e-4, 256) == ([], 0)
    another = compiled_by("xor", by.format(0.1).replace("True", "False"), 20, 1e-4, 256)[0]
    assert another == own
    assert compiled_by("xor", by.format(0.1), 20, 1e-4, 64)[0] == own


def test_optimizers_share_the_code_of_the_outcome(compilations):
    what, compiles = problem("xor", "mlp(hidden=5)"), {}  # a model that no other test here has
    starts = what.initial(np.arange(64))
    for by in ("adam", "sgd(momentum=0.3)", "polyak", "lbfgs"):
        compilations.clear()
        trained("jax", Training(what, optimizer(by), 3), starts)
        compiles[by] = "jit(finish)" in compilations
    # L-BFGS counts its evaluations.
    assert [*compiles.values()] == [True, False, False, True]


@pytest.mark.parametrize(
    ("by", "cores", "count", "expected"),
    [
        ("adam", 1, 1, 64),
        ("adam", 1, 33, 64),
        ("adam", 1, 96, 96),
        ("adam", 1, 97, 64),
        ("adam", 1, 1000, 96),
        ("lbfgs", 1, 128, 64),
        ("lbfgs", 1, 65, 64),
        ("adam", 2, 64, 64),
        ("adam", 2, 96, 64),
        ("adam", 2, 192, 96),
        ("adam", 2, 193, 96),
        ("adam", 3, 1000, 96),
    ],
)
def test_chunks_are_of_one_size_and_nearly_full(monkeypatch, by, cores, count, expected):
    on = Platform("cpu", cores=cores)
    monkeypatch.setitem(platforms.USUAL.chunk, "cpu", 96)
    monkeypatch.setitem(platforms.WITH_HISTORY.chunk, "cpu", 64)
    found = parallel.layout(one_condition(condition("xor", by, 1), seed_range(count)), on)
    assert {chunk.runs.size for chunk in found} == {expected}
    assert sum(len(chunk.lanes) for chunk in found) == count


@pytest.mark.parametrize(
    ("by", "epochs", "precision"),
    [
        ("adamw", 400, "float32"),
        ("adamw", 400, "float64"),
        ("polyak", 200, "float32"),
        ("polyak", 200, "float64"),
        ("lbfgs", 60, "float32"),
        ("lbfgs", 12, "float64"),
    ],
)
def test_a_run_does_not_depend_on_its_chunk(by, epochs, precision, chunks_of):
    training = condition("xor", by, epochs, precision=precision)
    chunks_of(128)
    whole = trained("jax", training, seed_range(128))
    assert_same(
        trained("jax", training, seed_range(5, 5)), part(whole, slice(5, 10))
    )  # filled up to 64
    chunks_of(64)  # two of them
    assert_same(trained("jax", training, seed_range(128)), whole)


def test_a_chunk_that_is_not_full_gives_no_more_than_its_seeds(chunks_of):
    training, told = condition("xor", "adamw", 400), []
    chunks_of(128)
    whole = trained("jax", training, seed_range(100))
    chunks_of(64)
    batch = one_condition(training, seed_range(100))
    parts = list(JAX.train(batch, on_progress=told.append))
    assert sorted((p.first, p.end) for p in parts) == [(0, 64), (64, 100)]
    assert_same(in_order(parts), whole)
    assert sum(told) == pytest.approx(100)


# --- chunks that take long ----------------------------------------------------------------------


@pytest.mark.usefixtures("on_a_cpu")
@pytest.mark.parametrize(
    ("by", "epochs", "until"),
    [("adam", 700, "budget"), ("lbfgs", 60, "budget"), ("adam", 700, "hit"), ("lbfgs", 60, "hit")],
)
def test_a_chunk_that_takes_long_is_cut_and_no_run_shows_it(monkeypatch, by, epochs, until, cores):
    """Into parts that are given one after the other, of two conditions with 250 runs each."""
    trainings = tuple(condition(gate, by, epochs, until=until) for gate in ("xor", "or"))
    which, starts = np.repeat(np.arange(2, dtype=np.int32), 250), np.tile(seed_range(250), 2)
    batch = Batch(trainings, which, starts)
    whole, told = in_order(JAX.train(batch)), []
    cores(1)
    monkeypatch.setattr(chunks, "PROBE_EPOCHS", 8)
    monkeypatch.setattr(chunks, "TARGET_PART_SECONDS", 1e-9)  # as soon as it may be
    monkeypatch.setitem(chunks.TARGET_CALL_SECONDS, until, 1e-3)
    parts = [*JAX.train(batch, on_progress=told.append)]
    assert len({one.first for one in parts}) == len(parts) > 2
    assert_same(in_order(parts), whole)
    assert sum(told) == pytest.approx(500)


def test_a_chunk_that_takes_no_longer_than_a_part_should_is_not_cut(monkeypatch, cores):
    cores(1)
    monkeypatch.setattr(chunks, "PROBE_EPOCHS", 8)
    monkeypatch.setitem(chunks.TARGET_CALL_SECONDS, "budget", 1e-3)
    (finished,) = JAX.train(one_condition(condition("xor", "adam", 700), seed_range(500)))
    assert finished.end == 500


# --- interrupts ---------------------------------------------------------------------------------


def test_at_an_interrupt_a_chunk_that_is_soon_done_is_kept_and_no_other_is_begun(
    monkeypatch, chunks_of
):
    training, starts, train = condition("xor", "adam", 20), seed_range(256), chunks.train_chunk
    whole, interrupted, begun = trained("jax", training, starts), threading.Event(), []
    waits = threading.Event()

    def train_chunk(plan, trainings, initial, on_call, each):
        place = int(np.flatnonzero((starts[:2] == initial[:2, :1]).all(axis=0))[0])
        begun.append(place)
        if place == 0:  # takes weeks: it is given up once that is asked
            try:
                while True:
                    on_call(0, 1e6)
                    time.sleep(0)
            finally:
                interrupted.set()
        if place == 128:  # is done within the second of grace
            waits.set()
            assert interrupted.wait(60)
            on_call(1, 0.9)
        return train(plan, trainings, initial, lambda share, seconds_left: None, each)

    chunks_of(64)
    monkeypatch.setattr(parallel, "train_chunk", train_chunk)
    outcomes = JAX.train(one_condition(training, starts))
    first = next(outcomes)
    assert first.first == 64
    assert waits.wait(60)
    try:
        last = outcomes.throw(KeyboardInterrupt())
    except KeyboardInterrupt:  # pytest would end with it
        pytest.fail("the chunk that is soon done was given up")
    with pytest.raises(KeyboardInterrupt):
        next(outcomes)
    assert sorted(begun) == [0, 64, 128]
    assert last.first == 128
    assert_same(in_order([first, last]), part(whole, slice(64, 192)))
    assert not workers()
