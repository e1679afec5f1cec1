"""The backends: the models' own modules, many seeds at once, or one seed after the other."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy.typing as npt
import torch

from attnlogic.backend import Batch, Finished, OnProgress, Training, check_framework, checked
from attnlogic.errors import InputError
from attnlogic.history import History
from attnlogic.settings import whole
from attnlogic_torch import training as training_loop
from attnlogic_torch.devices import check_device, cores, in_words
from attnlogic_torch.evaluation import why_alone
from attnlogic_torch.foreign_trial import try_optimizer
from attnlogic_torch.layout import cut, one_by_one
from attnlogic_torch.optimizers import record
from attnlogic_torch.parallel import Workers, check_can_be_sent
from attnlogic_torch.together import train_together
from attnlogic_torch.worker import Work


class TorchBackend:
    """Trains the notebook's module with torch's optimizers. See ``attnlogic.backend.Backend``.

    It works with one thread a process, and leaves torch's threads, default dtype and random
    generator as they were.

    Args:
      name: the name under which it is registered.
      plain: train one seed at a time, by the notebook's loop: the reference. Else many at once,
        where the optimizer steps each parameter by itself and ``torch.func.vmap`` takes the model.
      device: where many seeds are trained at once: ``"cpu"``, ``"cuda"``, ``"mps"`` or another of
        torch's; one seed at a time is trained on the CPU.

    Raises:
      InputError: torch cannot use the device here.
    """

    def __init__(self, name: str = "torch", *, plain: bool = False, device: str = "cpu") -> None:
        check_device(device)
        self.name, self._plain, self._device = name, plain, device
        self._workers = Workers()

    @property
    def default_jobs(self) -> int:
        """The processes of ``attnlogic study`` when no number is asked for: one a core."""
        return cores()

    def on(self, device: str) -> TorchBackend:
        """The same on another device.

        Raises:
          InputError: torch cannot use it here; or seeds are trained one at a time.
        """
        if self._plain:
            raise InputError(f"the {self.name} backend trains on the CPU: leave --device out")
        return TorchBackend(self.name, device=device)

    def devices(self) -> list[str]:
        """The device that trains many seeds at once."""
        return [in_words(self._device)]

    def versions(self) -> dict[str, str]:
        """torch's."""
        return {"torch": str(torch.__version__)}

    def default_seeds(self, training: Training) -> int:
        """500 where many are trained at once; 16 where one is, and 2 by the notebook's loop."""
        if self._plain:
            return 2
        return 500 if self._why_alone(training) is None else 16

    def check(self, training: Training, jobs: int) -> None:
        """Refuse numbers that make no sense; see ``Backend.check``."""
        done = checked(training)
        record(done.optimizer)
        check_framework(done, "torch")
        if done.precision == "float64" and torch.device(self._device).type == "mps":
            raise InputError("device mps has no float64: use float32, or another device")
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
        """Train each run, giving them chunk by chunk; see ``Backend.train``.

        With ``jobs`` above 1 a script must start its work under ``if __name__ == "__main__"``, as
        ever where Python spawns processes.
        """
        for training in batch.trainings:
            self.check(training, jobs)
        return self._train(batch, int(jobs), on_progress)

    def _train(self, batch: Batch, jobs: int, on_progress: OnProgress | None) -> Iterator[Finished]:
        works = self._works(batch, jobs)
        if min(jobs, len(works)) > 1:
            yield from self._workers.train(works, jobs, on_progress)
            return
        for work in works:
            yield Finished(work.first, work.train(work.batch, on_progress))

    def _works(self, batch: Batch, jobs: int) -> list[Work]:
        """The batch in parts, and how each is trained."""
        training = batch.trainings[0]
        if (why := self._why_alone(training)) is not None:
            if why:
                warnings.warn(
                    f"model '{training.problem.model}' is trained one seed at a time, which takes "
                    f"long: {why}",
                    stacklevel=2,
                )
            return [Work(first, training_loop.train_alone, one) for first, one in one_by_one(batch)]
        train = partial(train_together, device=self._device)
        return [Work(first, train, some) for first, some in cut(batch, jobs, self._device)]

    def _why_alone(self, training: Training) -> str | None:
        """Why seeds are trained one at a time, in words where the model is why, else empty.

        None where many are trained at once.
        """
        if self._plain or not record(training.optimizer).stacks:
            return ""
        return why_alone(training.problem, training.precision, self._device)

    def history(
        self,
        training: Training,
        initial: npt.NDArray[Any],
        *,
        on_progress: OnProgress | None = None,
    ) -> Iterator[History]:
        """Train one seed, keeping every loss, by the notebook's loop; see ``Backend.history``."""
        self.check(training, 1)
        return training_loop.history(checked(training), initial, on_progress)


TORCH = TorchBackend()
"""Many seeds at once."""

PLAIN = TorchBackend("torch-plain", plain=True)
"""One seed at a time, by the notebook's loop."""
