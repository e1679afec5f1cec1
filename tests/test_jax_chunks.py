"""The JAX backend: seeds cut into chunks, side by side, and how often they are compiled."""

import threading
import time

import jax.numpy as jnp
import numpy as np
import pytest
from helpers import assert_same, condition, part, seed_range, trained

from attnlogic.outcomes import concatenate
from attnlogic.problems import pack
from attnlogic_jax import JAX, chunks, compiled, parallel, sizes
from attnlogic_jax.method import LANES

# --- chunks side by side ------------------------------------------------------------------------


def test_chunks_may_be_of_a_size_that_is_asked_for():
    start = np.stack(pack(seed_range(128)))
    parts = list(parallel.train(condition("xor", "adam", 20), start, size=32))
    assert [len(part.first_hit) for part in parts] == [32] * 4


def test_outcomes_come_in_order_whichever_chunk_is_done_first(monkeypatch):
    training, starts, train = condition("xor", "adam", 20), seed_range(256), chunks.train_chunk
    whole, came = trained("jax", training, starts), []

    def slow_at_first(training, initial, tell):
        time.sleep(0.3 if np.array_equal(initial[0, :2], starts.wq[:2]) else 0)
        came.append(initial[0, 0])
        return train(training, initial, tell)

    chunks_of(monkeypatch, 64)
    monkeypatch.setattr(parallel, "train_chunk", slow_at_first)
    assert_same(trained("jax", training, starts), whole)
    assert len(came) == 4
    assert came[0] != starts.wq[0]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_what_goes_wrong_in_one_chunk_ends_them_all(monkeypatch, error):
    calls = []

    def advance(runs):
        calls.append(runs)
        if len(calls) == 5:
            raise error("enough")

    chunks_of(monkeypatch, 64)
    outcomes = JAX.train(condition("xor", "adam", 10**9), seed_range(256), on_progress=advance)
    with pytest.raises(error, match="enough"):
        next(outcomes)
    assert not workers()


def test_closing_the_iterator_ends_the_work(monkeypatch):
    progress = []
    chunks_of(monkeypatch, 64)
    outcomes = JAX.train(
        condition("xor", "adam", 300), seed_range(6400), on_progress=progress.append
    )
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


def test_on_a_cpu_training_is_compiled_as_a_whole_for_one_core():
    training, packed = condition("xor", "adamw", 1), jnp.zeros((6, 8192))
    plan, data = compiled.Plan.of(training), compiled.Data.of(training)
    carry = compiled.start(plan, data, packed)
    text = compiled.advance.jitted.lower(plan, data, carry, 1).compile().as_text()
    tags = ('inlineable="false"', 'xla_cpu_small_call="true"')
    assert any(" call(" in line and all(tag in line for tag in tags) for line in text.splitlines())


@pytest.mark.parametrize("by", ["adamw", "lbfgs"])
@pytest.mark.parametrize("count", [1, 31, 33, 500, 544, 1000, 1023, 1025, 8192, 50_000])
def test_a_chunk_is_split_into_groups_that_fit_a_cores_cache(by, count):
    plan = compiled.Plan.of(condition("xor", by, 1))
    fitting = compiled.fitting(plan, count)
    assert count <= fitting
    groups = compiled.groups(plan, fitting)
    assert fitting % (groups * LANES) == 0
    assert fitting // groups <= plan.group
    assert fitting - count < groups * LANES


# --- what is compiled, and how often ------------------------------------------------------------


def chunks_of(monkeypatch, size):
    """Chunks of at most so many seeds, two at a time."""
    monkeypatch.setattr(parallel, "cores", lambda: 2)
    monkeypatch.setitem(sizes.USUAL.chunk, "cpu", size)
    monkeypatch.setitem(sizes.WITH_HISTORY.chunk, "cpu", size)


def test_one_compilation_serves_all_that_is_a_number(compilations, monkeypatch):
    chunks_of(monkeypatch, 64)
    own = ["jit(advance)", "jit(finish)", "jit(start)"]

    first = "adam(amsgrad=True, gamma=0.99)"

    def compiled_by(name, by, epochs, threshold, count):
        training = condition(name, by, epochs, threshold=threshold)
        compilations.clear()
        trained("jax", training, seed_range(count))
        return sorted(name for name in compilations if name in own), len(compilations)

    # A structure that no other test has: nothing is compiled beforehand.
    assert compiled_by("xor", first, 20, 1e-4, 128)[0] == own
    assert compiled_by("nand", first, 20, 1e-4, 128) == ([], 0)
    assert compiled_by("xor", first, 20, 1e-2, 128) == ([], 0)
    for epochs in (1, 8, 77, 400):
        assert compiled_by("xor", first, epochs, 1e-4, 128) == ([], 0)
    assert compiled_by("or", first, 20, 1e-4, 384) == ([], 0)  # six chunks
    for lr in (1e-4, 0.0124, 1.0):
        assert compiled_by("xor", f"{first[:-1]}, lr={lr}, beta1=0.7)", 20, 1e-4, 128) == ([], 0)
    assert compiled_by("xor", f"{first[:-1]}, weight_decay=0.1)", 20, 1e-4, 128)[0] == own
    assert compiled_by("xor", first, 20, 1e-4, 64)[0] == own


@pytest.mark.parametrize(
    ("by", "cores", "count", "expected"),
    [
        ("adam", 1, 0, 32),
        ("adam", 1, 1, 32),
        ("adam", 1, 33, 64),
        ("adam", 1, 96, 96),
        ("adam", 1, 97, 64),
        ("adam", 1, 1000, 96),
        ("lbfgs", 1, 128, 64),
        ("lbfgs", 1, 65, 64),
        ("adam", 2, 64, 32),
        ("adam", 2, 96, 64),
        ("adam", 2, 192, 96),
        ("adam", 2, 193, 64),
        ("adam", 3, 1000, 96),
    ],
)
def test_chunks_are_of_one_size_and_nearly_full(monkeypatch, by, cores, count, expected):
    monkeypatch.setattr(parallel, "cores", lambda: cores)
    monkeypatch.setitem(sizes.USUAL.chunk, "cpu", 96)
    monkeypatch.setitem(sizes.WITH_HISTORY.chunk, "cpu", 64)
    assert chunks.chunk_size(condition("xor", by, 1), count, cores) == expected


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
def test_a_run_does_not_depend_on_its_chunk(monkeypatch, by, epochs, precision):
    training = condition("xor", by, epochs, precision=precision)
    chunks_of(monkeypatch, 128)
    whole = trained("jax", training, seed_range(128))
    assert_same(
        trained("jax", training, seed_range(5, 5)), part(whole, slice(5, 10))
    )  # filled up to 32
    chunks_of(monkeypatch, 32)  # four of them
    assert_same(trained("jax", training, seed_range(128)), whole)


def test_a_chunk_that_is_not_full_gives_no_more_than_its_seeds(monkeypatch):
    training, told = condition("xor", "adamw", 400), []
    chunks_of(monkeypatch, 64)
    whole = trained("jax", training, seed_range(64))
    chunks_of(monkeypatch, 32)
    parts = list(JAX.train(training, seed_range(64), on_progress=told.append))
    assert [len(p.first_hit) for p in parts] == [32, 32]
    assert_same(concatenate(parts), whole)
    assert sum(told) == pytest.approx(64)
