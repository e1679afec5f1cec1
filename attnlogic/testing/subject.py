"""The backend under test, and what the tests ask it to train."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from attnlogic.backend import Backend, Batch, Training, checked, in_order
from attnlogic.backend import backend as find
from attnlogic.errors import InputError
from attnlogic.history import History, join
from attnlogic.optimizers import OPTIMIZERS, Optimizer, optimizer
from attnlogic.outcomes import Outcome
from attnlogic.problems import problem
from attnlogic.testing.comparing import expect, expect_each_once

Starts = npt.NDArray[np.float32]

EPOCHS = 20
"""The budget of most tests: rounding is not amplified much within it."""

STEADY_EPOCHS = {"polyak": 6, "lbfgs": 2}
"""The budget of optimizers that amplify rounding sooner."""

SOLUTION = np.array([-1, 0.5, 1, 2, 2, 0], np.float32)
"""Parameters with which the notebook's neuron computes XOR: C = −1/2, w1 = w2 = 2, b = 0."""


class Subject:
    """What a suite of tests is told of its backend.

    Attributes:
      backend: its name, or the object.
      optimizers: by which it is tested, such as ``"adam(lr=0.01)"``; without any, all that its
        check lets pass.
    """

    backend: str | Backend = ""
    optimizers: Sequence[str | Optimizer] | None = None

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run a test that takes ``by`` once for each optimizer."""
        if "by" in metafunc.fixturenames:
            chosen = [*OPTIMIZERS] if self.optimizers is None else self.optimizers
            metafunc.parametrize("by", chosen, ids=str)

    @property
    def tested(self) -> Backend:
        """The backend."""
        return find(self.backend)

    @property
    def simplest(self) -> str | Optimizer:
        """The optimizer of the tests that need one and no more."""
        if self.optimizers is not None:
            return self.optimizers[0]
        for by in ("sgd", "adam", *OPTIMIZERS):
            try:
                self.tested.check(Training(problem("xor"), optimizer(by), EPOCHS), 1)
            except InputError:
                continue
            return by
        raise AssertionError(
            "check refuses every optimizer of attnlogic.optimizers.OPTIMIZERS: list in "
            "`optimizers` those that the backend has"
        )

    def training(
        self,
        by: str | Optimizer | None = None,
        gate: str = "xor",
        model: str = "attention",
        epochs: int = EPOCHS,
        **rest: Any,
    ) -> Training:
        """A condition; the test is skipped if the backend refuses it."""
        chosen = optimizer(self.simplest if by is None else by)
        asked = checked(Training(problem(gate, model), chosen, epochs, **rest))
        try:
            self.tested.check(asked, 1)
        except InputError as error:
            pytest.skip(f"the backend refuses {asked}: {error}")
        return asked

    def trained(
        self,
        trainings: Training | Sequence[Training],
        starts: Starts,
        which: Sequence[int] | None = None,
        **how: Any,
    ) -> Outcome:
        """What the backend makes of N runs, after a look at how it took and gave them."""
        several = (trainings,) if isinstance(trainings, Training) else tuple(trainings)
        count = starts.shape[1]
        places = np.zeros(count, np.int32) if which is None else np.array(which, np.int32)
        given = starts.copy()
        finished = [*self.tested.train(Batch(several, places, given), **how)]
        expect(
            np.array_equal(given, starts, equal_nan=True),
            "the batch's initial parameters have changed, and they are the caller's: copy them "
            "before you train in place",
        )
        expect_each_once(finished, count)
        return in_order(finished)

    def whole(self, training: Training, initial: Starts, **how: Any) -> History:
        """One run's whole history."""
        given = initial.copy()
        parts = [*self.tested.history(training, given, **how)]
        expect(parts, "history gave no parts: give at least one")
        expect(
            np.array_equal(given, initial, equal_nan=True),
            "history changed the initial parameters, and they are the caller's: copy them before "
            "you train in place",
        )
        return join(parts)


def starts(training: Training, count: int = 6) -> Starts:
    """Where the first seeds start, (P, count)."""
    return training.problem.initial(np.arange(count))


def with_rate(training: Training, lr: float) -> Training:
    """The same with this learning rate, if the optimizer has one; of the same kind."""
    by = training.optimizer
    if not isinstance(by.settings.get("lr"), float):
        return training
    settings = by.settings | {"lr": lr}
    return replace(training, optimizer=Optimizer(by.name, tuple(settings.items())))


def near_a_solution() -> Starts:
    """Starts of the notebook's neuron ever nearer a solution of XOR: losses from 1e-1 to 1e-13."""
    distances = 10.0 ** -np.arange(1, 7)
    away = np.array([1, 0.5, -1, 1, -0.5, 1])
    found: Starts = (SOLUTION[:, None] + away[:, None] * distances).astype(np.float32)
    return found
