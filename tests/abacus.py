"""A backend for tests: its outcomes are a few sums on the initial parameters."""

import numpy as np

from attnlogic.errors import InputError
from attnlogic.history import History, outcome
from attnlogic.outcomes import NONE, concatenate
from attnlogic.studies import Study, run


class Abacus:
    """A run's losses are |wq|, |wk|, |wv|, and what it learns is nothing.

    Outcomes come ``size`` at a time; after ``good`` of these the error is raised.
    """

    name = "abacus"
    seeds = 5

    def __init__(self, size=3, good=None, error=None):
        self.size, self.left, self.error = size, good, error

    def __repr__(self):
        return "an abacus"

    def devices(self):
        return ["ten wires"]

    def versions(self):
        return {"abacus": "2700 BC"}

    def check(self, training, jobs):
        if training.optimizer.name == "lbfgs":
            raise InputError("an abacus has no 'lbfgs'")

    def train(self, batch, *, jobs=1, on_progress=None):
        works = [*zip(batch.which, batch.initial.T, strict=True)]
        for first in range(0, len(works), self.size):
            if self.left == 0:
                raise self.error
            self.left = None if self.left is None else self.left - 1
            some = works[first : first + self.size]
            done = [self._outcome(batch.trainings[k], start) for k, start in some]
            on_progress(len(done))
            yield concatenate(done)

    def history(self, training, initial, *, on_progress=None):
        return iter([self.run(training, initial)])

    def run(self, training, initial):
        losses = np.abs(initial[:3]).astype(training.precision)
        evaluations = np.ones(losses.size, int)
        return History(losses, {"C": losses}, initial, initial, NONE, evaluations, 0.0)

    def _outcome(self, training, initial):
        return outcome(self.run(training, initial), training.threshold, training.problem)


SMALL = Study(gates=["xor", "nand"], optimizers=["sgd", "adam"], seeds=10, threshold=0.3)


def work(out, backend=None, study=SMALL, **how):
    return run(study, backend or Abacus(), out, progress=False, **how)


def left(directory):
    """All that there is in a folder, but for the folders themselves."""
    return sorted(str(p.relative_to(directory)) for p in directory.rglob("*"))


def part_names(runs):
    return sorted(str(p.relative_to(runs.directory / "parts")) for p in runs.part_files())
