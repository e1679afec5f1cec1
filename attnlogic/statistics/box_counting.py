"""How rough a border in a plane is: where it lies, and its box-counting dimension.

N(s) boxes of s × s points hold a part of the border. A smooth line has N ∝ s⁻¹, an area s⁻²; the
dimension is the slope of log N over log 1/s.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from attnlogic.errors import InputError

Cells = npt.NDArray[np.bool_]

RESAMPLES = 2000
"""How often tiles are drawn anew for the interval."""

MIN_TILES = 16
"""Tiles from which an interval is drawn, at least."""


class Dimension(NamedTuple):
    """A box-counting dimension with its interval, and what it was taken from.

    Attributes:
      value: the slope by least squares.
      low, high: the interval.
      sizes: the boxes' sides in points, ascending.
      counts: how many boxes of each size hold a part of the border.
    """

    value: float
    low: float
    high: float
    sizes: tuple[int, ...]
    counts: tuple[int, ...]


def border(codes: npt.NDArray[np.generic]) -> Cells:
    """The points that differ from their neighbour to the right or in the next row: (Y, X)."""
    found = np.zeros(codes.shape, bool)
    found[:, :-1] |= codes[:, :-1] != codes[:, 1:]
    found[:-1] |= codes[:-1] != codes[1:]
    return found


def dimension(edge: Cells, *, level: float = 0.95, seed: int = 0, largest: int = 64) -> Dimension:
    """The box-counting dimension of a border.

    Sizes are powers of two from 2 to ``largest``. The interval is a bootstrap over tiles of
    ``largest`` × ``largest`` points: they are drawn with replacement, counted and fitted anew; it
    ends at the quantiles (1 ∓ level)/2. It says how much the border differs from place to place.

    Args:
      edge: see ``border``; what does not fill a tile is left out.
      level: of the interval.
      seed: of the draws.
      largest: the largest box, a power of two.

    Raises:
      InputError: fewer than ``MIN_TILES`` tiles, or none with a border.

    Example:
      >>> line = np.zeros((512, 512), bool)
      >>> line[100] = True
      >>> round(dimension(line).value, 3)
      1.0
    """
    sizes = [2**k for k in range(1, largest.bit_length())]
    Y, X = (side // largest for side in edge.shape)
    if Y * X < MIN_TILES or not edge[: Y * largest, : X * largest].any():
        raise InputError(
            f"expected a border in at least {MIN_TILES} tiles of {largest} × {largest} points, got "
            f"{edge.shape[1]} × {edge.shape[0]} points with {int(edge.sum())} of a border"
        )
    tiles = edge[: Y * largest, : X * largest].reshape(Y, largest, X, largest).swapaxes(1, 2)
    each = np.stack([_count(tiles.reshape(-1, largest, largest), s) for s in sizes], axis=1)
    draws = np.random.default_rng(seed).integers(len(each), size=(RESAMPLES, len(each)))
    totals = np.stack([each[draw].sum(axis=0) for draw in draws])
    slopes = _slope(sizes, totals[totals[:, -1] > 0])
    low, high = np.quantile(slopes, [(1 - level) / 2, (1 + level) / 2])
    total = each.sum(axis=0)
    value = float(_slope(sizes, total[None])[0])
    return Dimension(value, float(low), float(high), tuple(sizes), tuple(total.tolist()))


def _count(tiles: Cells, size: int) -> npt.NDArray[np.int64]:
    """How many boxes of a size hold a part of the border, in each tile: (T, n, n) to (T,)."""
    T, n = tiles.shape[:2]
    boxes = tiles.reshape(T, n // size, size, n // size, size)
    found: npt.NDArray[np.int64] = boxes.any(axis=(2, 4)).sum(axis=(1, 2))
    return found


def _slope(sizes: list[int], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The slopes of log N over log 1/s by least squares: (R, S) to (R,)."""
    x = -np.log(sizes)
    x -= x.mean()
    found: npt.NDArray[np.float64] = np.log(counts) @ x / (x @ x)
    return found


def busiest(edge: Cells, shrink: int) -> tuple[slice, slice]:
    """The window with most of a border, of a ``shrink``-th of each side: rows and columns."""
    sides = [max(2, side // shrink) for side in edge.shape]
    total = np.zeros((edge.shape[0] + 1, edge.shape[1] + 1), np.int64)
    total[1:, 1:] = edge.cumsum(axis=0).cumsum(axis=1)
    h, w = sides
    inside = total[h:, w:] - total[:-h, w:] - total[h:, :-w] + total[:-h, :-w]
    row, column = np.unravel_index(inside.argmax(), inside.shape)
    return slice(int(row), int(row) + h), slice(int(column), int(column) + w)
