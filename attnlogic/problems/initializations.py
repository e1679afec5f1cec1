"""Where runs start: torch's own random draws, without torch, for many seeds at once.

Seed s means the parameters that the notebook's module has after ``torch.manual_seed(s)``, bit for
bit. torch seeds MT19937 with ``init_genrand(s mod 2^32)`` and draws from its tempered outputs, so a
few words of the state are enough: output k needs the words k, k+1 and k+397 of the seeded state.
The recurrence is run for all seeds side by side.

Reference: Matsumoto and Nishimura, "Mersenne Twister", ACM TOMACS 8(1), 1998.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from attnlogic import settings as spec
from attnlogic.errors import InputError, unknown
from attnlogic.problems.model import Params, unpack

SEED_LIMIT = 2**32
"""Seeds are the whole numbers from 0 up to, and not including, this one."""

_SCALE_LIMIT = 1e37  # within float32's range, whatever is drawn

_SHIFT = 397  # MT19937's m: output k mixes the words k, k+1 and k+397
_BLOCK = 16_384  # seeds worked on at once: the few arrays of a block stay in a core's cache

_DEFAULTS: dict[str, dict[str, spec.Setting]] = {
    "torch": {},
    "uniform": {"scale": 1.0},
    "normal": {"scale": 1.0},
}
DESCRIPTIONS = {
    "torch": "nn.Linear's own: wq, wk, wv uniform in ±1; w1, w2, b uniform in ±1/√2",
    "uniform": "all six uniform in ±scale",
    "normal": "all six normal with mean 0 and standard deviation scale",
}


@dataclass(frozen=True)
class Initialization:
    """How the six parameters are drawn from a seed.

    Attributes:
      name: ``"torch"``, ``"uniform"`` or ``"normal"``.
      scale: half-width of the uniform, standard deviation of the normal; None for ``"torch"``.
    """

    name: str = "torch"
    scale: float | None = None

    def __str__(self) -> str:
        settings: dict[str, spec.Setting] = {} if self.scale is None else {"scale": self.scale}
        return spec.write(self.name, settings, _DEFAULTS[self.name])


def initialization(text: str | Initialization) -> Initialization:
    """Read ``torch``, ``uniform(scale=2)`` or ``normal(scale=0.5)``.

    Raises:
      InputError: the name or a setting is unknown, or the scale is not positive.
    """
    if isinstance(text, Initialization):
        return text
    name, given = spec.parse("initialization", text)
    if name not in _DEFAULTS:
        raise unknown("initialization", name, _DEFAULTS)
    settings = spec.complete("initialization", name, given, _DEFAULTS[name])
    scale = settings.get("scale")
    if scale is not None and not 1 / _SCALE_LIMIT <= scale <= _SCALE_LIMIT:
        raise InputError(
            f"{name}(scale={scale:g}): expected a scale above 0, "
            f"in {1 / _SCALE_LIMIT:g} … {_SCALE_LIMIT:g}"
        )
    return Initialization(name, None if scale is None else float(scale))


def initial(
    seeds: npt.ArrayLike, initialization: Initialization = Initialization("torch")
) -> Params:
    """The initial parameters of each seed.

    A seed's parameters depend on that seed alone, not on its neighbours or on how seeds are cut
    into chunks. ``uniform`` is ``torch.nn.init.uniform_(p, -scale, scale)`` and ``normal`` is
    ``torch.nn.init.normal_(p, std=scale)`` on the six parameters in the order of ``model.NAMES``
    after ``torch.manual_seed(seed)``.

    Args:
      seeds: whole numbers in 0 … 2^32-1; shape (N,), or () for one seed.
      initialization: how they are drawn.

    Returns:
      ``Params`` whose leaves are float32 arrays of the shape of ``seeds``.

    Raises:
      InputError: a seed is out of range or not a whole number.
    """
    array = _checked(seeds)
    flat = array.reshape(-1)
    values = np.empty((6, flat.size), np.float32)
    for start in range(0, flat.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        values[:, block] = _draw(flat[block], initialization)
    return unpack(tuple(v.reshape(array.shape) for v in values))


def _checked(seeds: npt.ArrayLike) -> npt.NDArray[np.uint32]:
    array = np.asarray(seeds)
    if array.size == 0:  # of any dtype: NumPy gives [] that of a float
        return array.astype(np.uint32)
    if array.dtype.kind not in "ui":
        raise InputError(f"seeds are whole numbers, got {array.dtype} values")
    for seed in (int(array.min()), int(array.max())):
        if not 0 <= seed < SEED_LIMIT:
            raise InputError(f"a seed lies in 0 … {SEED_LIMIT - 1}, got {seed}")
    return array.astype(np.uint32)


def _draw(seeds: npt.NDArray[np.uint32], how: Initialization) -> npt.NDArray[np.float32]:
    """Six float32 draws for each seed: shape (6, N)."""
    scale = 1.0 if how.scale is None else how.scale
    if how.name == "normal":
        return _normal(_outputs(seeds, 12), scale)
    if how.name == "uniform":
        bounds = np.full((6, 1), scale, np.float32)
    else:  # nn.Linear: 1/sqrt(fan_in), where fan_in is 1 for wq, wk, wv and 2 for the readout
        bounds = np.repeat(np.array([1, 1 / np.sqrt(2)], np.float32), 3)[:, None]
    # torch computes u·(to - from) + from in float32 with one rounding (a fused multiply-add); in
    # float64 nothing is rounded until the end, for u has 24 bits.
    u = (_outputs(seeds, 6) & np.uint32(0xFFFFFF)) * 2.0**-24
    return (u * (2 * bounds).astype(np.float64) - bounds).astype(np.float32)


def _normal(outputs: npt.NDArray[np.uint32], scale: float) -> npt.NDArray[np.float32]:
    """torch's Box-Muller: two 53-bit uniforms (two outputs each) make two normals."""
    high, low = outputs[0::2].astype(np.uint64), outputs[1::2].astype(np.uint64)
    u = (((high << np.uint64(32)) | low) & np.uint64(2**53 - 1)) * 2.0**-53
    radius, angle = np.sqrt(-2 * np.log1p(-u[1::2])), 2 * np.pi * u[0::2]
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return (pairs.reshape(6, -1) * scale).astype(np.float32)


def _outputs(seeds: npt.NDArray[np.uint32], count: int) -> npt.NDArray[np.uint32]:
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


def _temper(y: npt.NDArray[np.uint32]) -> npt.NDArray[Any]:
    y ^= y >> np.uint32(11)
    y ^= (y << np.uint32(7)) & np.uint32(0x9D2C5680)
    y ^= (y << np.uint32(15)) & np.uint32(0xEFC60000)
    return y ^ (y >> np.uint32(18))
