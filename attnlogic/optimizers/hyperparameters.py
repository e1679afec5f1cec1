"""An optimizer with all its hyperparameters: the description that every backend reads."""

from __future__ import annotations

from dataclasses import dataclass

from attnlogic.errors import InputError
from attnlogic.optimizers.record import OptimizerRecord
from attnlogic.optimizers.records import OPTIMIZERS
from attnlogic.settings import Value, complete, in_precision, look_up, parse, write


@dataclass(frozen=True)
class Optimizer:
    """An optimizer with all its hyperparameters.

    Attributes:
      name: a key of ``OPTIMIZERS``.
      hyperparameters: the name and value of every hyperparameter, in the record's order, values
        Python's own. Those not given are filled in.

    Raises:
      InputError: the name or a hyperparameter is unknown, or a value is out of bounds or at odds
        with another.
    """

    name: str
    hyperparameters: tuple[tuple[str, Value], ...] = ()

    def __post_init__(self) -> None:
        record = look_up("optimizer", self.name, OPTIMIZERS)
        settings = complete(self.name, self.hyperparameters, record.settings)
        given = dict(self.hyperparameters)
        settings.update({k: v for k, v in record.implied(settings).items() if k not in given})
        if conflict := record.conflict(settings):
            raise InputError(f"{self.name}: {conflict}")
        object.__setattr__(self, "hyperparameters", tuple(settings.items()))

    @property
    def record(self) -> OptimizerRecord:
        """What is known of optimizers of this name."""
        return OPTIMIZERS[self.name]

    @property
    def settings(self) -> dict[str, Value]:
        """The hyperparameters as a dict."""
        return dict(self.hyperparameters)

    @property
    def epochs(self) -> int:
        """The budget of a run when none is asked for."""
        return self.record.epochs

    def enabled(self, *names: str) -> list[str]:
        """The named features that this optimizer switches on: it has them, and they are not off.

        Example:
          >>> Optimizer("adam", (("amsgrad", True),)).enabled("amsgrad", "gamma", "dampening")
          ['amsgrad']
        """
        settings, known = self.settings, self.record.settings
        return [name for name in names if name in settings and settings[name] != known[name].off]

    def check_precision(self, precision: str) -> None:
        """Refuse a number that this precision cannot hold: in float32, 1e-60 is 0.

        Args:
          precision: ``"float32"`` or ``"float64"``.

        Raises:
          InputError: a number other than 0 becomes 0, or infinite, or leaves its bounds.
        """
        for key, value in self.hyperparameters:
            if isinstance(value, float):
                name = f"{key}={value!r} of {self.name} in {precision}"
                self.record.settings[key].read(name, in_precision(name, value, precision))

    def __str__(self) -> str:
        settings, record = self.settings, self.record
        return write(self.name, settings, record.defaults | record.implied(settings))


def optimizer(text: str | Optimizer) -> Optimizer:
    """Read an optimizer: ``"adamw"`` or ``"adamw(lr=0.01, weight_decay=0)"``.

    Args:
      text: a name, with the hyperparameters that differ from the default in parentheses; or an
        ``Optimizer``, returned as it is.

    Returns:
      The optimizer, every hyperparameter filled in.

    Raises:
      InputError: an unknown name or hyperparameter, or a value out of range.

    Example:
      >>> str(optimizer("adamw(lr=0.05, weight_decay=0)"))
      'adamw(weight_decay=0)'
    """
    if isinstance(text, Optimizer):
        return text
    name, given = parse("optimizer", text, example="adam(lr=0.01)")
    return Optimizer(name, tuple(given.items()))
