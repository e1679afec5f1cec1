"""The JAX backend: one run, epoch by epoch."""

import pytest
from helpers import condition, seed, whole_history

from attnlogic_jax import JAX, compiled
from attnlogic_jax.pacing import next_epochs


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.25, 128), (0.5, 64), (1.0, 32), (100.0, 1), (0.01, 512), (0.0, 512)],
)
def test_a_calls_length_follows_its_time_but_grows_eightfold_at_most(seconds, expected):
    assert next_epochs(64, seconds, 0.5) == expected


def test_a_history_is_trained_little_beyond_its_end(monkeypatch):
    lengths, trace = [], compiled.trace

    def watched(plan, given, at, epochs, **sizes):
        lengths.append(epochs)
        return trace(plan, given, at, epochs, **sizes)

    monkeypatch.setattr(compiled, "trace", watched)
    training = condition("xor", "adamw", 20_000_000, until="hit")
    run = whole_history(JAX, training, seed(0))
    assert len(run.losses) == 272
    assert len(lengths) >= 2
    assert sum(lengths) < 10 * len(run.losses)


def test_a_history_keeps_no_more_than_its_epochs():
    (part,) = JAX.history(condition("xor", "adam", 20), seed(0))
    for kept in (part.losses, part.quantities["C"], part.evaluations):
        assert kept.base is None  # no view of an array with room for more
        assert kept.nbytes == 4 * 20


def test_one_compilation_serves_histories_of_every_length(compilations):
    def compiled_by(name, epochs):
        compilations.clear()
        whole_history(
            JAX,
            condition(name, "adam(amsgrad=True, weight_decay=0.5, gamma=0.99)", epochs),
            seed(0),
        )
        return compilations

    assert compiled_by("xor", 9).count("jit(trace)") == 1
    for name, epochs in [("xor", 1), ("nand", 8), ("or", 77), ("xor", 400)]:
        assert compiled_by(name, epochs) == []
