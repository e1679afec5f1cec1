"""Tests: who a backend is, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from attnlogic.backend import Backend, Batch, Training
from attnlogic.errors import InputError
from attnlogic.optimizers import OPTIMIZERS, optimizer
from attnlogic.problems import OwnLoss, Problem, problem
from attnlogic.testing.comparing import expect
from attnlogic.testing.subject import EPOCHS, Subject, starts

NONSENSE = {"epochs": 0, "threshold": -1.0, "precision": "float16", "until": "noon"}
"""Settings of a training that no backend can follow."""


class IdentityContract(Subject):
    """Who the backend is, and that it refuses what it cannot do before any work."""

    def test_it_has_the_attributes_and_methods_of_a_backend(self) -> None:
        """As ``Backend`` lists them; one without is not even found by its name."""
        backend = self.tested
        expect(
            isinstance(backend, Backend),
            f"{backend!r} lacks attributes or methods of attnlogic.backend.Backend",
        )
        name = self.backend if isinstance(self.backend, str) else backend.name
        expect(
            isinstance(backend.name, str) and backend.name == name != "",
            f"name is {backend.name!r}, expected {name!r}, as pyproject.toml registers it: it "
            "becomes a column of every row",
        )
        seeds = backend.default_seeds(self.training())
        expect(
            type(seeds) is int and seeds >= 1,
            f"default_seeds(training) gave {seeds!r}: expected a whole number from 1",
        )

    def test_it_says_its_devices_and_versions(self) -> None:
        """They are kept with every study."""
        devices, versions = self.tested.devices(), self.tested.versions()
        expect(
            isinstance(devices, list) and devices and all(_is_text(one) for one in devices),
            f"devices() gave {devices!r}: expected a list of words such as ['cpu (2 cores)']",
        )
        expect(
            isinstance(versions, dict)
            and versions
            and all(_is_text(text) for pair in versions.items() for text in pair),
            f"versions() gave {versions!r}: expected the packages whose code decides the numbers, "
            "such as {'numpy': '2.3.1'}",
        )

    @pytest.mark.parametrize("setting", NONSENSE)
    def test_it_refuses_what_makes_no_sense(self, setting: str) -> None:
        """Also where one condition of several makes no sense."""
        good = self.training()
        # Values of a wrong type are what is tried here.
        bad = replace(good, **{setting: NONSENSE[setting]})  # type: ignore[arg-type]
        mend = f"{setting}={NONSENSE[setting]!r}: call attnlogic.backend.checked in check"
        self._expect_refused(bad, mend)
        self._expect_refused_by_train((good, bad), mend)

    def test_it_refuses_everywhere_what_its_check_refuses(self) -> None:
        """An optimizer that it lacks, before any work."""
        lacking = []
        for name in OPTIMIZERS:
            asked = Training(problem("xor"), optimizer(name), EPOCHS)
            try:
                self.tested.check(asked, 1)
            except InputError:
                lacking.append(asked)
        if not lacking:
            pytest.skip("its check refuses no optimizer of attnlogic's")
        for asked in lacking:
            self._expect_refused(asked, f"{asked.optimizer}, which check refuses")

    def test_it_refuses_the_models_of_other_frameworks(self) -> None:
        """A loss written in JAX, unless it is the backend that trains these."""
        if self.tested.name == "jax":
            pytest.skip("this backend trains them")
        own = OwnLoss(lambda seed: {"w": seed}, lambda params: params["w"] ** 2, "parabola")
        asked = replace(self.training(), problem=Problem(own))
        mend = "a model that jax alone trains: call attnlogic.backend.check_framework in check"
        try:
            self.tested.check(asked, 1)
        except InputError:
            return
        raise AssertionError(f"check let pass {mend}")

    def test_it_refuses_processes_everywhere_if_its_check_does(self) -> None:
        """``jobs`` above 1."""
        asked = self.training()
        try:
            self.tested.check(asked, 2)
        except InputError:
            self._expect_refused_by_train((asked,), "jobs=2, which check refuses", jobs=2)
        else:
            pytest.skip("its check refuses no number of processes")

    def _expect_refused(self, asked: Training, mend: str) -> None:
        try:
            self.tested.check(asked, 1)
        except InputError:
            pass
        else:
            raise AssertionError(f"check let pass {mend}")
        self._expect_refused_by_train((asked,), mend)
        try:
            self.tested.history(asked, starts(self.training())[:, 0])
        except InputError:
            return
        raise AssertionError(f"history {_TOO_LATE} {mend}")

    def _expect_refused_by_train(
        self, trainings: tuple[Training, ...], mend: str, jobs: int = 1
    ) -> None:
        initial = starts(self.training(), len(trainings))
        try:
            self.tested.train(
                Batch(trainings, np.arange(len(trainings), dtype=np.int32), initial), jobs=jobs
            )
        except InputError:
            return
        raise AssertionError(f"train {_TOO_LATE} {mend}")


_TOO_LATE = (
    "must raise InputError when it is called, not when its iterator is advanced (a generator "
    "function checks too late: let a plain function check, and call it), for"
)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""
