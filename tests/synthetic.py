"""Rows of runs that were never trained: every kind of run, in no time."""

import numpy as np

from attnlogic.backend import Training
from attnlogic.history import History, outcome
from attnlogic.optimizers import optimizer
from attnlogic.outcomes import NONE, concatenate
from attnlogic.problems import gate, initial_params
from attnlogic.problems.neuron import unpack
from attnlogic.results import create, table, write_part
from attnlogic.theory import solution


def rows(gate_name="xor", by="adam", seeds=range(60), precision="float32", **training):
    """A row for each seed: solved, lost, unsolved, diverged and stopped runs, by chance.

    Losses go up and down by chance. Half of the ends lie near the gate's exact solution.
    """
    epochs = training.pop("epochs", 80)
    what = Training(gate(gate_name), optimizer(by), epochs, precision=precision, **training)
    runs = [outcome(_history(what, seed), what.threshold) for seed in seeds]
    return table(what, "jax", "torch", np.array([*seeds], np.uint32), concatenate(runs))


def study(directory, *parts):
    """A study on disk of these parts, in this order; parts of one condition share a folder."""
    keys = [(part["gate"][0], part["optimizer"][0]) for part in parts]
    order = [*dict.fromkeys(keys)]
    conditions = [{"gate": name, "optimizer": by} for name, by in order]
    precision = parts[0]["precision"][0]
    runs = create(directory, {"precision": precision, "conditions": conditions})
    for part, key in zip(parts, keys, strict=True):
        write_part(directory, f"{order.index(key):03d}", part)
    return runs


def _history(what, seed):
    rng = np.random.default_rng([seed, *map(ord, f"{what.gate}{what.optimizer}")])
    n = what.epochs
    losses = np.exp(np.cumsum(rng.normal(-0.15, 1.5, n)).clip(-25, 3)).astype(what.precision)
    stopped_at, end = NONE, rng.random()
    if end < 0.2:
        losses = losses[: 1 + rng.integers(n)]
        losses[-1] = np.nan if end < 0.1 else np.inf
    elif end < 0.4:
        losses = losses[: 1 + rng.integers(n)]
        stopped_at = len(losses) - 1
    final = _end(what.gate, rng)
    C = rng.normal(size=len(losses)).astype(what.precision)
    evaluations = rng.integers(1, 20, len(losses))
    norm = 10.0 ** rng.uniform(-8, 1)
    return History(losses, C, initial_params(seed), final, stopped_at, evaluations, norm)


def _end(of_gate, rng):
    exact = solution(of_gate)
    wq, wk, wv, w1, w2, b = rng.normal(size=6)
    if rng.random() < 0.5 and exact.C is not None:
        wv, b = float(exact.C) / (wq * wk), float(exact.b)
        w1, w2 = map(float, exact.w) if exact.w else (w1, float(exact.w_sum) - w1)
    return unpack([v + rng.normal(scale=1e-3) for v in (wq, wk, wv, w1, w2, b)])
