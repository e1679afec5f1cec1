"""A backend for tests of studies: its outcomes are a few sums on the initial parameters.

It keeps the contract of backends (``test_contract`` holds it to that), but for learning anything.
"""

import numpy as np

from attnlogic.backend import Finished, check_framework, checked
from attnlogic.errors import InputError
from attnlogic.history import History, outcome
from attnlogic.outcomes import NONE, concatenate
from attnlogic.studies import Study, run


class Abacus:
    """A run's losses are |wq|, |wk|, |wv|; then it stops, and has learnt nothing.

    Outcomes come ``size`` at a time; after ``good`` of these the error is raised.
    """

    name = "abacus"

    def __init__(self, size=3, good=None, error=None):
        self.size, self.left, self.error = size, good, error

    def __repr__(self):
        return "an abacus"

    def devices(self):
        return ["ten wires"]

    def versions(self):
        return {"abacus": "2700 BC"}

    def default_seeds(self, training):
        return 7 if training.optimizer.name == "sgd" else 5

    def check(self, training, jobs):
        check_framework(checked(training), self.name)
        if training.optimizer.name == "lbfgs":
            raise InputError("an abacus has no 'lbfgs'")

    def train(self, batch, *, jobs=1, on_progress=None):
        for training in batch.trainings:
            self.check(training, jobs)
        return self._outcomes(batch, on_progress or (lambda share: None))

    def _outcomes(self, batch, on_progress):
        works = [*zip(batch.which, batch.initial.T, strict=True)]
        for first in range(0, len(works), self.size):
            if self.left == 0:
                raise self.error
            self.left = None if self.left is None else self.left - 1
            some = works[first : first + self.size]
            done = [self._outcome(batch.trainings[k], start) for k, start in some]
            on_progress(len(done))
            yield Finished(first, concatenate(done))

    def history(self, training, initial, *, on_progress=None):
        self.check(training, 1)
        return self._parts(training, initial, on_progress or (lambda share: None))

    def _parts(self, training, initial, on_progress):
        on_progress(1)
        yield self.run(training, initial)

    def run(self, training, initial):
        start = initial.astype(training.precision)
        losses = np.abs(start[:3])[: training.epochs]
        goal = start.dtype.type(training.threshold if training.until == "hit" else -1)
        ends = np.flatnonzero(~np.isfinite(losses) | (losses <= goal))
        stopped_at = NONE if ends.size or training.epochs < 3 else 2
        losses = losses[: ends[0] + 1] if ends.size else losses
        own = {quantity.name: losses for quantity in training.problem.own}
        return History(losses, own, start, start, stopped_at, np.ones(losses.size, int), 0.0)

    def _outcome(self, training, initial):
        return outcome(self.run(training, initial), training.threshold, training.problem)


class Counting(Abacus):
    """An abacus that remembers the runs that it was given."""

    def __init__(self, **how):
        super().__init__(**how)
        self.trained = []

    def train(self, batch, **rest):
        starts = map(tuple, batch.initial.T.tolist())
        self.trained += [(batch.trainings[k], s) for k, s in zip(batch.which, starts, strict=True)]
        return super().train(batch, **rest)


SMALL = Study(gates=["xor", "nand"], optimizers=["sgd", "adam"], seeds=10, threshold=0.3)


def work(out, backend=None, study=SMALL, **how):
    return run(study, backend or Abacus(), out, progress=False, **how)


def left(directory):
    """All that there is in a folder, but for the folders themselves."""
    return sorted(str(p.relative_to(directory)) for p in directory.rglob("*") if p.name != ".lock")


def part_names(runs):
    """The folder of each part and the seeds in its name, without the digest; in no order."""
    return sorted(f"{p.parent.name}/{p.name.partition('.')[0]}" for p in runs.part_files())
