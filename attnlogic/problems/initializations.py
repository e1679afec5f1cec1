"""Initialisations by name: how parameters are drawn from a seed.

Every one draws from torch's generator after ``torch.manual_seed(s)``, one scalar after the other in
the order in which torch's module of the model has them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from attnlogic.problems.architecture import Tensor, names
from attnlogic.settings import Setting, Value, complete, look_up, parse, write

if TYPE_CHECKING:  # the table is read by help and completion, which must not wait for NumPy
    from attnlogic.problems.torch_generator import Draws, TorchGenerator


class InitializationRecord(NamedTuple):
    """What is known of an initialisation.

    Attributes:
      name: how it is called.
      summary: one line for a person.
      settings: its settings by name.
      draw: all scalars of some tensors, shape (P, N), from a generator of N seeds, the tensors and
        the settings' values.
    """

    name: str
    summary: str
    settings: dict[str, Setting]
    draw: Callable[[TorchGenerator, Sequence[Tensor], dict[str, Value]], Draws]


def _scale(meaning: str) -> dict[str, Setting]:
    # The bounds keep every draw within float32's range.
    return {"scale": Setting(1.0, meaning, low=1e-37, high=1e37)}


INITIALIZATIONS = {
    record.name: record
    for record in (
        InitializationRecord(
            "torch",
            "nn.Linear's own: uniform in ±1/√(inputs of the layer)",
            {},
            lambda generator, tensors, _: generator.uniform(
                [tensor.fan_in**-0.5 for tensor in tensors for _ in tensor.entries]
            ),
        ),
        InitializationRecord(
            "uniform",
            "all parameters uniform in ±scale",
            _scale("half the width of the interval"),
            lambda generator, tensors, settings: generator.uniform(
                [settings["scale"]] * len(names(tensors))
            ),
        ),
        InitializationRecord(
            "normal",
            "all parameters normal with mean 0 and standard deviation scale",
            _scale("the standard deviation"),
            lambda generator, tensors, settings: generator.normal(
                len(names(tensors)), settings["scale"]
            ),
        ),
    )
}
"""The initialisations by name."""


@dataclass(frozen=True)
class Initialization:
    """How parameters are drawn from a seed.

    Attributes:
      name: a key of ``INITIALIZATIONS``.
      values: the name and value of every setting; those not given have their defaults.

    Raises:
      InputError: the name or a setting is unknown, or a value is out of bounds.
    """

    name: str = "torch"
    values: tuple[tuple[str, Value], ...] = ()

    def __post_init__(self) -> None:
        record = look_up("initialization", self.name, INITIALIZATIONS)
        values = complete(self.name, self.values, record.settings)
        object.__setattr__(self, "values", tuple(values.items()))

    @property
    def settings(self) -> dict[str, Value]:
        """The settings as a dict."""
        return dict(self.values)

    def __str__(self) -> str:
        known = INITIALIZATIONS[self.name].settings
        return write(self.name, self.settings, {key: s.default for key, s in known.items()})


def initialization(text: str | Initialization) -> Initialization:
    """Read ``torch``, ``uniform(scale=2)`` or ``normal(scale=0.5)``.

    Raises:
      InputError: the name or a setting is unknown, or the scale is not positive.

    Example:
      >>> str(initialization("Normal(scale=.5)"))
      'normal(scale=0.5)'
    """
    if isinstance(text, Initialization):
        return text
    name, given = parse("initialization", text, example="normal(scale=0.5)")
    return Initialization(name, tuple(given.items()))
