"""Rows of runs that were never trained: every kind of run, in no time."""

import numpy as np
import polars as pl

from attnlogic.backend import Training
from attnlogic.history import History, outcome
from attnlogic.optimizers import optimizer
from attnlogic.outcomes import NONE, concatenate
from attnlogic.problems import problem
from attnlogic.results import (
    CONDITION,
    FORMAT,
    NOTEBOOK,
    SETTINGS,
    create,
    digest,
    own_columns,
    run_schema,
    table,
    write_part,
)
from attnlogic.results.rows.seed_ranges import of_seeds
from attnlogic.theory import solution


def rows(gate_name="xor", by="adam", seeds=range(60), precision="float32", **training):
    """A row for each seed: solved, lost, unsolved, diverged and stopped runs, by chance.

    Losses go up and down by chance. Half of the ends lie near the gate's exact solution.
    """
    epochs, model = training.pop("epochs", 80), training.pop("model", "attention")
    what = problem(gate_name, model)
    how = Training(what, optimizer(by), epochs, precision=precision, **training)
    runs = concatenate([outcome(_history(how, seed), how.threshold, what) for seed in seeds])
    numbers = np.array([*seeds], np.uint32)
    part = table(what, precision, np.zeros_like(numbers), numbers, runs, own_columns(what))
    return with_condition(part, described(how))


def described(training, backend="jax", init="torch"):
    """A condition's values of the columns ``CONDITION``."""
    what = training.problem
    return {
        "gate": what.data.name, "optimizer": str(training.optimizer), "backend": backend,
        "precision": training.precision, "epochs": training.epochs,
        "threshold": training.threshold, "init": init, "until": training.until,
        "model": what.model.name, "encoding": what.data.encoding,
    }  # fmt: skip


def with_condition(part, condition, settings=None):
    """The rows of a part with their condition's columns, in the order of ``Runs.table``.

    Args:
      part: rows with the columns of ``run_schema``, all of one condition.
      condition: its values of the columns ``CONDITION``.
      settings: columns of hyperparameters, as polars literals by name.
    """
    of_a_run = [name for name in part.columns if name not in ("condition", "seed")]
    values = {name: pl.lit(condition[name], kind) for name, kind in CONDITION.items()}
    return part.with_columns(**values, **(settings or {})).select(
        "gate", "optimizer", "seed", *of_a_run, *SETTINGS, *(settings or {})
    )


def study(directory, *parts):
    """A study on disk of these rows, in this order; those of one condition share a folder."""
    keys = [(part["gate"][0], part["optimizer"][0]) for part in parts]
    order = [*dict.fromkeys(keys)]
    conditions = [parts[keys.index(key)].select(*CONDITION).row(0, named=True) for key in order]
    whole = {name: conditions[0][name] for name in ("precision", "backend", "threshold", "until")}
    seeds = [
        np.concatenate([p["seed"] for p, of in zip(parts, keys, strict=True) if of == key])
        for key in order
    ]
    runs = create(directory, description(conditions, seeds, **whole))
    for part, key in zip(parts, keys, strict=True):
        number = order.index(key)
        write_part(runs, f"{number:03d}", as_part(part, number))
    return runs


def description(conditions, seeds, folders=None, **whole):
    """What ``study.json`` says of these conditions of the notebook's model.

    Args:
      conditions: a dict for each.
      seeds: those of each.
      folders: the name of each one's folder of parts; without it its number.
    """
    numbers = range(len(conditions))
    own = {"quantities": NOTEBOOK.quantities, "parameters": [*NOTEBOOK.parameters]}
    return {
        "format": FORMAT,
        **whole,
        "kinds": [
            {"parts": folders[i] if folders else f"{i:03d}", "model": "attention", **own}
            for i in numbers
        ],
        "conditions": [
            one | {"kind": i, "seeds": of_seeds(some), "digest": digest([one, whole])}
            for i, one, some in zip(numbers, conditions, seeds, strict=True)
        ],
    }


def as_part(rows, number):
    """Rows of one condition as they are written: with its number instead of its columns."""
    numbered = rows.with_columns(condition=pl.lit(number, pl.UInt32))
    return numbered.select(*run_schema(rows["precision"][0]))


def _history(how, seed):
    rng = np.random.default_rng([seed, *map(ord, f"{how.problem.data}{how.optimizer}")])
    n = how.epochs
    losses = np.exp(np.cumsum(rng.normal(-0.15, 1.5, n)).clip(-25, 3)).astype(how.precision)
    stopped_at, end = NONE, rng.random()
    if end < 0.2:
        losses = losses[: 1 + rng.integers(n)]
        losses[-1] = np.nan if end < 0.1 else np.inf
    elif end < 0.4:
        losses = losses[: 1 + rng.integers(n)]
        stopped_at = len(losses) - 1
    final = _end(how.problem.data.gate, rng)
    C = rng.normal(size=len(losses)).astype(how.precision)
    evaluations = rng.integers(1, 20, len(losses))
    norm = 10.0 ** rng.uniform(-8, 1)
    own = {quantity.name: C for quantity in how.problem.own}
    return History(losses, own, how.problem.initial(seed), final, stopped_at, evaluations, norm)


def _end(of_gate, rng):
    exact = solution(of_gate)
    wq, wk, wv, w1, w2, b = rng.normal(size=6)
    if rng.random() < 0.5 and exact.C is not None:
        wv, b = float(exact.C) / (wq * wk), float(exact.b)
        w1, w2 = map(float, exact.w) if exact.w else (w1, float(exact.w_sum) - w1)
    return np.array([v + rng.normal(scale=1e-3) for v in (wq, wk, wv, w1, w2, b)])
