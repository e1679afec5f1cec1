"""The axes of a plane: a setting of the optimizer or a parameter of the start, over a range."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from attnlogic.errors import InputError, described, unknown
from attnlogic.optimizers import Optimizer
from attnlogic.problems import Problem
from attnlogic.ranges import Range, read_range
from attnlogic.settings import setting_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

START = "start."
"""What the name of a parameter of the start begins with: ``start.wq``."""

_FORM = "lr=0.01..10:log:256 or start.wq=-3..3:256"
_AXIS = re.compile(r"(?P<name>[\w.]+)\s*=(?!=)(?P<range>.+)", re.DOTALL)


@dataclass(frozen=True)
class Axis:
    """One axis of a plane.

    Attributes:
      name: a setting of the optimizer, ``"lr"``, or a parameter of the start, ``"start.wq"``.
      range: its values, at least two.
    """

    name: str
    range: Range

    @property
    def parameter(self) -> str | None:
        """The parameter of the start that it is; None for a setting."""
        return self.name.removeprefix(START) if self.name.startswith(START) else None

    @cached_property
    def values(self) -> npt.NDArray[np.float64]:
        """All values, ascending: float64 (n,)."""
        import numpy as np

        return np.array(self.range.floats())

    @property
    def pixel_edges(self) -> tuple[float, float]:
        """Where the first point's pixel begins and the last one's ends, half a step beyond."""
        low, high = self.values[[0, -1]].tolist()
        steps = 2 * (self.range.points - 1)
        if self.range.log:
            factor = (high / low) ** (1 / steps)
            return low / factor, high * factor
        return low - (high - low) / steps, high + (high - low) / steps

    def part(self, first: int, last: int) -> str:
        """The range from one of the points to another, as ``--zoom`` takes it: ``0.1..0.25``."""
        ends = self.values[[first, last]].tolist()
        size = max(map(abs, ends)) or 1.0
        digits = 3 + max(0, math.ceil(math.log10(size / max(ends[1] - ends[0], 1e-300))))
        return "..".join(f"{end:.{min(digits, 17)}g}" for end in ends)

    def zoomed(self, part: str) -> Axis:
        """The axis over a part of its range, ``0.1..0.25``, with as many points.

        Raises:
          InputError: it is no range, or lies outside of this one.
        """
        log = "log:" if self.range.log else ""
        inside = read_range(f"zoom of {self.name}", f"{part.strip()}:{log}{self.range.points}")
        if inside.low < self.range.low or inside.high > self.range.high:
            raise InputError(
                f"zoom of {self.name}: {part.strip()} is no part of {self.range.text}: give ends "
                "within it, or another range"
            )
        return Axis(self.name, inside)

    def __str__(self) -> str:
        return f"{self.name}={self.range.text}"


def read_axis(label: str, text: str | Axis) -> Axis:
    """An axis from its text.

    Args:
      label: what takes it, for the messages: ``"x"``.
      text: ``"lr=0.01..10:log:256"`` or ``"start.wq=-3..3:256"``.

    Raises:
      InputError: the text has another form, or the range has a single point.

    Example:
      >>> read_axis("x", "start.wq=-1..1:3").values
      array([-1.,  0.,  1.])
    """
    if isinstance(text, Axis):
        return text
    found = _AXIS.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise InputError(f"{label}: expected {_FORM}, got {described(text)}")
    axis = Axis(found["name"], read_range(f"{label}, {found['name']}", found["range"]))
    if axis.range.points < 2:
        raise InputError(f"{label}: an axis has at least two points, got {axis}")
    return axis


def check_axis(axis: Axis, optimizer: Optimizer, problem: Problem, precision: str) -> None:
    """Refuse what cannot be an axis.

    Args:
      axis: the axis.
      optimizer: the optimizer that has the setting.
      problem: the problem that has the parameter.
      precision: that of the training.

    Raises:
      InputError: there is no such parameter or setting, the setting is no real number or fixed to
        a value by the optimizer's text, or neighbouring points are one number in this precision.
    """
    import numpy as np

    if axis.parameter is not None:
        if axis.parameter not in problem.names:
            raise unknown(f"parameter of {problem.model}", axis.parameter, problem.names)
    elif optimizer.source is None:
        _check_own(axis, optimizer)
    elif axis.name in optimizer.settings:
        raise _fixed(axis, optimizer)
    if not (np.diff(axis.values.astype(precision)) > 0).all():
        raise InputError(
            f"{axis}: neighbouring points are the same number in {precision}: "
            + ("use --precision float64, or " if precision == "float32" else "")
            + "give fewer points or a wider range"
        )


def _check_own(axis: Axis, optimizer: Optimizer) -> None:
    setting = setting_of(optimizer.name, axis.name, optimizer.record.settings)
    if not isinstance(setting.default, float):
        kind = {bool: "a switch", int: "a whole number"}.get(type(setting.default), "a word")
        raise InputError(
            f"{axis.name} of {optimizer.name} is {kind}, which is compiled in: an axis is a "
            f"real-valued setting. Compare its values in a study: "
            f"-o '{optimizer.name}({axis.name}=[…])'"
        )
    if optimizer.settings[axis.name] != optimizer.record.defaults[axis.name]:
        raise _fixed(axis, optimizer)
    for value in (axis.values[0], axis.values[-1]):
        setting.read(f"{axis.name} of {optimizer.name}", value)


def _fixed(axis: Axis, optimizer: Optimizer) -> InputError:
    return InputError(f"{optimizer} gives {axis.name} a value, and {axis} sweeps it: leave one")
