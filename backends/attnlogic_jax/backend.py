"""The backend: thousands of seeds at once, with jit-compiled code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from attnlogic.backend import (
    Batch,
    Finished,
    OnProgress,
    Points,
    Training,
    check_framework,
    checked,
)
from attnlogic.errors import InputError
from attnlogic.history import History
from attnlogic_jax import parallel, points, traces
from attnlogic_jax.devices import cores, devices, here
from attnlogic_jax.optimizers import check_optimizer

if TYPE_CHECKING:
    from attnlogic_jax.differences import Difference


class JaxBackend:
    """Trains seeds side by side. See ``attnlogic.backend.Backend``."""

    name = "jax"

    def devices(self) -> list[str]:
        """JAX's devices: those of its default platform, or a user's default device."""
        on_cpu = f" ({cores()} cores)"
        return [
            d.device_kind + (on_cpu if d.platform == "cpu" else f" ({d.platform}:{d.id})")
            for d in devices()
        ]

    def versions(self) -> dict[str, str]:
        """JAX's and optax's."""
        return {name: version(name) for name in ("jax", "jaxlib", "optax")}

    def default_seeds(self, training: Training) -> int:
        """A thousand, whatever the training."""
        return 1000

    def check(self, training: Training, jobs: int) -> None:
        """Refuse what makes no sense, what this backend lacks, and more than one job.

        JAX itself uses every core.
        """
        done = checked(training)
        check_framework(done, self.name)
        check_optimizer(done)
        if type(jobs) is not int or jobs != 1:
            raise InputError(
                f"the jax backend uses all cores in one process, got --jobs {jobs}: leave it out"
            )
        here().check(done.precision)

    def differences(self) -> list[Difference]:
        """Where optax's own optimizers differ from torch's, which this backend follows.

        Raises:
          InputError: torch is not installed.
        """
        from attnlogic_jax.differences import differences

        return differences()

    def prepare(self, batch: Batch) -> Callable[[], None]:
        """What compiles the code that training a batch takes; for any thread."""
        return parallel.prepare(batch)

    def train(
        self,
        batch: Batch,
        *,
        jobs: int = 1,
        on_progress: OnProgress | None = None,
    ) -> Iterator[Finished]:
        """Train each run, giving them chunk by chunk; see ``Backend.train``."""
        for training in batch.trainings:
            self.check(training, jobs)
        return parallel.train(batch, on_progress)

    def train_points(
        self, given: Points, *, on_progress: OnProgress | None = None
    ) -> Iterator[Finished]:
        """Train runs with settings of their own; see ``PointBackend.train_points``."""
        self.check(given.training, 1)
        return points.train(given, on_progress)

    def history(
        self,
        training: Training,
        initial: npt.NDArray[Any],
        *,
        on_progress: OnProgress | None = None,
    ) -> Iterator[History]:
        """Train one seed, keeping every loss; see ``Backend.history``."""
        self.check(training, 1)
        return traces.history(checked(training), initial, on_progress)


JAX = JaxBackend()
