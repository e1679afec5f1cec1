"""A small study on disk: rows of runs with losses that are written down."""

import math

import numpy as np
import polars as pl
from synthetic import described, description, with_condition

from attnlogic.backend import Training
from attnlogic.history import History, outcome
from attnlogic.optimizers import optimizer
from attnlogic.outcomes import NONE, concatenate
from attnlogic.problems import problem
from attnlogic.results import load, table, write_part

NAN, INF = math.nan, math.inf
INITIAL = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
FINAL = np.array([0.5, 2.0, -0.25, 4.0, 5.0, 1 / 3])
PRECISIONS = ["float32", "float64"]
CONDITIONS = [
    {"gate": "xor", "optimizer": "sgd(lr=0.1)", "epochs": 40, "init": "torch"},
    {"gate": "nand", "optimizer": "adam", "epochs": 40, "init": "torch"},
]
XOR, NAND = ("xor", "sgd(lr=0.1)"), ("nand", "adam")
FOLDERS = {XOR: "000-sgd", NAND: "001-adam"}


def describe(conditions=CONDITIONS, seeds=range(1500), **whole):
    """What ``study.json`` says of these conditions, each with these seeds."""
    said = {"precision": "float32", "backend": "abacus", "threshold": 1.0, "until": "budget"}
    folders = [*FOLDERS.values()][: len(conditions)]
    return description(conditions, [seeds] * len(conditions), folders, **(said | whole))


DESCRIPTION = describe()


def training(precision="float32", gate_name="xor", by="sgd(lr=0.1)", epochs=40):
    return Training(problem(gate_name), optimizer(by), epochs, 1.0, precision)


def one(losses, precision="float32", stopped_at=NONE):
    """What becomes of a run with these losses and a threshold of 1; C at epoch t is 10 + t."""
    losses = np.array(losses, precision)
    C = np.arange(10, 10 + losses.size).astype(precision)
    evaluations = np.arange(losses.size) + 1
    return outcome(
        History(losses, {"C": C}, INITIAL, FINAL, stopped_at, evaluations, 0.5), 1.0, problem("xor")
    )


LOSSES = {
    "solved": [4, 0.5, 3, 2, 0.1],
    "lost": [0.5, 2],
    "unsolved": [1e-3 + 4, 3],
    "diverged": [4, 0.5, NAN],
}


def part(seeds=range(4), precision="float32", of=XOR):
    """A part with a row for each seed: the runs of ``LOSSES``, over and over."""
    histories = [[*LOSSES.values()][seed % 4] for seed in seeds]
    runs = concatenate([one(losses, precision) for losses in histories])
    return as_part(runs, [*seeds], precision, of)


def as_part(runs, seeds, precision="float32", of=XOR):
    """Outcomes as a part of the study that ``DESCRIPTION`` describes."""
    condition = np.full(len(seeds), [XOR, NAND].index(of), np.uint32)
    return table(problem(of[0]), precision, condition, np.array(seeds, np.uint32), runs)


def rows(seeds=range(4), precision="float32", of=XOR):
    """The rows of a part as the study of ``DESCRIPTION`` reads them."""
    return read(part(seeds, precision, of), precision, of)


def read(part, precision="float32", of=XOR):
    """A part as the study of ``DESCRIPTION`` reads it: with its condition's columns."""
    about = described(training(precision, *of), "abacus")
    return with_condition(part, about, _settings(of))


def write(directory, seeds, precision="float32", of=XOR):
    """Write the runs of some consecutive seeds as a part."""
    write_part(load(directory), FOLDERS[of], part(seeds, precision, of))


def _settings(of):
    """The columns of every hyperparameter of the two conditions, null where one has it not."""
    every = [dict(optimizer(by).flat_settings) for _, by in (XOR, NAND)]
    names = dict.fromkeys(name for settings in every for name in settings)
    mine = every[[XOR, NAND].index(of)]
    kinds = {name: _kind((every[0] | every[1])[name]) for name in names}
    return {name: pl.lit(mine.get(name), kind) for name, kind in kinds.items()}


def _kind(value):
    return {bool: pl.Boolean, str: pl.String}.get(type(value), pl.Float64)


def files(directory):
    """The files in a folder, but for that of the lock."""
    found = (p for p in directory.rglob("*") if p.is_file() and p.name != ".lock")
    return sorted(str(p.relative_to(directory)) for p in found)


def everything(directory):
    return sorted(str(p.relative_to(directory)) for p in directory.rglob("*"))
