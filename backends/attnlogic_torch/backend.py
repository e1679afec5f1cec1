"""The backend: the notebook's own module, one seed after the other, or one a process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy.typing as npt
import torch

from attnlogic.backend import Batch, Finished, OnProgress, Training, check_framework, checked
from attnlogic.history import History
from attnlogic.outcomes import concatenate
from attnlogic.settings import whole
from attnlogic_torch import training as training_loop
from attnlogic_torch.foreign_trial import try_optimizer
from attnlogic_torch.optimizers import record
from attnlogic_torch.parallel import Workers, check_can_be_sent
from attnlogic_torch.worker import train_one


class TorchBackend:
    """Trains the notebook's module with torch's optimizers. See ``attnlogic.backend.Backend``.

    It works on the CPU, with one thread a run, and leaves torch's threads, default dtype and random
    generator as they were.
    """

    name = "torch"
    seeds = 2

    def __init__(self) -> None:
        self._workers = Workers()

    def devices(self) -> list[str]:
        """The CPU: for six parameters anything else is slower."""
        return [f"cpu ({os.cpu_count()} cores)"]

    def versions(self) -> dict[str, str]:
        """torch's."""
        return {"torch": str(torch.__version__)}

    def check(self, training: Training, jobs: int) -> None:
        """Refuse numbers that make no sense; see ``Backend.check``."""
        done = checked(training)
        record(done.optimizer)
        check_framework(done, self.name)
        if done.optimizer.source is not None:
            try_optimizer(done)
        if whole("jobs", jobs, low=1) > 1:
            check_can_be_sent(done)

    def train(
        self,
        batch: Batch,
        *,
        jobs: int = 1,
        on_progress: OnProgress | None = None,
    ) -> Iterator[Finished]:
        """Train each run, giving each as it is done; see ``Backend.train``.

        With ``jobs`` above 1 a script must start its work under ``if __name__ == "__main__"``, as
        ever where Python spawns processes.
        """
        for training in batch.trainings:
            self.check(training, jobs)
        return self._train(batch, int(jobs), on_progress)

    def _train(self, batch: Batch, jobs: int, on_progress: OnProgress | None) -> Iterator[Finished]:
        works = [
            (batch.trainings[k], start)
            for k, start in zip(batch.which, batch.initial.T, strict=True)
        ]
        if min(jobs, len(works)) > 1:
            yield from self._workers.train(works, jobs, on_progress)
            return
        for place, work in enumerate(works):
            yield Finished(place, concatenate([train_one(*work, on_progress)]))

    def history(
        self,
        training: Training,
        initial: npt.NDArray[Any],
        *,
        on_progress: OnProgress | None = None,
    ) -> Iterator[History]:
        """Train one seed, keeping every loss; see ``Backend.history``."""
        self.check(training, 1)
        return training_loop.history(checked(training), initial, on_progress)


TORCH = TorchBackend()
