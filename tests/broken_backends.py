"""Backends that each break one promise; a docstring is what the suite must say of it first.

They are the whole backend of ``attnlogic.backend``'s guide, installed as ``descent_backend``.
"""

import contextlib
import threading
from dataclasses import replace

import numpy as np
from descent_backend import Descent, descend

from attnlogic.backend import Finished, checked
from attnlogic.history import join, outcome
from attnlogic.outcomes import NONE, concatenate, mapped


class NoSeeds(Descent):
    """default_seeds(training) gave 2.5: expected a whole number from 1"""

    def default_seeds(self, training):
        return 2.5


class NoVersions(Descent):
    """versions() gave {}: expected the packages whose code decides the numbers"""

    def versions(self):
        return {}


class ChecksNothing(Descent):
    """check let pass epochs=0: call attnlogic.backend.checked in check"""

    def check(self, training, jobs):
        pass


class TakesAnyModel(Descent):
    """check let pass a model that jax alone trains: call attnlogic.backend.check_framework"""

    def check(self, training, jobs):
        if checked(training).problem.framework is None:
            super().check(training, jobs)


class ChecksLate(Descent):
    """train must raise InputError when it is called, not when its iterator is advanced"""

    def train(self, batch, *, jobs=1, on_progress=None):
        yield from super().train(batch, jobs=jobs, on_progress=on_progress)


class IgnoresJobs(Descent):
    """not when its iterator is advanced (a generator function checks too late: let a plain function
    check, and call it), for jobs=2, which check refuses"""

    def train(self, batch, *, jobs=1, on_progress=None):
        return super().train(batch, on_progress=on_progress)


class Changed(Descent):
    """A backend whose outcomes are changed before they are given."""

    def outcomes(self, batch, on_progress):
        for run, one in super().outcomes(batch, on_progress):
            yield Finished(run, self.changed(one, batch, run))


class GivesNoPlaces(Descent):
    """train gave Outcome: give attnlogic.backend.Finished(first, outcome)"""

    def outcomes(self, batch, on_progress):
        return (one.outcome for one in super().outcomes(batch, on_progress))


class WrongPlaces(Descent):
    """came back in each other's place: Finished.first is the place in the batch"""

    def outcomes(self, batch, on_progress):
        last = len(batch.which) - 1
        return (Finished(last - run, one) for run, one in super().outcomes(batch, on_progress))


class CountsPlacesFromOne(Descent):
    """of a batch of 6 runs: Finished.first is the place in the batch of the first of the runs,"""

    def outcomes(self, batch, on_progress):
        return (Finished(run + 1, one) for run, one in super().outcomes(batch, on_progress))


class GivesARunTwice(Descent):
    """2 times: give each run's outcome one time"""

    def outcomes(self, batch, on_progress):
        given = [*super().outcomes(batch, on_progress)]
        return iter([*given, *given[:1]])


class LosesARun(Descent):
    """0 times: give each run's outcome one time"""

    def outcomes(self, batch, on_progress):
        return iter([*super().outcomes(batch, on_progress)][:-1])


class SinglePrecision(Changed):
    """has dtype float32, expected float64, in a training of float64"""

    def changed(self, one, batch, run):
        return mapped(lambda x: x.astype(np.float32) if x.dtype == np.float64 else x, one)


class WideEpochs(Changed):
    """first_hit has dtype int64, expected int32"""

    def changed(self, one, batch, run):
        return one._replace(first_hit=one.first_hit.astype(np.int64))


class NoArrays(Changed):
    """first_hit is a list: give NumPy arrays, nothing of a framework's"""

    def changed(self, one, batch, run):
        return one._replace(first_hit=one.first_hit.tolist())


class TrainsInPlace(Changed):
    """the batch's initial parameters have changed, and they are the caller's: copy them"""

    def changed(self, one, batch, run):
        batch.initial[:, run] = one.final[:, 0]
        return one


class NoLadder(Changed):
    """it is what attnlogic.history.outcome makes of the run's own history"""

    def changed(self, one, batch, run):
        return one._replace(ladder=tuple(np.full_like(rung, NONE) for rung in one.ladder))


