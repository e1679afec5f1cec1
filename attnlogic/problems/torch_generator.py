"""torch's random generator, without torch, for many seeds at once.

torch seeds MT19937 with ``init_genrand(s mod 2^32)`` and draws from its tempered outputs. Each of
the first 227 outputs needs only the words k, k+1 and k+397 of the seeded state; for more of them
the whole state is kept. The recurrences are run for all seeds side by side.

Reference: Matsumoto and Nishimura, "Mersenne Twister", ACM TOMACS 8(1), 1998.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Seeds = npt.NDArray[np.uint32]
Words = npt.NDArray[np.uint32]
Draws = npt.NDArray[np.float32]

_WORDS, _SHIFT = 624, 397  # MT19937's n and m: word k of a state mixes k, k+1 and k+m of the last

_FROM_SEED = _WORDS - _SHIFT  # outputs that mix no word of the state they belong to: 227

_FILL = 16  # torch draws a tensor of so many normals, or more, in blocks of so many


class TorchGenerator(NamedTuple):
    """torch's generator after ``torch.manual_seed(seed)``, for each of N seeds.

    Attributes:
      seeds: shape (N,).
    """

    seeds: Seeds

    def uniform(self, bounds: Sequence[float]) -> Draws:
        """What ``nn.init.uniform_(p, -bound, bound)`` draws for one scalar p after the other.

        A tensor is drawn as its scalars are, row by row.

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

    def normal(self, sizes: Sequence[int], scale: float) -> Draws:
        """What ``nn.init.normal_(p, std=scale)`` draws for one tensor p after the other.

        torch draws tensors of fewer than 16 entries one number after the other, the second of a
        pair kept for the next such tensor, and larger ones in blocks of 16.

        Args:
          sizes: the number of entries of each p; K altogether.
          scale: the standard deviation.

        Returns:
          Shape (K, N): torch's. Logarithms and cosines of two libraries may differ by a rounding:
          of a float64 in small tensors, of a float32 in large ones.
        """
        plan = _plan(sizes)
        drawn = outputs(self.seeds, plan.outputs)
        normals = np.empty((sum(sizes), self.seeds.size), np.float32)
        if len(plan.pairs):
            normals[plan.singles] = (_pairs(drawn, plan.pairs)[: len(plan.singles)] * scale).astype(
                np.float32
            )
        for at, first in plan.blocks:  # in order: the last of a tensor may redraw what others drew
            normals[at : at + _FILL] = _block(drawn[first : first + _FILL], scale)
        return normals


class _Plan(NamedTuple):
    """Which outputs of the generator make which normals: the same for every seed.

    Attributes:
      outputs: how many outputs are drawn.
      singles: the normals that are drawn in pairs, one after the other.
      pairs: the first of the four outputs that make each pair.
      blocks: the first normal and the first output of each block of 16.
    """

    outputs: int
    singles: list[int]
    pairs: list[int]
    blocks: list[tuple[int, int]]


def _plan(sizes: Sequence[int]) -> _Plan:
    singles: list[int] = []
    pairs: list[int] = []
    blocks: list[tuple[int, int]] = []
    normal = output = 0
    for size in sizes:
        if size < _FILL:
            for i in range(size):
                if len(singles) == 2 * len(pairs):  # no second one of a pair is left over
                    pairs.append(output)
                    output += 4
                singles.append(normal + i)
        else:
            starts = range(0, size - _FILL + 1, _FILL)
            blocks += [(normal + start, output + start) for start in starts]
            output += size
            if size % _FILL:  # the last 16 are drawn again, from 16 outputs of their own
                blocks.append((normal + size - _FILL, output))
                output += _FILL
        normal += size
    return _Plan(output, singles, pairs, blocks)


