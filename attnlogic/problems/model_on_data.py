"""A problem, what is trained: a model on data. It is all that a backend sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from attnlogic.errors import InputError, described
from attnlogic.problems.architecture import Model, Tensor, Value, flat, names, nested
from attnlogic.problems.data import Data, data
from attnlogic.problems.gates import Gate
from attnlogic.problems.models import model

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from attnlogic.problems.initializations import Initialization


@dataclass(frozen=True)
class Problem:
    """A model on data.

    Its parameters are packed: an array of shape (P, …) with a row for each scalar, in the order of
    ``names``.

    Attributes:
      model: the model.
      data: the rows that it is to fit.
    """

    model: Model
    data: Data

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """The tensors that are trained."""
        return self.model.tensors(self.data.n)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of its P scalars."""
        return names(self.tensors)

    @property
    def kind(self) -> tuple[Any, ...]:
        """What is compiled in. Problems of one kind differ in their targets alone."""
        return (self.model, self.data.inputs)

    def unpack(self, packed: Sequence[Value]) -> Any:
        """The parameters as the model takes them, from their P scalars."""
        unpacked = self.model.unpack
        return unpacked(packed) if unpacked else nested(self.tensors, packed)

    def pack(self, params: Any) -> tuple[Value, ...]:
        """The inverse of ``unpack``.

        Raises:
          InputError: there are not P scalars.
        """
        scalars = tuple(value for value in flat(params) if value is not None)
        if len(scalars) != len(self.names):
            raise InputError(
                f"parameters of {self.model}: expected {len(self.names)} "
                f"({', '.join(self.names[:8])}{', …' if self.names[8:] else ''}), "
                f"got {len(scalars)}"
            )
        return scalars

    def predict(self, packed: Sequence[Value], x: Sequence[Value], xp: Any = None) -> Value:
        """The model's output for one row of inputs."""
        return self.model.predict(self.unpack(packed), x, xp)

    def quantities(self, packed: Sequence[Value]) -> dict[str, Value]:
        """The numbers that are the model's own, by name."""
        own = self.model.quantities
        return {q.name: q.of(self.unpack(packed)) for q in own} if own else {}

    def initial(
        self, seeds: npt.ArrayLike, init: str | Initialization = "torch"
    ) -> npt.NDArray[np.float32]:
        """Where runs start: packed parameters, (P, N) for seeds (N,), (P,) for one.

        Raises:
          InputError: as ``initial_params``.
        """
        from attnlogic.problems.initial_parameters import drawn

        return drawn(self.tensors, seeds, init)

    def __str__(self) -> str:
        return str(self.data) if self.model.name == "attention" else f"{self.data} · {self.model}"


def problem(
    what: str | Gate | Data | Problem,
    of: str | Model = "attention",
    encoding: str = "01",
) -> Problem:
    """A problem from what is to be learnt and by which model.

    Args:
      what: a gate, its name or bit string, or ``Data``; or a ``Problem``, returned as it is.
      of: a model, or how one is written.
      encoding: see ``data``.

    Raises:
      InputError: something of that is unknown or of the wrong type.

    Example:
      >>> problem("xor").names
      ('wq', 'wk', 'wv', 'w1', 'w2', 'b')
    """
    if isinstance(what, Problem):
        return what
    if not isinstance(what, str | Gate | Data):
        raise InputError(f"gate: expected a name such as 'xor', got {described(what)}")
    return Problem(model(of), data(what, encoding))
