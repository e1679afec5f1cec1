"""The torch module of every model, built and initialised by torch.

Constructing one after ``torch.manual_seed(s)`` draws what ``Problem.initial(s)`` gives: the
order of ``parameters()`` is that of the model's tensors.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from attnlogic.errors import InputError
from attnlogic.grammar import Value
from attnlogic.problems import AnyModel, Model, OwnLoss, OwnModule, nested
from attnlogic_torch.model import RawAttention, RawAttentionWithTopNeuron
from attnlogic_torch.namespace import TORCH


class SoftmaxAttention(RawAttention):
    """Attention on scalar tokens, through a softmax but not scaled: ``softmax(Q Kᵀ) V``."""

    def forward(self, x: Tensor) -> Tensor:
        """Attended tokens, (batch, tokens), from tokens of that shape and the weights' dtype."""
        tokens = x.unsqueeze(-1)
        scores = self.Wq(tokens) @ self.Wk(tokens).transpose(-2, -1)  # (batch, tokens, tokens)
        attended: Tensor = torch.softmax(scores, dim=-1) @ self.Wv(tokens)
        return attended.squeeze(-1)


class Attention(nn.Module):
    """``RawAttentionWithTopNeuron`` for any number of tokens, and its variations.

    Args:
      inputs: the number of tokens.
      residual: whether the tokens are added to what was attended.
      bias: whether the readout has a bias.
      scores: ``"raw"`` or ``"softmax"``.
      heads: attentions whose results are added.
    """

    def __init__(
        self,
        inputs: int,
        *,
        residual: bool = True,
        bias: bool = True,
        scores: str = "raw",
        heads: int = 1,
    ) -> None:
        super().__init__()
        head = RawAttention if scores == "raw" else SoftmaxAttention
        if heads == 1:
            self.raw_attention = head()
        else:
            self.heads = nn.ModuleList(head() for _ in range(heads))
        self.residual = residual
        self.attn_out = nn.Linear(inputs, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """The output, (batch, 1), from a row of tokens each, (batch, tokens)."""
        heads = self.heads if hasattr(self, "heads") else [self.raw_attention]
        attended = sum(head(x) for head in heads)
        out: Tensor = self.attn_out(attended + x if self.residual else attended)
        return out


class Arithmetic(nn.Module):
    """A model of a user's own: the model's tensors as parameters, its arithmetic as ``forward``.

    Each parameter is drawn by ``nn.init.uniform_`` in ±1/√fan_in, in the order of the tensors.

    Args:
      model: the model.
      inputs: the number of inputs.
    """

    def __init__(self, model: Model, inputs: int) -> None:
        super().__init__()
        self._model, self._tensors = model, model.tensors(inputs)
        for tensor in self._tensors:
            bound = tensor.fan_in**-0.5
            parameter = nn.Parameter(torch.empty(tensor.shape).uniform_(-bound, bound))
            self._owner(tensor.name).register_parameter(tensor.name.split(".")[-1], parameter)

    def _owner(self, name: str) -> nn.Module:
        """The module that has a parameter of this dotted name, made where there is none."""
        owner: nn.Module = self
        for part in name.split(".")[:-1]:
            if part not in owner._modules:
                owner.add_module(part, nn.Module())
            owner = owner.get_submodule(part)
        return owner

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, nn.Parameter]]:
        """As ``nn.Module``'s, in the order of the tensors: torch has those without a dot first."""
        found = dict(super().named_parameters(prefix, recurse, remove_duplicate))
        for tensor in self._tensors:
            name = f"{prefix}.{tensor.name}" if prefix else tensor.name
            if name in found:
                yield name, found[name]

    def forward(self, x: Tensor) -> Tensor:
        """The output, (batch, 1), from a row of inputs each, (batch, inputs)."""
        scalars = [scalar for p in self.parameters() for scalar in p.reshape(-1).unbind()]
        unpack = self._model.unpack
        params = unpack(scalars) if unpack else nested(self._tensors, scalars)
        output = self._model.predict(params, x.unbind(-1), TORCH)
        return torch.as_tensor(output, dtype=x.dtype).expand(x.shape[:-1]).unsqueeze(-1)


def _attention(inputs: int, settings: dict[str, Value]) -> nn.Module:
    if inputs == 2 and settings == {"residual": True, "bias": True, "scores": "raw", "heads": 1}:
        return RawAttentionWithTopNeuron()
    return Attention(
        inputs,
        residual=bool(settings["residual"]),
        bias=bool(settings["bias"]),
        scores=str(settings["scores"]),
        heads=int(settings["heads"]),
    )


_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "identity": nn.Identity,
}


def _mlp(inputs: int, settings: dict[str, Value]) -> nn.Module:
    hidden, activation = int(settings["hidden"]), str(settings["activation"])
    layers = {
        "hidden": nn.Linear(inputs, hidden),
        "activation": _ACTIVATIONS[activation](),
        "out": nn.Linear(hidden, 1),
    }
    return nn.Sequential(OrderedDict(layers))


_FAMILIES: dict[str, Callable[[int, dict[str, Value]], nn.Module]] = {
    "attention": _attention,
    "linear": lambda inputs, _: nn.Linear(inputs, 1),
    "mlp": _mlp,
}


def module_for(model: AnyModel, inputs: int) -> nn.Module:
    """The module of a model, as torch builds it now: its draws are those of torch's generator.

    Args:
      model: any model but a loss over a JAX pytree.
      inputs: the number of inputs; a user's own module has its own.

    Returns:
      A module from (batch, inputs) to (batch, 1), in float32.

    Raises:
      InputError: the model runs on the jax backend alone.

    Example:
      >>> from attnlogic.problems import model
      >>> module_for(model("mlp(hidden=3)"), inputs=2)
      Sequential(
        (hidden): Linear(in_features=2, out_features=3, bias=True)
        (activation): Tanh()
        (out): Linear(in_features=3, out_features=1, bias=True)
      )
    """
    if isinstance(model, OwnLoss):
        raise InputError(f"model '{model}' is a loss in JAX: train it with the jax backend")
    if isinstance(model, OwnModule):
        module: nn.Module = model.construct()
        return module
    if model.family in _FAMILIES:
        return _FAMILIES[model.family](inputs, dict(model.settings))
    return Arithmetic(model, inputs)


def load(module: nn.Module, packed: Sequence[Any] | npt.NDArray[Any]) -> None:
    """Put P numbers into a module's parameters, whose dtype and device stay what they are."""
    like = next(module.parameters())
    values = torch.tensor(np.asarray(packed, np.float64), dtype=like.dtype, device=like.device)
    vector_to_parameters(values, module.parameters())


def read(module: nn.Module) -> npt.NDArray[Any]:
    """A module's P numbers, (P,), of its dtype.

    Example:
      >>> from attnlogic.problems import problem
      >>> xor = problem("xor", "mlp(hidden=3)")
      >>> module = module_for(xor.model, 2)
      >>> load(module, xor.initial(7))
      >>> bool((read(module) == xor.initial(7)).all())
      True
    """
    vector = parameters_to_vector(module.parameters()).detach().cpu()
    found: npt.NDArray[Any] = vector.numpy().copy()
    return found
