"""The backend: the notebook's own module, one seed after the other, or one a process."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing

import torch

from attnlogic.backend import OnProgress, Training, checked
from attnlogic.history import History
from attnlogic.outcomes import Outcome, concatenate
from attnlogic.problems import Params, pack, unpack
from attnlogic.settings import whole
from attnlogic_torch import training as training_loop
from attnlogic_torch.optimizers import record
from attnlogic_torch.parallel import Workers, train_one


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
        record(checked(training).optimizer)
        whole("jobs", jobs, low=1)

    def train(
        self,
        training: Training,
        initial: Params,
        *,
        jobs: int = 1,
        on_progress: OnProgress | None = None,
    ) -> Iterator[Outcome]:
        """Train each seed, giving the outcomes one by one; see ``Backend.train``.

        With ``jobs`` above 1 a script must start its work under ``if __name__ == "__main__"``, as
        ever where Python spawns processes.
        """
        self.check(training, jobs)
        starts = [unpack(values) for values in zip(*pack(initial), strict=True)]
        return self._train(checked(training), starts, int(jobs), on_progress)

    def _train(
        self,
        training: Training,
        starts: Sequence[Params],
        jobs: int,
        on_progress: OnProgress | None,
    ) -> Iterator[Outcome]:
        outcomes: Generator[Outcome, None, None]
        if min(jobs, len(starts)) > 1:
            outcomes = self._workers.train(training, starts, jobs, on_progress)
        else:
            outcomes = (train_one(training, start, on_progress) for start in starts)
        with closing(outcomes):
            for outcome in outcomes:
                yield concatenate([outcome])

    def history(
        self, training: Training, initial: Params, *, on_progress: OnProgress | None = None
    ) -> Iterator[History]:
        """Train one seed, keeping every loss; see ``Backend.history``."""
        self.check(training, 1)
        return training_loop.history(checked(training), initial, on_progress)


TORCH = TorchBackend()
