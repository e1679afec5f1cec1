"""Initialisations by name: how parameters are drawn from a seed.

Every one draws from torch's generator after ``torch.manual_seed(s)``, one tensor after the other in
the order in which torch's module of the model has them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from attnlogic.grammar import Value, write
from attnlogic.problems.architecture import Tensor, names
from attnlogic.settings import Setting, complete, defaults, look_up
from attnlogic.sweeps import only, sweep

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
                [float(settings["scale"])] * len(names(tensors))
            ),
        ),
        InitializationRecord(
            "normal",
            "all parameters normal with mean 0 and standard deviation scale",
            _scale("the standard deviation"),
            lambda generator, tensors, settings: generator.normal(
                [len(tensor.entries) for tensor in tensors], float(settings["scale"])
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
        return write(self.name, self.settings, defaults(INITIALIZATIONS[self.name].settings))


def initialization(text: str | Initialization) -> Initialization:
    """Read ``torch``, ``uniform(scale=2)`` or ``normal(scale=0.5)``.

    Raises:
      InputError: the name or a setting is unknown, the scale is not positive, or several are
        given.

    Example:
      >>> str(initialization("Normal(scale=.5)"))
      'normal(scale=0.5)'
    """
    return only("initialization", text, initializations(text))


def initializations(text: str | Initialization) -> tuple[Initialization, ...]:
    """Read an initialisation whose settings may have several values: ``normal(scale=[0.1, 1])``.

    Returns:
      Every combination, each once, in the order of the text.

    Raises:
      InputError: see ``initialization``.

    Example:
      >>> [str(init) for init in initializations("normal(scale=0.1..10:log:3)")]
      ['normal(scale=0.1)', 'normal', 'normal(scale=10)']
    """
    if isinstance(text, Initialization):
        return (text,)

    def known(name: str) -> dict[str, Setting]:
        return look_up("initialization", name, INITIALIZATIONS).settings

    name, choices = sweep("initialization", text, "normal(scale=0.5)", known)
    return tuple(dict.fromkeys(Initialization(name, tuple(one.items())) for one in choices))
