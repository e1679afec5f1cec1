"""Runs of several conditions in one batch are, bit for bit, those of each condition alone."""

import numpy as np
import pytest
from helpers import assert_same, condition, part, seed_range, trained

from attnlogic.backend import Batch, in_order
from attnlogic.outcomes import NONE
from attnlogic_jax import JAX, chunks, compiled, layout, parallel

GATES = ("nand", "xor", "or")
NUMBERS = {
    "adam": [
        "adam(weight_decay=0.01)",
        "adam(lr=0.02, beta1=0.8, eps=1e-6, weight_decay=0.1)",
    ],
    "adamw": ["adamw", "adamw(lr=0.02, weight_decay=0.1)"],
    "sgd": [
        "sgd(momentum=0.9, weight_decay=0.001)",
        "sgd(lr=50, momentum=0.5, weight_decay=0.01)",
    ],
    "polyak": ["polyak", "polyak(f_min=0.01, tolerance=0.01)"],
    "lbfgs": ["lbfgs", "lbfgs(lr=0.5, tolerance_change=0.001)"],
}
"""Of each optimizer twice all numbers that it has, learning rate and weight decay among them."""

RARE = "adam(amsgrad=True, weight_decay=0.5, gamma=0.999)"
"""Of a structure that no other test compiles."""

EPOCHS = {"adam": 90, "adamw": 90, "sgd": 90, "polyak": 40, "lbfgs": 9}


def in_one_batch(by, count, gates=GATES, threshold=1e-2, **how):
    """Conditions of these gates and all numbers, side by side."""
    trainings = tuple(
        condition(gate, one, EPOCHS[by], threshold=threshold, **how)
        for one in NUMBERS[by]
        for gate in gates
    )
    assert len({training.kind for training in trainings}) == 1
    which = np.repeat(np.arange(len(trainings), dtype=np.int32), count)
    return Batch(trainings, which, np.tile(seed_range(count), len(trainings)))


def together(batch, **how):
    """The runs of each condition, trained in one batch."""
    runs = in_order(parallel.train(batch, **how))
    return [part(runs, batch.which == k) for k in range(len(batch.trainings))]


def alone(batch):
    """The runs of each condition, trained by themselves."""
    return [
        trained("jax", training, batch.initial[:, batch.which == k])
        for k, training in enumerate(batch.trainings)
    ]


def assert_all_same(ones, others):
    for one, other in zip(ones, others, strict=True):
        assert_same(one, other)


@pytest.mark.parametrize(("count", "until"), [(10, "budget"), (300, "budget"), (100, "hit")])
@pytest.mark.parametrize("by", NUMBERS)
def test_runs_are_those_of_each_condition_alone(by, count, until):
    batch = in_one_batch(by, count, until=until)
    runs = together(batch)
    assert_all_same(runs, alone(batch))
    # Conditions show in the runs: of any two.
    for k, one in enumerate(runs):
        assert all((one.final != other.final).any() for other in runs[:k])


@pytest.mark.parametrize("by", ["adamw", "lbfgs"])
def test_so_they_are_in_float64(by):
    batch = in_one_batch(by, 70, precision="float64")
    assert_all_same(together(batch), alone(batch))


@pytest.mark.parametrize(
    "within",
    [
        {"most": 1, "most_in_group": 64, "workers": 1},
        {"most": 1024, "most_in_group": 64, "workers": 2},
        {"most": 1024, "most_in_group": 96, "workers": 3},
    ],
    ids=str,
)
@pytest.mark.parametrize(("by", "until"), [("adamw", "hit"), ("polyak", "budget")])
def test_how_they_are_laid_out_does_not_show(by, within, until):
    batch = in_one_batch(by, 150, until=until)
    laid_out = layout.chunks(batch.which, devices=1, **within)
    assert_all_same(together(batch, laid_out=laid_out), together(batch))


def test_conditions_need_not_have_as_many_runs():
    counts = (3, 200, 65)
    trainings = tuple(condition(gate, "adamw", 60) for gate in GATES)
    which = np.repeat(np.arange(3, dtype=np.int32), counts)
    starts = np.concatenate([seed_range(count) for count in counts], axis=1)
    batch = Batch(trainings, which, starts)
    assert_all_same(together(batch), alone(batch))


def test_a_condition_that_is_there_twice_is_trained_twice():
    training = condition("xor", "adamw", 60)
    batch = Batch((training, training), np.repeat(np.int32([0, 1]), 40), seed_range(80))
    assert_all_same(together(batch), alone(batch))


@pytest.mark.parametrize("by", ["adamw", "lbfgs"])
def test_the_few_that_go_on_keep_their_conditions(monkeypatch, by):
    """With ``until="hit"`` chunks become smaller once few runs of whatever condition go on."""
    batch = in_one_batch(by, 256, ("nand", "or"), threshold=0.1, until="hit")
    laid_out = layout.chunks(batch.which, most=4096, most_in_group=64, workers=1, devices=1)
    assert len(laid_out) == 1
    whole, shapes, advance = together(batch), [], compiled.advance

    def watched(plan, given, carry, epochs):
        shapes.append((given.groups, carry.packed.shape[1]))
        return advance(plan, given, carry, epochs)

    monkeypatch.setattr(chunks, "MIN_COMPACTED_CHUNK", 64)
    monkeypatch.setattr(chunks, "PROBE_EPOCHS", 2)
    monkeypatch.setitem(chunks.TARGET_CALL_SECONDS, "hit", 1e-4)
    monkeypatch.setattr(compiled, "advance", watched)
    assert_all_same(together(batch, laid_out=laid_out), whole)
    assert shapes[0][1] > shapes[-1][1]
    assert any((some.first_hit == NONE).any() for some in whole)


def test_one_compilation_serves_every_batch_of_one_shape(compilations):
    starts = seed_range(100)

    def compiled_by(gates):
        trainings = tuple(condition(gate, RARE, 20) for gate in gates)
        which = np.repeat(np.arange(len(gates), dtype=np.int32), 100 // len(gates))
        compilations.clear()
        in_order(JAX.train(Batch(trainings, which, starts)))
        return len(compilations)

    assert compiled_by(["xor", "or"]) > 0
    assert compiled_by(["nand", "and"]) == 0
    assert compiled_by(["x1", "x1"]) == 0
