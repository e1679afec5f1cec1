"""Tests: the outcomes of a batch, and the histories that define them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from attnlogic.backend import Training, one_condition
from attnlogic.history import History, outcome
from attnlogic.optimizers import Optimizer
from attnlogic.outcomes import NONE, NUMBERS, Outcome, concatenate, numbers_of, own_numbers
from attnlogic.testing.comparing import expect, expect_each_once, expect_rows
from attnlogic.testing.subject import STEADY_EPOCHS, Subject, near_a_solution, starts, with_rate

ROUNDING = {"float32": 1e-3, "float64": 1e-8}
"""How much numbers of ``train`` and of ``history`` may differ, relative and absolute. They may be
two programs, whose epochs round some ten times by 1e-7 or 1e-16 each, and the budgets are so short
that this stays far below. attnlogic's own backends give the same bits. A number that is defined
otherwise differs by more."""


class RowsContract(Subject):
    """What comes back, with which place and form, and that it is what a run's history says."""

    @pytest.mark.parametrize("precision", ["float32", "float64"])
    def test_outcomes_have_the_declared_form(self, precision: str) -> None:
        """NumPy arrays of the declared dtypes, one entry for each run."""
        training = self.training(precision=precision)
        finished = [*self.tested.train(one_condition(training, starts(training)))]
        expect_each_once(finished, starts(training).shape[1])
        expect_form([one.outcome for one in finished], training)

    def test_no_runs_give_no_outcomes(self) -> None:
        """An empty batch is no error."""
        training = self.training()
        batch = one_condition(training, starts(training, 0))
        count = sum(one.end - one.first for one in self.tested.train(batch))
        expect(count == 0, f"a batch without runs gave {count} outcomes")

    def test_a_batch_trained_twice_has_the_same_bits(self) -> None:
        """In float32, where rounding is coarse."""
        training = self.training(epochs=50)
        once, again = (self.trained(training, starts(training)) for _ in range(2))
        expect_rows(
            again, once, training.problem, "the same batch must give the same bits each time"
        )

    def test_rows_are_the_same_however_a_batch_is_cut(self) -> None:
        """A run alone, among few and among many."""
        training = self.training()
        begin = starts(training, 60)
        pieces = [begin[:, a:b] for a, b in ((0, 1), (1, 3), (3, 4), (4, 60))]
        expect_rows(
            self.trained(training, begin),
            concatenate([self.trained(training, piece) for piece in pieces]),
            training.problem,
            "it is not what the run gives in a smaller batch: a run must have the same bits "
            "whichever runs share its batch",
        )

    def test_each_run_of_a_batch_is_trained_under_its_own_condition(self) -> None:
        """Conditions of one kind, whose targets and learning rates differ, in any order."""
        trainings = [self.training(gate=gate, threshold=0.25) for gate in ("nand", "xor", "or")]
        trainings.append(with_rate(trainings[0], 0.2))
        which = [1, 1, 0, 2, 3, 0, 1]
        begin = starts(trainings[0], len(which))
        alone = [self.trained(trainings[k], begin[:, run : run + 1]) for run, k in enumerate(which)]
        expect_rows(
            self.trained(trainings, begin, which),
            concatenate(alone),
            trainings[0].problem,
            "it is not what the run gives alone: train each run under the condition that "
            "batch.which names, with its own targets and hyperparameters",
        )

    @pytest.mark.parametrize("epochs", [1, 19])
    @pytest.mark.parametrize("precision", ["float32", "float64"])
    def test_a_history_has_the_declared_form(self, precision: str, epochs: int) -> None:
        """A loss for each epoch, in the training's precision."""
        training = self.training(precision=precision, epochs=epochs)
        start = starts(training)[:, 1]
        run, dtype = self.whole(training, start), np.dtype(precision)
        traces = {"losses": run.losses, **run.quantities}
        for name, trace in {**traces, "initial": run.initial, "final": run.final}.items():
            expect(
                isinstance(trace, np.ndarray) and trace.dtype == dtype,
                f"a history's {name} must be a NumPy array of {precision}, as the training asks: "
                f"got {getattr(trace, 'dtype', type(trace).__name__)}",
            )
        own = [quantity.name for quantity in training.problem.own]
        expect([*run.quantities] == own, f"quantities are {[*run.quantities]}, expected {own}")
        for name, trace in {**traces, "evaluations": run.evaluations}.items():
            expect(
                trace.shape == (training.epochs,) or run.stopped_at != NONE,
                f"{name} of a history have shape {trace.shape}, expected ({training.epochs},): "
                "one for each epoch of the budget, if nothing ends the run",
            )
        expect(
            np.array_equal(run.initial, start.astype(dtype)),
            "a history's initial parameters are not those that it was given: keep a copy",
        )
        expect((run.evaluations >= 1).all(), "an epoch has at least one evaluation")

    def test_every_number_is_that_of_the_history(self, by: str | Optimizer) -> None:
        """Of runs that are far from a solution, near one, and all but there."""
        training = self.training(by, precision="float64", threshold=1e-3)
        budget = STEADY_EPOCHS.get(training.optimizer.name, training.epochs)
        self.expect_defined(
            replace(training, epochs=budget),
            np.concatenate([near_a_solution(), starts(training)], axis=1),
        )

    @pytest.mark.parametrize(
        ("gate", "model"),
        [("parity3", "attention"), ("nand", "mlp(hidden=2)"), ("xor", "attention(scores=softmax)")],
    )
    def test_every_number_is_that_of_the_history_of_any_model(self, gate: str, model: str) -> None:
        """Of three bits, of other models, and of one without quantities."""
        training = self.training(gate=gate, model=model, precision="float64", threshold=0.25)
        self.expect_defined(training, starts(training, 3))

    def expect_defined(self, training: Training, initial: Any, mend: str = "") -> Outcome:
        """Fail unless each outcome is ``history.outcome`` of the backend's own history."""
        __tracebackhide__ = True
        runs = self.trained(training, initial)
        histories = [self.whole(training, start) for start in initial.T]
        expect_rows(
            runs,
            concatenate([_defined(run, training) for run in histories]),
            training.problem,
            mend
            or "it is what attnlogic.history.outcome makes of the run's own history, and "
            "train must give the same",
            rtol=ROUNDING[training.precision],
        )
        return runs


def _defined(run: History, training: Training) -> Outcome:
    return outcome(run, training.threshold, training.problem)


def expect_form(outcomes: list[Outcome], training: Training) -> None:
    """Fail unless each leaf is a NumPy array of the declared dtype, with an entry for each run."""
    __tracebackhide__ = True
    what = training.problem
    declared = NUMBERS | own_numbers({own.name: own.meaning for own in what.own})
    for one in outcomes:
        count = len(one.first_hit)
        expect(
            [*numbers_of(one)] == [*declared],
            f"an outcome's numbers are {[*numbers_of(one)]}, expected {[*declared]}",
        )
        for name, leaf in {"initial": one.initial, "final": one.final, **numbers_of(one)}.items():
            expect(
                isinstance(leaf, np.ndarray),
                f"{name} is a {type(leaf).__name__}: give NumPy arrays, nothing of a framework's",
            )
            shape = (count,) if name in declared else (len(what.names), count)
            expect(leaf.shape == shape, f"{name} has shape {leaf.shape}, expected {shape}")
            number = declared.get(name)
            dtype = number.kind.dtype(training.precision) if number else training.precision
            expect(
                leaf.dtype == dtype,
                f"{name} has dtype {leaf.dtype}, expected {dtype}, in a training of "
                f"{training.precision}: see attnlogic.outcomes.NUMBERS",
            )
