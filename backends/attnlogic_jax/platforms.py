"""Every choice that depends on the platform, as a function of a ``Platform`` that is passed in.

Only ``devices.here`` asks JAX where it runs. So code for a GPU or a TPU can be made, and looked at,
on a machine that has neither (``jax.export``).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import jax

from attnlogic.errors import InputError, unknown

NAMES = {"cpu": "cpu", "gpu": "gpu", "cuda": "gpu", "rocm": "gpu", "tpu": "tpu"}
"""Platforms by the names that JAX knows them by. One that is not listed is treated as a GPU is."""

UNROLL = {"gpu": 4}
"""Epochs that are compiled into one step of the loop. With four a GPU keeps the state in registers
in between: AdamW is 1.4 times as fast on an H200 as with one, and no faster with eight or sixteen.
A CPU gains nothing, and on a TPU it has not been tried."""

MEMORY_SHARE = 0.5
"""The share of a device's memory that a chunk may fill: its arrays are twice there while runs that
go on are moved to a smaller chunk."""


@dataclass(frozen=True)
class Platform:
    """A kind of device, and what there is of it.

    Attributes:
      name: as JAX names it, see ``NAMES``.
      devices: those that share the seeds of a chunk. Code for one device needs none.
      memory: bytes of one device, at least; None where that sets no limit or is not known.
      cores: cores of this process. Neither memory nor cores are compiled in, and two platforms that
        differ in these alone are equal.

    Example:
      >>> Platform("cpu").unroll, Platform("cuda").unroll
      (1, 4)
    """

    name: str
    devices: tuple[jax.Device, ...] = ()
    memory: int | None = field(default=None, compare=False)
    cores: int = field(default=1, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", NAMES.get(self.name, self.name))

    @property
    def shares(self) -> int:
        """Among how many devices the seeds of a chunk are shared."""
        return max(1, len(self.devices))

    @property
    def by_core(self) -> bool:
        """Whether a core takes one group of seeds after the other, each through all its epochs.

        So it is on a CPU: a group's state stays in the core's cache, code for one core waits for no
        other core (``xla.on_one_core``), and the other cores train other chunks meanwhile. Other
        devices take all groups at once.
        """
        return self.name == "cpu"

    @property
    def workers(self) -> int:
        """How many chunks are trained side by side, each by a thread.

        One chunk at a time keeps any other device busy, and several devices.
        """
        return self.cores if self.by_core and self.shares == 1 else 1

    @property
    def needs_barriers(self) -> bool:
        """Whether what is read twice needs a barrier to be made once.

        XLA's CPU compiler makes it anew for each of its readers. Other compilers choose themselves.
        """
        return self.name == "cpu"

    @property
    def unroll(self) -> int:
        """Epochs that are compiled into one step of the loop."""
        return UNROLL.get(self.name, 1)

    @property
    def matmul_precision(self) -> str | None:
        """The precision of float32's matrix products unless the user chose one; None for JAX's.

        A user's own loss has such products. By default a GPU rounds their factors to TF32, with 10
        bits, and a TPU to bfloat16, with 7: rows would be another study's.

        Reference: https://docs.jax.dev/en/latest/201/precision.html
        """
        return None if self.name == "cpu" else "highest"

    def check(self, precision: str) -> None:
        """Refuse what the platform cannot do.

        Raises:
          InputError: float64 on a TPU.
        """
        if self.name == "tpu" and precision == "float64":
            raise InputError(
                "a TPU has no float64, and XLA's stand-in for it, two float32s, neither its range "
                "nor its rounding: leave --precision out, or train on the CPU (JAX_PLATFORMS=cpu)"
            )


def named(name: str) -> Platform:
    """One device of a platform.

    Raises:
      InputError: JAX has no such platform.
    """
    if name not in NAMES:
        raise unknown("platform", name, NAMES)
    return Platform(name)


class Sizes(NamedTuple):
    """How many seeds are trained at once, at most, by platform.

    Attributes:
      chunk: seeds in a chunk for each device. On a CPU they are enough to make what Python adds to
        each chunk small, elsewhere to keep the device busy.
      group: seeds that a core of a CPU takes through all epochs at once, so that their state stays
        in its cache. A platform that is not named takes a whole chunk.
    """

    chunk: Mapping[str, int]
    group: Mapping[str, int]

    def of_chunk(self, platform: Platform, parameters: int, seed_bytes: int = 0) -> int:
        """Seeds in a chunk for each device, at most.

        Args:
          platform: with the memory of a device, if that sets a limit.
          parameters: of the model.
          seed_bytes: memory that a seed takes.
        """
        busy = _fewer(self.chunk.get(platform.name, self.chunk["gpu"]), parameters)
        if platform.memory is None or not seed_bytes:
            return busy
        return max(1, min(busy, int(platform.memory * MEMORY_SHARE) // seed_bytes))

    def of_group(self, platform: Platform, parameters: int) -> int:
        """Seeds trained at once, at most."""
        return _fewer(self.group.get(platform.name, sys.maxsize), parameters)


USUAL_PARAMETERS = 16
"""Parameters up to which the limits hold as they are; with more, fewer seeds fill the cache."""


def _fewer(seeds: int, parameters: int) -> int:
    return max(1, seeds * USUAL_PARAMETERS // max(parameters, USUAL_PARAMETERS))


USUAL = Sizes({"cpu": 16_384, "gpu": 1_048_576, "tpu": 1_048_576}, {"cpu": 128})
"""Of 128 seeds with 16 parameters, state, gradient and statistics are about 40 KiB: a core's first
cache. Groups of 512 take a tenth to a fifth more CPU time, whatever the model and the optimizer."""

WITH_HISTORY = Sizes({"cpu": 512, "gpu": 65_536, "tpu": 65_536}, {"cpu": 64})
"""For L-BFGS, whose history is a hundred times the parameters, and where all seeds of a group go on
until the last of them is done."""
