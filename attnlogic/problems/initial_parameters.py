"""Where runs start: the initial parameters of each seed.

Seed s means the parameters that the notebook's module has after ``torch.manual_seed(s)``, bit for
bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from attnlogic.errors import InputError
from attnlogic.problems.architecture import Tensor, names
from attnlogic.problems.neuron import Params, tensors, unpack
from attnlogic.problems.random_starts import INITIALIZATIONS, Initialization, initialization
from attnlogic.problems.torch_generator import Seeds, TorchGenerator

SEED_LIMIT = 2**32
"""Seeds are the whole numbers from 0 up to, and not including, this one."""

SEEDS_AT_ONCE = 16_384
"""Seeds drawn at once: the few arrays that it takes stay in a core's cache."""


def initial_params(seeds: npt.ArrayLike, init: str | Initialization = "torch") -> Params:
    """The initial parameters of each seed.

    A seed's parameters depend on that seed alone, not on its neighbours or on how seeds are cut
    into chunks. ``uniform`` is ``torch.nn.init.uniform_(p, -scale, scale)`` and ``normal`` is
    ``torch.nn.init.normal_(p, std=scale)`` on the six parameters in the order of ``neuron.NAMES``
    after ``torch.manual_seed(seed)``.

    Args:
      seeds: whole numbers in 0 … 2^32-1; shape (N,), or () for one seed.
      init: how they are drawn.

    Returns:
      ``Params`` whose leaves are float32 arrays of the shape of ``seeds``.

    Raises:
      InputError: a seed is out of range or not a whole number, or there is no such initialisation.

    Example:
      >>> initial_params(range(3)).wq
      array([-0.00748682,  0.5152632 ,  0.22939014], dtype=float32)
    """
    return unpack(tuple(drawn(tensors(2), seeds, init)))


def drawn(
    trained: Sequence[Tensor], seeds: npt.ArrayLike, init: str | Initialization = "torch"
) -> npt.NDArray[np.float32]:
    """The initial values of all scalars of some tensors: see ``initial_params``.

    Args:
      trained: the tensors, in the order in which they are drawn.
      seeds: whole numbers in 0 … 2^32-1; shape (N,), or () for one seed.
      init: how they are drawn.

    Returns:
      Shape (P, N), or (P,).

    Raises:
      InputError: as ``initial_params``.
    """
    how = initialization(init)
    draw, settings = INITIALIZATIONS[how.name].draw, how.settings
    array = checked_seeds(seeds)
    flat = array.reshape(-1)
    values = np.empty((len(names(trained)), flat.size), np.float32)
    for start in range(0, flat.size, SEEDS_AT_ONCE):
        block = slice(start, start + SEEDS_AT_ONCE)
        values[:, block] = draw(TorchGenerator(flat[block]), trained, settings)
    return values.reshape(len(values), *array.shape)


def checked_seeds(seeds: npt.ArrayLike) -> Seeds:
    """Seeds as an array of uint32, of their shape.

    Raises:
      InputError: a seed is out of range or not a whole number.
    """
    try:
        array = np.asarray(seeds)
    except (TypeError, ValueError) as error:
        raise InputError(f"seeds: expected an array of whole numbers, got none: {error}") from error
    if array.size == 0:  # of any dtype: NumPy gives [] that of a float
        return array.astype(np.uint32)
    if array.dtype.kind not in "ui":
        raise InputError(f"seeds are whole numbers, got {array.dtype} values")
    for seed in (int(array.min()), int(array.max())):
        if not 0 <= seed < SEED_LIMIT:
            raise InputError(f"a seed lies in 0 … {SEED_LIMIT - 1}, got {seed}")
    return array.astype(np.uint32)
