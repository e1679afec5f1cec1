"""A small study on disk: rows of runs with losses that are written down."""

import math

import numpy as np

from attnlogic.backend import Training
from attnlogic.history import History, outcome
from attnlogic.optimizers import optimizer
from attnlogic.outcomes import NONE, concatenate
from attnlogic.problems.gates import gate
from attnlogic.problems.neuron import unpack
from attnlogic.results import table

NAN, INF = math.nan, math.inf
INITIAL = unpack([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
FINAL = unpack([0.5, 2.0, -0.25, 4.0, 5.0, 1 / 3])
PRECISIONS = ["float32", "float64"]
DESCRIPTION = {
    "precision": "float32",
    "conditions": [
        {"gate": "xor", "optimizer": "sgd(lr=0.1)"},
        {"gate": "nand", "optimizer": "adam"},
    ],
}


def training(precision="float32", gate_name="xor", by="sgd(lr=0.1)", epochs=40):
    return Training(gate(gate_name), optimizer(by), epochs, 1.0, precision)


def one(losses, precision="float32", stopped_at=NONE):
    """What becomes of a run with these losses and a threshold of 1; C at epoch t is 10 + t."""
    losses = np.array(losses, precision)
    C = np.arange(10, 10 + losses.size).astype(precision)
    evaluations = np.arange(losses.size) + 1
    return outcome(History(losses, C, INITIAL, FINAL, stopped_at, evaluations, 0.5), 1.0)


LOSSES = {
    "solved": [4, 0.5, 3, 2, 0.1],
    "lost": [0.5, 2],
    "unsolved": [1e-3 + 4, 3],
    "diverged": [4, 0.5, NAN],
}


def rows(seeds=range(4), precision="float32", gate_name="xor", by="sgd(lr=0.1)"):
    """A row for each seed: the runs of ``LOSSES``, over and over."""
    histories = [[*LOSSES.values()][seed % 4] for seed in seeds]
    runs = concatenate([one(losses, precision) for losses in histories])
    numbers = np.array([*seeds], np.uint32)
    return table(training(precision, gate_name, by), "abacus", "torch", numbers, runs)


def files(directory):
    return sorted(str(p.relative_to(directory)) for p in directory.rglob("*") if p.is_file())


def everything(directory):
    return sorted(str(p.relative_to(directory)) for p in directory.rglob("*"))