def _pairs(drawn: Words, firsts: Sequence[int]) -> npt.NDArray[np.float64]:
    """Standard normals in pairs, by Box and Muller, from two uniforms of 53 bits: (2·pairs, N)."""
    first = np.asarray(firsts)
    words = drawn.astype(np.uint64)
    u, v = (
        ((words[first + i] << np.uint64(32) | words[first + i + 1]) & np.uint64(2**53 - 1))
        * 2.0**-53
        for i in (0, 2)
    )
    radius, angle = np.sqrt(-2 * np.log1p(-v)), 2 * np.pi * u
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return pairs.reshape(2 * len(first), -1)


def _block(drawn: Words, scale: float) -> Draws:
    """Sixteen normals, by Box and Muller, from sixteen uniforms of 24 bits, all in float32."""
    u = (drawn & np.uint32(0xFFFFFF)).astype(np.float32) * np.float32(2.0**-24)
    # NumPy's logarithm of a float32 is further from torch's than that of a float64.
    logarithm = np.log(1 - u[:8].astype(np.float64)).astype(np.float32)
    radius = np.sqrt(np.float32(-2) * logarithm)
    angle = np.float32(2 * np.pi) * u[8:]
    normals = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])
    return normals * np.float32(scale)


def outputs(seeds: Seeds, count: int) -> Words:
    """The first ``count`` outputs of MT19937 seeded with each seed: shape (count, N)."""
    if count > _FROM_SEED:
        return _many(seeds, count)
    head = np.empty((count + 1, seeds.size), np.uint32)  # words 0 … count
    tail = np.empty((count, seeds.size), np.uint32)  # words 397 … 397+count-1
    word, shifted = seeds.copy(), np.empty_like(seeds)
    head[0] = word
    for i in range(1, _SHIFT + count):
        _step(word, shifted, i)
        if i <= count:
            head[i] = word
        if i >= _SHIFT:
            tail[i - _SHIFT] = word
    return _temper(_mixed(head[:-1], head[1:], tail))


def _many(seeds: Seeds, count: int) -> Words:
    """``outputs`` for any count: the state as a whole, replaced after every 624 of them."""
    state = np.empty((_WORDS, seeds.size), np.uint32)
    word, shifted = seeds.copy(), np.empty_like(seeds)
    state[0] = word
    for i in range(1, _WORDS):
        _step(word, shifted, i)
        state[i] = word
    found = np.empty((count, seeds.size), np.uint32)
    for start in range(0, count, _WORDS):
        _twist(state)
        part = found[start : start + _WORDS]
        part[:] = _temper(state[: len(part)].copy())
    return found


def _step(word: Words, shifted: Words, i: int) -> None:
    """Word i of init_genrand from the one before, in its place."""
    np.right_shift(word, 30, out=shifted)
    word ^= shifted
    word *= np.uint32(1812433253)
    word += np.uint32(i)


def _twist(state: Words) -> None:
    """The next state, in its place: from k = 227 on, word k+397 is one of the next already."""
    for start in range(0, _WORDS - 1, _FROM_SEED):
        stop = min(start + _FROM_SEED, _WORDS - 1)
        there = (start + _SHIFT) % _WORDS
        state[start:stop] = _mixed(
            state[start:stop], state[start + 1 : stop + 1], state[there : there + stop - start]
        )
    state[-1] = _mixed(state[-1], state[0], state[_SHIFT - 1])


def _mixed(word: Words, following: Words, shifted: Words) -> Words:
    """A word of the next state, from words k, k+1 and k+397."""
    y = (word & np.uint32(0x80000000)) | (following & np.uint32(0x7FFFFFFF))
    mixed: Words = shifted ^ (y >> np.uint32(1)) ^ ((y & np.uint32(1)) * np.uint32(0x9908B0DF))
    return mixed


def _temper(y: Words) -> Words:
    """MT19937's tempering; changes its argument."""
    y ^= y >> np.uint32(11)
    y ^= (y << np.uint32(7)) & np.uint32(0x9D2C5680)
    y ^= (y << np.uint32(15)) & np.uint32(0xEFC60000)
    y ^= y >> np.uint32(18)
    return y
