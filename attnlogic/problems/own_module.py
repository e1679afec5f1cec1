"""A torch module of a user's own, with its loss. torch is imported when one is prepared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from attnlogic.errors import InputError, described
from attnlogic.outside import takes, users_code
from attnlogic.problems.architecture import Tensor, flat, nested
from attnlogic.problems.own_code import check_callable, check_data, name_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from attnlogic.problems.datasets import Data


def mean_squared_error_of(module: Any, x: Any, y: Any) -> Any:
    """The mean squared error of a module with one output a row.

    Args:
      module: called with inputs (rows, n); gives (rows, 1) or (rows,).
      x: the inputs, (rows, n).
      y: the targets, (rows,).

    Returns:
      The loss, a scalar.
    """
    outputs = module(x)
    if tuple(outputs.shape) not in ((len(y),), (len(y), 1)):
        raise InputError(
            f"expected one output a row, ({len(y)}, 1), got {tuple(outputs.shape)}: "
            "give a loss of your own"
        )
    return ((outputs.reshape(len(y)) - y) ** 2).mean()


@dataclass(frozen=True)
class OwnModule:
    """A torch module and its loss; it runs on the torch backend alone.

    Attributes:
      construct: called without arguments after ``torch.manual_seed(seed)``: gives the module, an
        ``nn.Module`` whose parameters are trained. The class itself, for one without arguments.
      loss: ``loss(module)`` or ``loss(module, x, y)``: inputs (rows, n), targets (rows,); a scalar.
        Without one it is ``mean_squared_error_of``.
      name: how it is written.

    Raises:
      InputError: one of the two is no function of that form.
    """

    construct: Callable[[], Any]
    loss: Callable[..., Any] = mean_squared_error_of
    name: str = ""
    framework: ClassVar[str] = "torch"

    def __post_init__(self) -> None:
        check_callable("construct", self.construct)
        check_callable("loss", self.loss)
        if not self.name:
            object.__setattr__(self, "name", name_of(self.construct))
        if not takes(self.loss, 1) and not takes(self.loss, 3):
            raise InputError(f"model '{self.name}': expected loss(module) or loss(module, x, y)")

    @property
    def takes_data(self) -> bool:
        """Whether the loss has room for the inputs and targets of a gate."""
        return takes(self.loss, 3)

    @property
    def needs_data(self) -> bool:
        """Whether the loss cannot do without them."""
        return not takes(self.loss, 1)

    def build(self, seed: int) -> Any:
        """The module of a seed. torch's own generator is left as it was.

        Raises:
          InputError: ``construct`` raises, or returns no ``nn.Module``.
        """
        import torch

        with torch.random.fork_rng(devices=[]), users_code(f"model '{self}': construct"):
            torch.manual_seed(seed)
            module = self.construct()
        if not isinstance(module, torch.nn.Module):
            raise InputError(
                f"model '{self}': expected a torch.nn.Module from construct, "
                f"got {described(module)}"
            )
        if any(map(torch.nn.parameter.is_lazy, module.parameters())):
            raise InputError(
                f"model '{self}': a parameter gets its shape at the first call: give its layer the "
                "number of inputs"
            )
        return module

    def prepared(self, data: Data | None = None) -> PreparedModule:
        """Its parameters packed, and its loss of them; ``check`` of that tries it with seed 0.

        Args:
          data: what it is fitted to, if anything.
        """
        return PreparedModule(self, data)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class PreparedModule:
    """A user's module as packed floats: a run is its parameters and nothing else.

    Attributes:
      own: the module.
      data: what it is fitted to, if anything.
    """

    own: OwnModule
    data: Data | None = None

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """The module's parameters, in torch's order; each entry's name has its index."""
        from attnlogic.problems.pytrees import entry_names

        return tuple(
            entry_names(name, tuple(parameter.shape))
            for name, parameter in self.own.build(0).named_parameters()
        )

    @property
    def size(self) -> int:
        """P, the number of floats."""
        return sum(len(tensor.entries) for tensor in self.tensors)

    def unravel(self, packed: Any) -> dict[str, Any]:
        """A parameter's name -> its scalars, nested in tuples, from all P of them."""
        return nested(self.tensors, packed)

    def ravel(self, params: Any) -> tuple[Any, ...]:
        """The inverse of ``unravel``."""
        return flat(params)

    def loss(self, module: Any, x: Any = None, y: Any = None) -> Any:
        """The loss of a module, a scalar tensor.

        Args:
          module: the module.
          x, y: inputs (rows, n) and targets (rows,), where it has data; of the module's dtype.
        """
        return self.own.loss(module) if x is None else self.own.loss(module, x, y)

    def initial(self, seeds: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Where runs start: (P, N) for seeds (N,), float32.

        Raises:
          InputError: a parameter is NaN or infinite, or the module differs from that of seed 0.
        """
        import numpy as np

        flat = np.asarray(seeds, np.uint32).reshape(-1)
        found = np.empty((self.size, flat.size), np.float32)
        shapes = [(tensor.name, tensor.shape) for tensor in self.tensors]
        for column, seed in enumerate(flat.tolist()):
            named = [*self.own.build(seed).named_parameters()]
            if [(name, tuple(parameter.shape)) for name, parameter in named] != shapes:
                raise InputError(
                    f"model '{self.own}': the module of seed {seed} has other parameters than that "
                    "of seed 0: expected the same names and shapes"
                )
            start = 0
            for name, parameter in named:
                values = parameter.detach().reshape(-1).float().cpu().numpy()
                if not np.isfinite(values).all():
                    raise InputError(
                        f"model '{self.own}': {name} holds {values[~np.isfinite(values)][0]} "
                        f"for seed {seed}: expected finite numbers"
                    )
                found[start : start + values.size, column] = values
                start += values.size
        return found

    def check(self) -> None:
        """Raise an ``InputError`` unless seed 0 starts, and the loss is one real number."""
        import torch

        own, data = self.own, self.data
        check_data(own, data)
        module = own.build(0)
        self._check_parameters(module)
        self.initial([0])
        given = () if data is None else (data.inputs, data.targets)
        rows = [torch.tensor(numbers, dtype=torch.float32) for numbers in given]
        with torch.random.fork_rng(devices=[]), users_code(f"model '{own}': loss"):
            got, again = (self.loss(module.float(), *rows) for _ in range(2))
        if not isinstance(got, torch.Tensor):
            told = described(got)
        elif got.shape != () or not got.is_floating_point():
            told = f"shape {tuple(got.shape)} of {got.dtype}"
        elif got.grad_fn is None:
            told = "one without a gradient"
        elif not torch.equal(got, again) and not got.isnan():
            told = "two values at the same parameters (dropout or noise)"
        else:
            return
        raise InputError(f"model '{own}': expected a loss that is one real number, got {told}")

    def _check_parameters(self, module: Any) -> None:
        """Refuse what packed floats cannot hold."""
        import torch

        own = self.own
        for name, parameter in module.named_parameters():
            if not parameter.is_floating_point() or not parameter.requires_grad:
                raise InputError(
                    f"model '{own}': expected parameters that are floats and are trained, got "
                    f"{name} of {parameter.dtype}, requires_grad={parameter.requires_grad}"
                )
        if not self.size:
            raise InputError(f"model '{own}' has no parameters to train")
        other = dict(own.build(1).named_buffers())
        for name, buffer in module.named_buffers():
            if name not in other or not torch.equal(buffer, other[name]):
                raise InputError(
                    f"model '{own}': the buffer {name} depends on the seed: make it a parameter"
                )
