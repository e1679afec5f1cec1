"""torch's random generator, without torch, for many seeds at once.

torch seeds MT19937 with ``init_genrand(s mod 2^32)`` and draws from its tempered outputs, so a few
words of the state are enough: output k needs the words k, k+1 and k+397 of the seeded state. The
recurrence is run for all seeds side by side.

Reference: Matsumoto and Nishimura, "Mersenne Twister", ACM TOMACS 8(1), 1998.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Seeds = npt.NDArray[np.uint32]
Draws = npt.NDArray[np.float32]

_SHIFT = 397  # MT19937's m: output k mixes the words k, k+1 and k+397


class TorchGenerator(NamedTuple):
    """torch's generator after ``torch.manual_seed(seed)``, for each of N seeds.

    Attributes:
      seeds: shape (N,).
    """

    seeds: Seeds

    def uniform(self, bounds: Sequence[float]) -> Draws:
        """What ``nn.init.uniform_(p, -bound, bound)`` draws for one scalar p after the other.

        Args:
          bounds: one for each p; K of them.

        Returns:
          Shape (K, N): bit for bit torch's.
        """
        half_widths = np.asarray(bounds, np.float32)[:, None]
        # torch computes u·(to - from) + from in float32 with one rounding (a fused multiply-add);
        # in float64 nothing is rounded until the end, for u has 24 bits.
        u = (outputs(self.seeds, len(bounds)) & np.uint32(0xFFFFFF)) * 2.0**-24
        return (u * (2 * half_widths).astype(np.float64) - half_widths).astype(np.float32)

    def normal(self, count: int, scale: float) -> Draws:
        """What ``nn.init.normal_(p, std=scale)`` draws for one scalar p after the other.

        torch's Box-Muller: two uniforms of 53 bits, of two outputs each, make two normals.

        Args:
          count: how many p there are; an even number.
          scale: the standard deviation.

        Returns:
          Shape (count, N): torch's, but for the last bit where two libraries' cosines differ.
        """
        drawn = outputs(self.seeds, 2 * count)
        high, low = drawn[0::2].astype(np.uint64), drawn[1::2].astype(np.uint64)
        u = (((high << np.uint64(32)) | low) & np.uint64(2**53 - 1)) * 2.0**-53
        radius, angle = np.sqrt(-2 * np.log1p(-u[1::2])), 2 * np.pi * u[0::2]
        pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        return (pairs.reshape(count, -1) * scale).astype(np.float32)


def outputs(seeds: Seeds, count: int) -> npt.NDArray[np.uint32]:
    """The first ``count`` outputs of MT19937 seeded with each seed: shape (count, N)."""
    head = np.empty((count + 1, seeds.size), np.uint32)  # words 0 … count
    tail = np.empty((count, seeds.size), np.uint32)  # words 397 … 397+count-1
    word, shifted = seeds.copy(), np.empty_like(seeds)
    head[0] = word
    for i in range(1, _SHIFT + count):  # init_genrand
        np.right_shift(word, 30, out=shifted)
        word ^= shifted
        word *= np.uint32(1812433253)
        word += np.uint32(i)
        if i <= count:
            head[i] = word
        if i >= _SHIFT:
            tail[i - _SHIFT] = word
    y = (head[:-1] & np.uint32(0x80000000)) | (head[1:] & np.uint32(0x7FFFFFFF))
    y = tail ^ (y >> np.uint32(1)) ^ ((y & np.uint32(1)) * np.uint32(0x9908B0DF))
    return _temper(y)


def _temper(y: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """MT19937's tempering; changes its argument."""
    y ^= y >> np.uint32(11)
    y ^= (y << np.uint32(7)) & np.uint32(0x9D2C5680)
    y ^= (y << np.uint32(15)) & np.uint32(0xEFC60000)
    y ^= y >> np.uint32(18)
    return y
