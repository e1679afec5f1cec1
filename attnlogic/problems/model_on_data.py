"""A problem, what is trained: a model on data. It is all that a backend sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from attnlogic.errors import InputError, described
from attnlogic.problems.architecture import Model, Quantity, Tensor, Value, flat, names, nested
from attnlogic.problems.datasets import NO_DATA, Data, data
from attnlogic.problems.gates import Gate
from attnlogic.problems.models import model
from attnlogic.problems.own import AnyModel
from attnlogic.problems.own_model import check_model
from attnlogic.problems.random_starts import initialization

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from attnlogic.problems.own_module import PreparedModule
    from attnlogic.problems.prepared_loss import PreparedLoss
    from attnlogic.problems.random_starts import Initialization


@dataclass(frozen=True, repr=False)
class Problem:
    """A model on data.

    Its parameters are packed: an array of shape (P, …) with a row for each scalar, in the order of
    ``names``.

    Attributes:
      model: the model: arithmetic, or a loss or module of a user's own.
      data: the rows that it is to fit; ``NO_DATA`` where the loss is of the parameters alone.

    Raises:
      InputError: the model is arithmetic and there is no data.
    """

    model: AnyModel
    data: Data = NO_DATA

    def __post_init__(self) -> None:
        if self.data == NO_DATA and isinstance(self.model, Model):
            raise InputError(f"model '{self.model}' needs a gate or data to be fitted to")

    @property
    def framework(self) -> str | None:
        """The only framework that can train it, ``"jax"`` or ``"torch"``; None: any."""
        return None if isinstance(self.model, Model) else self.model.framework

    @cached_property
    def prepared(self) -> PreparedLoss | PreparedModule:
        """What trains a model of a user's own that is no arithmetic.

        Raises:
          TypeError: the model is arithmetic.
        """
        if isinstance(self.model, Model):
            raise TypeError(f"{self.model} is arithmetic: there is nothing to prepare")
        return self.model.prepared(None if self.data == NO_DATA else self.data)

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """The tensors that are trained."""
        if isinstance(self.model, Model):
            return self.model.tensors(self.data.n)
        return self.prepared.tensors

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of its P scalars."""
        return names(self.tensors)

    @property
    def kind(self) -> tuple[Any, ...]:
        """What is compiled in. Problems of one kind differ in their targets alone."""
        return (self.model, self.data.inputs)

    @property
    def own(self) -> tuple[Quantity, ...]:
        """The numbers that are the model's own."""
        return self.model.quantities if isinstance(self.model, Model) else ()

    @property
    def formula(self) -> str:
        """The model's output in one line; of a user's own loss or module, where it is defined."""
        return self.model.formula if isinstance(self.model, Model) else str(self.model)

    def unpack(self, packed: Any) -> Any:
        """The parameters as the model takes them, from their P scalars.

        A loss of a user's own takes a pytree, from an array (P,). A module's are a dict: a tensor's
        name -> its scalars, nested in tuples.
        """
        if not isinstance(self.model, Model):
            return self.prepared.unravel(packed)
        unpacked = self.model.unpack
        return unpacked(packed) if unpacked else nested(self.tensors, packed)

    def pack(self, params: Any) -> tuple[Value, ...]:
        """The inverse of ``unpack``.

        Raises:
          InputError: there are not P scalars.
        """
        if not isinstance(self.model, Model):
            return tuple(self.prepared.ravel(params))
        scalars = _scalars(params)
        if len(scalars) != len(self.names):
            raise InputError(
                f"parameters of {self.model}: expected {len(self.names)} "
                f"({', '.join(self.names[:8])}{', …' if self.names[8:] else ''}), "
                f"got {len(scalars)}"
            )
        # unpack may have moved them: a range tells where each one came from.
        came_from = _scalars(self.unpack(range(len(scalars))))
        pairs = zip(came_from, scalars, strict=True)
        return tuple(scalar for _, scalar in sorted(pairs, key=itemgetter(0)))

    def predict(self, packed: Sequence[Value], x: Sequence[Value], xp: Any = None) -> Value:
        """The output of an arithmetic model for one row of inputs.

        Args:
          packed: its P scalars, each of shape S.
          x: the inputs, one value each.
          xp: the array namespace; see ``namespaces``.

        Returns:
          The output, of shape S.

        Raises:
          TypeError: the model is a user's own loss or module.
        """
        if not isinstance(self.model, Model):
            raise TypeError(f"{self.model} is no arithmetic: it has a loss and no output")
        return self.model.predict(self.unpack(packed), x, xp)

    def quantities(self, packed: Sequence[Value]) -> dict[str, Value]:
        """The numbers that are the model's own, by name."""
        own = self.own
        return {q.name: q.of(self.unpack(packed)) for q in own} if own else {}

    def initial(
        self, seeds: npt.ArrayLike, init: str | Initialization = "torch"
    ) -> npt.NDArray[np.float32]:
        """Where runs start: packed parameters, (P, N) for seeds (N,), (P,) for one.

        Args:
          seeds: whole numbers in 0 … 2^32-1.
          init: how they are drawn. ``torch`` is the model's own: a user's ``init`` or module.

        Raises:
          InputError: as ``initial_params``; or a user's own gives what cannot be trained.
        """
        from attnlogic.problems.initial_parameters import checked_seeds, drawn

        if isinstance(self.model, Model) or initialization(init).name != "torch":
            return drawn(self.tensors, seeds, init)
        array = checked_seeds(seeds)
        return self.prepared.initial(array).reshape(-1, *array.shape)

    def check(self) -> None:
        """Raise an ``InputError`` if a model of a user's own cannot be trained on this."""
        if not isinstance(self.model, Model):
            self.prepared.check()
        elif not self.model.family:
            check_model(self.model, self.data)

    def __repr__(self) -> str:
        return f"<problem {self.data} · {self.model}>"

    def __str__(self) -> str:
        if self.data == NO_DATA:
            return str(self.model)
        return str(self.data) if self.model.name == "attention" else f"{self.data} · {self.model}"


def _scalars(params: Any) -> tuple[Value, ...]:
    """All scalars of parameters; None stands for what a model has not."""
    return tuple(value for value in flat(params) if value is not None)


def problem(
    what: str | Gate | Data | Problem | None = None,
    of: object = "attention",
    encoding: str = "01",
) -> Problem:
    """A problem from what is to be learnt and by which model.

    Args:
      what: a gate, its name or bit string, or ``Data``; a ``Problem``, returned as it is; or None
        where the model is a loss of its parameters alone.
      of: a model, or how one is written; see ``model``.
      encoding: see ``data``.

    Raises:
      InputError: something of that is unknown or of the wrong type, or a model of a user's own
        cannot be trained on it.

    Example:
      >>> problem("xor").names
      ('wq', 'wk', 'wv', 'w1', 'w2', 'b')
    """
    if isinstance(what, Problem):
        return what
    if what is not None and not isinstance(what, str | Gate | Data):
        raise InputError(f"gate: expected a name such as 'xor', got {described(what)}")
    found = Problem(model(of), NO_DATA if what is None else data(what, encoding))
    found.check()
    return found
