"""Where runs of a user's loss start: the pytree that ``init`` returns for each seed, packed.

JAX is imported when a start is drawn, not with this file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from attnlogic.errors import InputError
from attnlogic.outside import users_code
from attnlogic.problems.own_code import KEYS, first_argument
from attnlogic.problems.pytrees import Pytree, packed

if TYPE_CHECKING:
    from attnlogic.problems.own_loss import OwnLoss

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
class Starts:
    """The starts of a user's loss.

    Attributes:
      own: the loss.
      inputs: the rows of inputs that its ``init`` asks for; None where it does not.
    """

    own: OwnLoss
    inputs: tuple[tuple[float, ...], ...] | None

    @cached_property
    def drawn(self) -> Drawn:
        """The form of every start.

        Raises:
          InputError: ``init`` raises, or returns what cannot be trained.
        """
        import jax

        forms: list[Pytree] = []

        def init(seed: Any) -> Any:
            floats, form = packed(self._tree(seed))
            forms.append(form)
            return floats

        with self._users_code(), jax.enable_x64(False):
            try:
                jax.eval_shape(init, np.uint32(0))
            except InputError:
                raise
            except Exception:  # JAX cannot trace it, or it is wrong: a plain seed shows which
                init(0)
                return Drawn(forms[-1], traced=False)
        return Drawn(forms[-1], traced=True)

    def initial(self, seeds: npt.NDArray[np.uint32]) -> npt.NDArray[np.float32]:
        """The packed starts, (P, N), of seeds (N,).

        Raises:
          InputError: ``init`` gives a NaN, an infinity, or another structure for another seed.
        """
        names = [entry for tensor in self.drawn.form.tensors for entry in tensor.entries]
        draw = self._together if self.drawn.traced else self._one_by_one
        found = np.empty((len(names), seeds.size), np.float32)
        for start in range(0, seeds.size, SEEDS_AT_ONCE):
            block = seeds[start : start + SEEDS_AT_ONCE]
            found[:, start : start + block.size] = draw(block)
        for row, column in np.argwhere(~np.isfinite(found))[:1]:
            raise InputError(
                f"model '{self.own}': init gives {names[row]} = {found[row, column]} "
                f"for seed {seeds[column]}: expected a finite number"
            )
        return found

    def _tree(self, seed: Any) -> Any:
        """What ``init`` returns for a seed, a number or a tracer."""
        import jax
        import jax.numpy as jnp

        init = self.own.init
        argument = jax.random.key(seed) if first_argument(init) in KEYS else seed
        if self.inputs is None:
            return init(argument)
        return init(argument, jnp.asarray(self.inputs, jnp.float32))

    def _users_code(self) -> Any:
        return users_code(f"model '{self.own}': init")

    @cached_property
    def _compiled(self) -> Callable[[Any], Any]:
        import jax

        return jax.jit(jax.vmap(lambda seed: packed(self._tree(seed))[0]))

    def _together(self, seeds: npt.NDArray[np.uint32]) -> npt.NDArray[np.float32]:
        import jax

        with self._users_code(), jax.enable_x64(False):
            floats = np.asarray(self._compiled(np.resize(seeds, SEEDS_AT_ONCE)))
        return floats.T[:, : seeds.size].astype(np.float32)

    def _one_by_one(self, seeds: npt.NDArray[np.uint32]) -> npt.NDArray[np.float32]:
        import jax

        columns = []
        for seed in seeds.tolist():
            with self._users_code(), jax.enable_x64(False):
                floats, form = packed(self._tree(seed))
            if form.tensors != self.drawn.form.tensors:
                raise InputError(
                    f"model '{self.own}': init gives another structure for seed {seed} than for "
                    "seed 0: expected the same leaves with the same shapes"
                )
            columns.append(np.asarray(floats, np.float32))
        return np.stack(columns, axis=1)


@cache  # gates with the same rows share what is compiled
def starts(own: OwnLoss, inputs: tuple[tuple[float, ...], ...] | None) -> Starts:
    """The starts of a user's loss, where its ``init`` asks for inputs or not."""
    return Starts(own, inputs)
