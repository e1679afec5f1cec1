"""A user's loss over a pytree, as a loss over packed floats.

JAX is imported when something is asked of it, not with this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from attnlogic.errors import InputError
from attnlogic.outside import takes, users_code
from attnlogic.problems.architecture import Tensor
from attnlogic.problems.own_code import check_data
from attnlogic.problems.pytree_starts import Starts, starts
from attnlogic.problems.pytrees import packed

if TYPE_CHECKING:
    from attnlogic.problems.datasets import Data
    from attnlogic.problems.own_loss import OwnLoss


@dataclass(frozen=True)
class PreparedLoss:
    """A user's loss over P packed floats.

    Attributes:
      own: the loss.
      data: what it is fitted to, if anything.
    """

    own: OwnLoss
    data: Data | None = None

    @cached_property
    def _starts(self) -> Starts:
        check_data(self.own, self.data)
        asks = not takes(self.own.init, 1)
        return starts(self.own, self.data.inputs if asks and self.data is not None else None)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The pytree's leaves that are floats; each entry's name is its path and index."""
        return self._starts.drawn.form.tensors

    @property
    def size(self) -> int:
        """P, the number of floats."""
        return sum(len(tensor.entries) for tensor in self.tensors)

    def unravel(self, packed: Any) -> Any:
        """The pytree of P packed floats, (P,), in their dtype. JAX can trace it."""
        return self._starts.drawn.form.unravel(packed)

    def ravel(self, params: Any) -> Any:
        """The inverse of ``unravel``.

        Raises:
          InputError: the pytree has another form than that of ``init``.
        """
        floats, form = packed(params)
        if form.tensors != self.tensors:
            raise InputError(f"parameters of '{self.own}': expected a pytree as init returns it")
        return floats

    def loss(self, packed: Any, x: Any = None, y: Any = None) -> Any:
        """The loss of P packed floats, (P,), in their dtype: a scalar. JAX can trace it.

        Args:
          packed: the parameters.
          x, y: inputs (rows, n) and targets (rows,), where it has data; of the same dtype.
        """
        params = self.unravel(packed)
        return self.own.loss(params) if x is None else self.own.loss(params, x, y)

    def initial(self, seeds: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Where runs start: (P, N) for seeds (N,), float32.

        Raises:
          InputError: ``init`` gives a NaN, an infinity, or another structure for another seed.
        """
        return self._starts.initial(np.asarray(seeds, np.uint32).reshape(-1))

    def check(self) -> None:
        """Raise an ``InputError`` unless seed 0 starts, and the loss is one real number."""
        import jax
        import jax.numpy as jnp

        own, data = self.own, self.data
        self.initial([0])
        shapes: list[tuple[int, ...]] = [(self.size,)]
        if data is not None:
            shapes += [(len(data.inputs), data.n), (len(data.targets),)]
        with users_code(f"model '{own}': loss"), jax.enable_x64(False):
            got = jax.eval_shape(self.loss, *(jnp.zeros(shape) for shape in shapes))
        if not isinstance(got, jax.ShapeDtypeStruct):
            told = type(got).__name__
        elif got.shape != () or not jnp.issubdtype(got.dtype, jnp.floating):
            told = f"shape {got.shape} of {got.dtype}"
        else:
            return
        raise InputError(
            f"model '{own}': expected a loss that is one real number, got {told}: "
            "return its mean or its sum"
        )
