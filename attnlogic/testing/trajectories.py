"""Tests: trajectories are those of a slow reference, in float64."""

from __future__ import annotations

import numpy as np
import pytest

from attnlogic.testing.comparing import equal, expect
from attnlogic.testing.reference import evaluate, reference_history
from attnlogic.testing.subject import Subject, starts

TOLERANCE = 1e-11
"""How much a number may differ from the reference's, relative and absolute. Two programs round some
ten times an epoch by 1e-16, which 20 epochs of these optimizers amplify to 3e-15 (measured on both
of attnlogic's backends); another formula, or float32 somewhere, shows by 1e-8 or more."""

CASES = [
    ("sgd(lr=0.1)", "xor", "attention"),
    ("adam", "nand", "attention"),
    ("sgd(lr=0.1)", "majority3", "mlp(hidden=2)"),
    ("adam(lr=0.01, beta1=0.8, beta2=0.9, eps=1e-4)", "parity3", "linear"),
]
"""Optimizer, gate and model of each trajectory: two and three bits, all families of models."""


class TrajectoryContract(Subject):
    """Gradient descent and Adam, whose formulas and defaults are torch's."""

    @pytest.mark.parametrize("model", ["attention", "mlp(hidden=2)", "linear"])
    @pytest.mark.parametrize("gate", ["xor", "majority3"])
    def test_the_loss_and_its_gradient_are_the_models(self, gate: str, model: str) -> None:
        """Of the first parameters and of the last, by any optimizer."""
        training = self.training(None, gate, model, precision="float64", epochs=1)
        for start in starts(training, 2).T:
            run = self.whole(training, start)
            loss, _ = evaluate(training.problem, np.asarray(start, np.float64))
            _, gradient = evaluate(training.problem, run.final)
            for name, one, other in (
                ("the first loss", run.losses[0], loss),
                ("gradient_norm", run.gradient_norm, np.linalg.norm(gradient)),
            ):
                expect(
                    equal(np.asarray(one), np.asarray(other), TOLERANCE).all(),
                    f"{training}: {name} is {one}, expected {other}, which it is by the model's "
                    "arithmetic in float64",
                )

    @pytest.mark.parametrize(("by_reference", "gate", "model"), CASES)
    def test_a_trajectory_is_the_references(self, by_reference: str, gate: str, model: str) -> None:
        """Losses epoch by epoch, and where they lead."""
        training = self.training(by_reference, gate, model, precision="float64")
        for start in starts(training, 3).T:
            ours, theirs = self.whole(training, start), reference_history(training, start)
            wrong = np.flatnonzero(~equal(ours.losses, theirs.losses, TOLERANCE))
            where = f"{training}: the loss of epoch {wrong[0] if wrong.size else 0}"
            expect(
                not wrong.size,
                f"{where} is {ours.losses[wrong[:1]]}, the reference's "
                f"{theirs.losses[wrong[:1]]}: compute the model, its gradient and torch's formula "
                "in float64",
            )
            for name in ("final", "gradient_norm"):
                one, other = (np.asarray(getattr(run, name)) for run in (ours, theirs))
                expect(
                    equal(one, other, TOLERANCE).all(),
                    f"{training}: {name} is {one}, the reference's {other}: they belong to the "
                    "parameters after the last epoch's update",
                )
            for name, trace in theirs.quantities.items():
                expect(
                    equal(ours.quantities[name], trace, TOLERANCE).all(),
                    f"{training}: {name} differs from the reference's: a history has the "
                    "quantities of the parameters that gave each loss, before the update",
                )
