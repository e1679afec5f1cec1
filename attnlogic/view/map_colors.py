"""A plane's points as colours: a palette, each point's place in it, and what the legend says."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from attnlogic.errors import unknown
from attnlogic.outcomes import NONE
from attnlogic.studies import Plane
from attnlogic.theory import ENDINGS
from attnlogic.view.chart_colors import ENDING_COLORS

MAP_COLORS = ("ending", "first_hit", "final_loss")
"""What a map may be coloured by."""

ANCHORS = ("#440154", "#414487", "#2a788e", "#22a884", "#7ad151", "#fde725")
"""Viridis from dark to light: its colours are evenly spaced between these."""

NEVER = "#bdbdbd"
"""The colour of runs that have no first hit, where first hits are shown."""

_DIVERGED = ENDING_COLORS["diverged"]

SHADES = 200
"""Steps between the gradient's ends."""

TAIL = 0.02
"""The share of values at either end that have the colour of the gradient's end: a loss may be 1e30,
shortly before it is infinite."""


class Gradient(NamedTuple):
    """A logarithmic scale of colours: ``low`` has the first of ``ANCHORS``, ``high`` the last."""

    title: str
    low: float
    high: float


class Colored(NamedTuple):
    """A plane's points as colours.

    Attributes:
      codes: the place of each point's colour in the palette; uint8, (Y, X).
      palette: colours, ``#rrggbb``.
      names: those that stand for something of its own: name -> colour, in the legend's order.
      gradient: the scale of the others; None where there are none.
    """

    codes: npt.NDArray[np.uint8]
    palette: tuple[str, ...]
    names: dict[str, str]
    gradient: Gradient | None = None


def colored(plane: Plane, by: str) -> Colored:
    """The colours of a plane's points.

    Raises:
      InputError: ``by`` is none of ``MAP_COLORS``.
    """
    if by == "ending":
        return _endings(plane)
    if by == "first_hit":
        hit = plane.first_hit != NONE
        epochs = np.maximum(plane.first_hit, 1)  # epoch 0 has no logarithm
        others = {"never hit": (~hit, NEVER), "diverged": (_diverged(plane) & ~hit, _DIVERGED)}
        return _shaded("epoch of the first hit", epochs, hit, others)
    if by == "final_loss":
        diverged = _diverged(plane)
        tiny = np.finfo(plane.final_loss.dtype).tiny
        losses = np.maximum(plane.final_loss, tiny)  # a loss may be 0
        return _shaded("final loss", losses, ~diverged, {"diverged": (diverged, _DIVERGED)})
    raise unknown("value of by", by, MAP_COLORS)


def _diverged(plane: Plane) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = plane.diverged_at != NONE
    return found


def _endings(plane: Plane) -> Colored:
    seen = [name for k, name in enumerate(ENDINGS) if (plane.ending_codes == k).any()]
    names = {name: color for name, color in ENDING_COLORS.items() if name in seen}
    return Colored(plane.ending_codes, tuple(ENDING_COLORS[name] for name in ENDINGS), names)


def _shaded(
    title: str,
    values: npt.NDArray[Any],
    among: npt.NDArray[np.bool_],
    others: dict[str, tuple[npt.NDArray[np.bool_], str]],
) -> Colored:
    """Some of the values on a logarithmic scale; the others, by name, in a colour of their own."""
    palette = [*shades(SHADES), *(color for _, color in others.values())]
    codes, gradient = np.zeros(values.shape, np.uint8), None
    if among.any():
        logs = np.log10(values[among].astype(np.float64))
        low, high = np.quantile(logs, [TAIL, 1 - TAIL]) if logs.max() > logs.min() else (0, 0)
        if high <= low:
            low, high = logs.min() - 0.5, logs.max() + 0.5
        codes[among] = np.clip((logs - low) / (high - low) * SHADES, 0, SHADES - 1)
        gradient = Gradient(title, float(10**low), float(10**high))
    for place, (which, _) in enumerate(others.values()):
        codes[which] = SHADES + place
    # What comes later covers what came before: a name may have lost all its points.
    names = {
        name: color
        for place, (name, (_, color)) in enumerate(others.items())
        if (codes == SHADES + place).any()
    }
    return Colored(codes, tuple(palette), names, gradient)


def shades(count: int) -> list[str]:
    """Colours evenly spaced along ``ANCHORS``.

    Example:
      >>> shades(11)[::2] == list(ANCHORS)
      True
    """
    anchors = np.array([[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in ANCHORS])
    places = np.linspace(0, len(anchors) - 1, count)
    mixed = [np.interp(places, np.arange(len(anchors)), channel) for channel in anchors.T]
    return [
        "#" + "".join(f"{round(part):02x}" for part in color) for color in zip(*mixed, strict=True)
    ]
