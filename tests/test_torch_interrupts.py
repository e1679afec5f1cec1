"""Chunks of many seeds: given as soon as they are done, and kept when an interrupt comes."""

import multiprocessing

import numpy as np
import pytest
import torch
from helpers import assert_same, condition, seed_range

import attnlogic
from attnlogic.backend import in_order, one_condition
from attnlogic_torch import layout, together
from attnlogic_torch.backend import TorchBackend

WEEKS = 2**31 - 1
"""A budget in epochs that nobody waits for."""

SIZE = 70
"""Runs of a chunk in these tests."""


@pytest.fixture
def others():
    """Processes that other tests left to be used again, as torch's workers are."""
    return set(multiprocessing.active_children())


@pytest.fixture
def backend(monkeypatch, others):
    """One whose chunks are small."""
    monkeypatch.setattr(layout, "MIN_LANES", SIZE)
    monkeypatch.setitem(layout.MAX_LANES, "cpu", SIZE)
    one = TorchBackend()
    yield one
    one._workers.stop()
    assert set(multiprocessing.active_children()) <= others


@pytest.fixture
def starts():
    """Those of three chunks. Runs of the second and third diverge at once, at infinity."""
    values = seed_range(3 * SIZE)
    values[:, SIZE:] = np.inf
    return values


def test_processes_give_what_one_process_gives(backend):
    batch, told = one_condition(condition("xor", "adam", 50), seed_range(3 * SIZE)), []
    one = [*backend.train(batch)]
    several = [*backend.train(batch, jobs=2, on_progress=told.append)]
    assert [each.first for each in one] == [0, SIZE, 2 * SIZE]
    assert {each.first for each in several} == {0, SIZE, 2 * SIZE}
    assert_same(in_order(several), in_order(one))
    assert sum(told) == pytest.approx(3 * SIZE)


@pytest.mark.parametrize("end", ["close", "throw"])
def test_chunks_are_given_when_done_and_an_interrupt_ends_the_rest(backend, starts, end, others):
    """The first one would train for weeks."""
    work = backend.train(one_condition(condition("xor", "adam", WEEKS), starts), jobs=2)
    given = [next(work), next(work)]
    assert {each.first for each in given} == {SIZE, 2 * SIZE}
    assert all((each.outcome.diverged_at == 0).all() for each in given)
    if end == "close":
        work.close()
    else:
        with pytest.raises(KeyboardInterrupt):
            work.throw(KeyboardInterrupt())
    assert set(multiprocessing.active_children()) <= others


def test_an_interrupt_ends_a_chunk_between_two_epochs(backend, starts):
    """In one process: what is done before it has been given, and torch's threads are given back."""
    training, told, threads = condition("xor", "adam", WEEKS), [], torch.get_num_threads()

    def interrupt(share):
        told.append(share)
        if share < SIZE:
            raise KeyboardInterrupt

    work = backend.train(one_condition(training, starts[:, ::-1]), on_progress=interrupt)
    given = [next(work), next(work)]
    with pytest.raises(KeyboardInterrupt):
        next(work)
    assert in_order(given).diverged_at.tolist() == [0] * 2 * SIZE
    assert told[:2] == [SIZE, SIZE]
    assert 0 < told[2] < 1e-3
    assert torch.get_num_threads() == threads


def test_a_study_keeps_the_chunks_that_are_done(backend, monkeypatch, tmp_path):
    study = attnlogic.Study("xor", "adam", seeds=3 * SIZE, epochs=40)
    whole = attnlogic.run(study, backend, tmp_path / "whole", progress=False).table()
    train, calls = together._train, []

    def interrupted(*given):
        calls.append(given)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return train(*given)

    monkeypatch.setattr(together, "_train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        attnlogic.run(study, backend, tmp_path / "study", progress=False)
    kept = attnlogic.load(tmp_path / "study").table()
    assert kept.equals(whole[: 2 * SIZE])
    attnlogic.run(study, backend, tmp_path / "study", progress=False)
    assert len(calls) == 4  # the last chunk alone
    assert attnlogic.load(tmp_path / "study").table().equals(whole)
