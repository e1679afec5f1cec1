"""Initialisations by name: how the six parameters are drawn from a seed.

Every one draws from torch's generator after ``torch.manual_seed(s)``, one parameter after the other
in the order of ``model.NAMES``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from attnlogic.problems.model import NAMES
from attnlogic.settings import Setting, Value, complete, look_up, parse, write

if TYPE_CHECKING:  # the table is read by help and completion, which must not wait for NumPy
    from attnlogic.problems.torch_generator import Draws, TorchGenerator


class InitializationRecord(NamedTuple):
    """What is known of an initialisation.

    Attributes:
      name: how it is called.
      summary: one line for a person.
      settings: its settings by name.
      draw: the six parameters, shape (6, N), from a generator of N seeds and the settings' values.
    """

    name: str
    summary: str
    settings: dict[str, Setting]
    draw: Callable[[TorchGenerator, dict[str, Value]], Draws]


def _scale(meaning: str) -> dict[str, Setting]:
    # The bounds keep every draw within float32's range.
    return {"scale": Setting(1.0, meaning, low=1e-37, high=1e37)}


INITIALIZATIONS = {
    record.name: record
    for record in (
        InitializationRecord(
            "torch",
            "nn.Linear's own: wq, wk, wv uniform in ±1; w1, w2, b uniform in ±1/√2",
            {},
            # ±1/√fan_in, where fan_in is 1 for wq, wk, wv and 2 for the readout
            lambda generator, _: generator.uniform([1.0] * 3 + [0.5**0.5] * 3),
        ),
        InitializationRecord(
            "uniform",
            "all six uniform in ±scale",
            _scale("half the width of the interval"),
            lambda generator, settings: generator.uniform([float(settings["scale"])] * len(NAMES)),
        ),
        InitializationRecord(
            "normal",
            "all six normal with mean 0 and standard deviation scale",
            _scale("the standard deviation"),
            lambda generator, settings: generator.normal(len(NAMES), float(settings["scale"])),
        ),
    )
}
"""The initialisations by name."""


@dataclass(frozen=True)
class Initialization:
    """How the six parameters are drawn from a seed.

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