class KeepsNumbersOfDivergedRuns(Changed):
    """diverged: its final parameters, quantities and gradient_norm must be NaN"""

    def changed(self, one, batch, run):
        return one._replace(final=np.where(np.isnan(one.final), one.initial, one.final))


class CountsNaNAsNaN(Changed):
    """a loss that is not finite, NaN too, counts as inf"""

    def changed(self, one, batch, run):
        return one._replace(final_loss=np.where(np.isinf(one.final_loss), np.nan, one.final_loss))


class OneConditionForAll(Descent):
    """train each run under the condition that batch.which names"""

    def outcomes(self, batch, on_progress):
        return super().outcomes(batch._replace(which=0 * batch.which), on_progress)


class DependsOnTheBatch(Changed):
    """a run must have the same bits whichever runs share its batch"""

    def changed(self, one, batch, run):
        return one._replace(min_loss=one.min_loss * np.float32(1 + 1e-6 * len(batch.which)))


class Random(Changed):
    """the same batch must give the same bits each time"""

    draws = np.random.default_rng(0)

    def changed(self, one, batch, run):
        dtype = one.min_loss.dtype.type
        return one._replace(min_loss=one.min_loss * dtype(1 + 1e-9 + 1e-6 * self.draws.random()))


class IgnoresUntilInTrain(Descent):
    """a run ends with the first loss at or below the threshold, in train as in history"""

    def outcomes(self, batch, on_progress):
        whole = tuple(replace(training, until="budget") for training in batch.trainings)
        return super().outcomes(batch._replace(trainings=whole), on_progress)


class IgnoresUntil(IgnoresUntilInTrain):
    """with until="hit" a run ends with the first loss at or below the threshold"""

    def history(self, training, initial, *, on_progress=None):
        self.check(training, 1)
        return descend(replace(training, until="budget"), initial, on_progress)


class ComputesInSinglePrecision(Descent):
    """which it is by the model's arithmetic in float64"""

    def outcomes(self, batch, on_progress):
        for place, start in enumerate(batch.initial.T):
            training = batch.trainings[batch.which[place]]
            run = join([*self.parts(training, start, on_progress)])
            one = outcome(run, training.threshold, training.problem)
            yield Finished(place, concatenate([one]))

    def history(self, training, initial, *, on_progress=None):
        self.check(training, 1)
        return self.parts(training, initial, on_progress)

    def parts(self, training, initial, on_progress):
        single, dtype = replace(training, precision="float32"), training.precision
        for part in descend(single, initial, on_progress):
            own = {name: trace.astype(dtype) for name, trace in part.quantities.items()}
            losses, start, end = (
                leaf.astype(dtype) for leaf in (part.losses, part.initial, part.final)
            )
            yield part._replace(losses=losses, quantities=own, initial=start, final=end)


class HalfOfTheProgress(Descent):
    """report what has been done since the last call, and at a run's end the rest of it"""

    def outcomes(self, batch, on_progress):
        return super().outcomes(batch, on_progress and (lambda share: on_progress(share / 2)))


class OnePart(Descent):
    """give a history in parts, about one a second: a run may take weeks"""

    def history(self, training, initial, *, on_progress=None):
        self.check(training, 1)
        return (join([*parts]) for parts in [descend(training, initial, on_progress)])


class SwallowsInterrupts(Descent):
    """swallowed a KeyboardInterrupt: let it pass, or Ctrl-C will not end a study"""

    def outcomes(self, batch, on_progress):
        def deaf(share):
            with contextlib.suppress(KeyboardInterrupt):
                on_progress(share)

        return super().outcomes(batch, on_progress and deaf)


class GoesOnAfterAnInterrupt(Descent):
    """train, at a yield, swallowed a KeyboardInterrupt: let it pass, or Ctrl-C will not"""

    def outcomes(self, batch, on_progress):
        for one in super().outcomes(batch, on_progress):
            with contextlib.suppress(KeyboardInterrupt):
                yield one


class LeavesAThread(Descent):
    """go on: when the iterator of train is closed, end every thread and process"""

    def outcomes(self, batch, on_progress):
        threading.Thread(target=threading.Event().wait, args=(30,), daemon=True).start()
        yield from super().outcomes(batch, on_progress)
