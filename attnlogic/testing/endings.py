"""Tests: how runs end: they diverge, or they end at their first hit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from attnlogic.backend import Training
from attnlogic.optimizers import Optimizer
from attnlogic.outcomes import NONE, Outcome
from attnlogic.testing.comparing import equal, expect
from attnlogic.testing.rows import RowsContract
from attnlogic.testing.subject import STEADY_EPOCHS, Starts, near_a_solution, starts, with_rate


class EndingsContract(RowsContract):
    """Runs that diverge, and runs that end as soon as they hit."""

    @pytest.mark.parametrize("precision", ["float32", "float64"])
    @pytest.mark.parametrize("bad", [np.inf, np.nan], ids=str)
    def test_a_run_without_a_finite_loss_diverges_at_once(self, bad: float, precision: str) -> None:
        """It starts at no number, beside runs that are sound."""
        training = self.training(precision=precision)
        begin = starts(training, 3)
        begin[:, 1] = bad
        runs = self.trained(training, begin)
        expect_diverged(runs, 1, 0)
        expect(
            runs.diverged_at[[0, 2]].tolist() == [NONE, NONE],
            "a run that diverges must leave the others of its batch alone",
        )
        self.expect_defined(training, begin)

    def test_a_run_diverges_in_its_course(self) -> None:
        """With a learning rate so large that some update or loss overflows float32."""
        training = with_rate(self.training(precision="float32", epochs=40), 50.0)
        histories = [self.whole(training, start) for start in starts(training).T]
        runs = self.trained(training, starts(training))
        for run, history in enumerate(histories):
            finite = np.isfinite(history.losses)
            expect(
                finite[:-1].all(),
                f"the history of run {run} goes on after a loss that is not finite: end it there",
            )
            if not finite[-1]:
                expect_diverged(runs, run, len(finite) - 1)
        if (runs.diverged_at == NONE).all():
            pytest.skip(f"{training.optimizer} does not diverge")

    def test_until_hit_ends_a_run_before_the_update_of_its_first_hit(
        self, by: str | Optimizer
    ) -> None:
        """Runs that hit at once, later and not at all."""
        training = self.training(by, precision="float64", threshold=1e-3)
        budget = STEADY_EPOCHS.get(training.optimizer.name, training.epochs)
        training = replace(training, epochs=budget)
        begin = np.concatenate([near_a_solution(), starts(training, 2)], axis=1)
        self._expect_ended_at_hits(training, begin)

    def test_until_hit_goes_for_each_condition_of_a_batch(self) -> None:
        """Each has runs that hit, and some that do not."""
        trainings = [
            self.training(gate=gate, threshold=0.2, until="hit") for gate in ("xor", "nand")
        ]
        begin = starts(trainings[0], 8)
        which = [0] * 4 + [1] * 4
        runs = self.trained(trainings, begin, which)
        for run, condition in enumerate(which):
            alone = self.whole(trainings[condition], begin[:, run])
            expect(
                bool(runs.final_loss[run] <= np.float32(0.2))
                == bool(alone.losses[-1] <= np.float32(0.2)),
                f"{UNTIL_HIT}: run {run} of a batch did not end as it does alone",
            )

    def _expect_ended_at_hits(self, training: Training, begin: Starts) -> None:
        until_hit = replace(training, until="hit")
        for start in begin.T:
            whole, ended = self.whole(training, start), self.whole(until_hit, start)
            hits = np.flatnonzero(whole.losses <= training.threshold)
            expected = int(hits[0]) + 1 if hits.size else len(whole.losses)
            expect(
                len(ended.losses) == expected,
                f"{UNTIL_HIT}: a history has {len(ended.losses)} epochs, expected {expected}",
            )
            if hits.size > 0:
                at_hit = (
                    start
                    if expected == 1
                    else self.whole(replace(training, epochs=expected - 1), start).final
                )
                expect(
                    equal(np.asarray(ended.final), at_hit.astype(np.float64), 1e-8).all(),
                    f"{UNTIL_HIT}, before its update: the final parameters are those that hit",
                )
        self.expect_defined(until_hit, begin, f"{UNTIL_HIT}, in train as in history")


UNTIL_HIT = 'with until="hit" a run ends with the first loss at or below the threshold'


def expect_diverged(runs: Outcome, run: int, epoch: int) -> None:
    """Fail unless a run's outcome is that of one which diverged at this epoch."""
    __tracebackhide__ = True
    expect(
        runs.diverged_at[run] == epoch,
        f"diverged_at of run {run} is {runs.diverged_at[run]}, expected {epoch}, the epoch of its "
        "first loss that is not finite",
    )
    expect(
        runs.evaluations[run] == epoch + 1 or epoch > 0,
        f"run {run} diverged at epoch 0 and has {runs.evaluations[run]} evaluations: end it there",
    )
    own = [quantity[run] for quantity in runs.quantities.values()]
    ends = [runs.final[:, run], runs.gradient_norm[run], *own]
    expect(
        all(np.isnan(end).all() for end in ends),
        f"run {run} diverged: its final parameters, quantities and gradient_norm must be NaN",
    )
    expect(
        runs.final_loss[run] == np.inf,
        f"final_loss of run {run}, which diverged, is {runs.final_loss[run]}: a loss that is not "
        "finite, NaN too, counts as inf",
    )
