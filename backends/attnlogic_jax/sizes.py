"""How many seeds are trained at once: by a device, and by a core of a CPU."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import NamedTuple


class Sizes(NamedTuple):
    """Limits by JAX's name of the platform.

    Attributes:
      chunk: seeds in a chunk for each device. On a CPU they are enough to make what Python adds to
        each chunk small, elsewhere to keep the device busy.
      group: seeds that a core of a CPU takes through all epochs at once, so that their state stays
        in its cache. A platform that is not named takes a whole chunk.
    """

    chunk: Mapping[str, int]
    group: Mapping[str, int]

    def of_chunk(self, platform: str, parameters: int) -> int:
        """Seeds in a chunk for each device, at most."""
        return _fewer(self.chunk.get(platform, self.chunk["gpu"]), parameters)

    def of_group(self, platform: str, parameters: int) -> int:
        """Seeds trained at once, at most."""
        return _fewer(self.group.get(platform, sys.maxsize), parameters)


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
