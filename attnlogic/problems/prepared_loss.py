"""A user's loss over a pytree, as a loss over packed floats.

JAX is imported when something is asked of it, not with this file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from attnlogic.errors import InputError
from attnlogic.problems.architecture import Tensor
from attnlogic.problems.own_code import KEYS, first_argument, takes, users_code

if TYPE_CHECKING:
    from attnlogic.problems.data import Data
    from attnlogic.problems.own_loss import OwnLoss
    from attnlogic.problems.pytrees import Pytree

SEEDS_AT_ONCE = 512
"""Seeds drawn at once, always: a seed's parameters must not depend on how many stand beside it."""


class Drawn(NamedTuple):
    """What seed 0 shows of ``init``.

    Attributes:
      form: of the pytree that it returns.
      traced: whether JAX can trace it. Else it is called with one seed after the other.
    """

    form: Pytree
    traced: bool


@dataclass(frozen=True)
class PreparedLoss:
    """A user's loss over P packed floats.

    Attributes:
      own: the loss.
      data: what it is fitted to, if anything.
    """

    own: OwnLoss
    data: Data | None = None

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The pytree's leaves that are floats; each entry's name is its path and index."""
        return self._drawn.form.tensors

    @property
    def size(self) -> int:
        """P, the number of floats."""
        return sum(len(tensor.entries) for tensor in self.tensors)

    def unravel(self, packed: Any) -> Any:
        """The pytree of P packed floats, (P,), in their dtype. JAX can trace it."""
        return self._drawn.form.unravel(packed)

    def ravel(self, params: Any) -> Any:
        """The inverse of ``unravel``.

        Raises:
          InputError: the pytree has another form than that of ``init``.
        """
        packed, form = self._packed(params)
        if form.tensors != self.tensors:
            raise InputError(f"parameters of '{self.own}': expected a pytree as init returns it")
        return packed

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
        flat = np.asarray(seeds, np.uint32).reshape(-1)
        draw = self._together if self._drawn.traced else self._one_by_one
        found = np.empty((self.size, flat.size), np.float32)
        for start in range(0, flat.size, SEEDS_AT_ONCE):
            block = flat[start : start + SEEDS_AT_ONCE]
            found[:, start : start + block.size] = draw(block)
        for row, column in np.argwhere(~np.isfinite(found))[:1]:
            names = [entry for tensor in self.tensors for entry in tensor.entries]
            raise InputError(
                f"model '{self.own}': init gives {names[row]} = {found[row, column]} "
                f"for seed {flat[column]}: expected a finite number"
            )
        return found

    def check(self) -> None:
        """Raise an ``InputError`` unless seed 0 starts, and the loss is one real number."""
        import jax
        import jax.numpy as jnp

        own, data = self.own, self.data
        if data is None and own.needs_data:
            raise InputError(f"model '{own}' needs a gate or data to be fitted to")
        if data is not None and not own.takes_data:
            raise InputError(f"model '{own}' is loss(params) and has no use for '{data}'")
        self.initial([0])
        shapes: list[tuple[int, ...]] = [(self.size,)]
        if data is not None:
            shapes += [(len(data.inputs), data.n), (len(data.targets),)]
        with jax.enable_x64(False), users_code(f"model '{own}': loss"):
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

    @cached_property
    def _drawn(self) -> Drawn:
        import jax

        forms: list[Pytree] = []

        def init(seed: Any) -> Any:
            packed, form = self._packed(self._tree(seed))
            forms.append(form)
            return packed

        with jax.enable_x64(False), users_code(f"model '{self.own}': init"):
            try:
                jax.eval_shape(init, np.uint32(0))
            except InputError:
                raise
            except Exception:  # JAX cannot trace it, or it is wrong: a plain seed shows which
                init(0)
                return Drawn(forms[-1], traced=False)
        return Drawn(forms[-1], traced=True)

    def _tree(self, seed: Any) -> Any:
        """What ``init`` returns for a seed, a number or a tracer."""
        import jax
        import jax.numpy as jnp

        own = self.own
        argument = jax.random.key(seed) if first_argument(own.init) in KEYS else seed
        if takes(own.init, 1):
            return own.init(argument)
        inputs = () if self.data is None else self.data.inputs
        return own.init(argument, jnp.asarray(inputs, jnp.float32))

    @staticmethod
    def _packed(tree: Any) -> tuple[Any, Pytree]:
        from attnlogic.problems.pytrees import packed

        return packed(tree)

    @cached_property
    def _compiled(self) -> Callable[[Any], Any]:
        import jax

        return jax.jit(jax.vmap(lambda seed: self._packed(self._tree(seed))[0]))

    def _together(self, seeds: npt.NDArray[np.uint32]) -> npt.NDArray[np.float32]:
        import jax

        with jax.enable_x64(False):
            drawn = np.asarray(self._compiled(np.resize(seeds, SEEDS_AT_ONCE)))
        return drawn.T[:, : seeds.size].astype(np.float32)

    def _one_by_one(self, seeds: npt.NDArray[np.uint32]) -> npt.NDArray[np.float32]:
        import jax

        columns = []
        for seed in seeds.tolist():
            with jax.enable_x64(False), users_code(f"model '{self.own}': init"):
                packed, form = self._packed(self._tree(seed))
            if form.tensors != self.tensors:
                raise InputError(
                    f"model '{self.own}': init gives another structure for seed {seed} than for "
                    "seed 0: expected the same leaves with the same shapes"
                )
            columns.append(np.asarray(packed, np.float32))
        return np.stack(columns, axis=1)
