"""A loss of a user's own over any JAX pytree."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from attnlogic.errors import InputError
from attnlogic.outside import takes
from attnlogic.problems.own_code import check_callable, name_of

if TYPE_CHECKING:
    from attnlogic.problems.datasets import Data
    from attnlogic.problems.prepared_loss import PreparedLoss


def squared_error(params: Any, x: Any, y: Any) -> Any:
    """The mean squared error of parameters that are a function of one row, as Equinox's modules.

    Args:
      params: called with a row of inputs, (n,); gives a number or an array of one.
      x: the inputs, (rows, n).
      y: the targets, (rows,).

    Returns:
      The loss, a scalar.
    """
    import jax

    outputs = jax.vmap(params)(x)
    if math.prod(outputs.shape) != len(y):
        raise InputError(
            f"expected one output a row, got an array of shape {outputs.shape[1:]}: "
            "give a loss of your own"
        )
    return ((outputs.reshape(len(y)) - y) ** 2).mean()


@dataclass(frozen=True)
class OwnLoss:
    """A loss over any JAX pytree; it runs on the jax backend alone.

    Attributes:
      init: ``init(key)``, where that argument is called key, rng or prng: it is
        ``jax.random.key(seed)``; else ``init(seed)``, a scalar uint32. A second argument without a
        default is the inputs, (rows, n). The floats of the pytree that it returns are trained.
      loss: ``loss(params)`` or ``loss(params, x, y)``: inputs (rows, n), targets (rows,); a scalar.
        Everything has the dtype of the training. Without one it is ``squared_error``.
      name: how it is written.

    Raises:
      InputError: one of the two is no function of that form.

    Example:
      >>> own = OwnLoss(lambda seed: {"w": seed / 2.0**32}, lambda p: (p["w"] - 1) ** 2, "parabola")
      >>> own.prepared().tensors[0].entries
      ('w',)
    """

    init: Callable[..., Any]
    loss: Callable[..., Any] = squared_error
    name: str = ""
    framework: ClassVar[str] = "jax"

    def __post_init__(self) -> None:
        check_callable("init", self.init)
        check_callable("loss", self.loss)
        if not self.name:
            named = self.init if self.loss is squared_error else self.loss
            object.__setattr__(self, "name", name_of(named))
        if not takes(self.loss, 1) and not takes(self.loss, 3):
            raise InputError(f"model '{self.name}': expected loss(params) or loss(params, x, y)")
        if not takes(self.init, 1) and not takes(self.init, 2):
            raise InputError(f"model '{self.name}': expected init(key), init(seed) or init(key, x)")

    @property
    def takes_data(self) -> bool:
        """Whether the loss has room for the inputs and targets of a gate."""
        return takes(self.loss, 3)

    @property
    def needs_data(self) -> bool:
        """Whether the loss, or init, cannot do without them."""
        return not takes(self.loss, 1) or not takes(self.init, 1)

    def prepared(self, data: Data | None = None) -> PreparedLoss:
        """Its parameters packed, and its loss of them; ``check`` of that tries it with seed 0.

        Args:
          data: what it is fitted to, if anything.
        """
        from attnlogic.problems.prepared_loss import PreparedLoss

        return PreparedLoss(self, data)

    def __str__(self) -> str:
        return self.name
