"""Colours of charts: one for each optimizer and for each ending, the same in every chart."""

from __future__ import annotations

from collections.abc import Sequence

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#808080")
"""Okabe and Ito's colours, which the colour-blind can distinguish; grey stands for their black, so
that it is seen on dark ground, too."""

_OWN = dict(zip(("adam", "adamw", "sgd", "lbfgs", "polyak"), COLORS, strict=False))
"""The colours of the default study's optimizers, in every study."""

_VIRIDIS = ("#4d5fa8", "#31788e", "#21918c", "#5ec962", "#d8c11e")
"""From dark to light, much like viridis; the ends are seen on dark ground and on white."""


def optimizer_colors(names: Sequence[str]) -> dict[str, str]:
    """A colour for each of a study's optimizers, by the names that its charts show.

    The default study's optimizers have a colour of their own; others get one that is free. Where
    there are more names than colours, such as in a sweep, they go from dark to light in their
    order.

    Args:
      names: as a statistic's frame has them; each counts once.

    Example:
      >>> optimizer_colors(["sgd", "adam"])
      {'sgd': '#009E73', 'adam': '#0072B2'}
    """
    names = [*dict.fromkeys(names)]
    if len(names) > len(COLORS) - 2:  # without yellow, which is pale, and grey
        return dict(zip(names, _shades(len(names)), strict=True))
    found: dict[str, str] = {}
    for name in names:
        own = _OWN.get(name.split("(")[0].split(" ")[0])
        if own and own not in found.values():
            found[name] = own
    free = [color for color in COLORS[:6] if color not in found.values()]
    return {name: found.get(name) or free.pop(0) for name in names}


def _shades(n: int) -> list[str]:
    """``n`` colours evenly spaced along ``_VIRIDIS``."""
    anchors = [[int(color[i : i + 2], 16) for i in (1, 3, 5)] for color in _VIRIDIS]
    shades = []
    for k in range(n):
        place = k * (len(anchors) - 1) / (n - 1)
        at = min(int(place), len(anchors) - 2)
        mixed = (
            round(a + (b - a) * (place - at))
            for a, b in zip(anchors[at], anchors[at + 1], strict=True)
        )
        shades.append("#" + "".join(f"{part:02x}" for part in mixed))
    return shades


ENDING_COLORS = {
    "solved": "#009E73",
    "near": "#56B4E9",
    "minimum": "#0072B2",
    "linear": "#E69F00",
    "constant": "#F0E442",
    "cancellation": "#CC79A7",
    "runaway": "#D55E00",
    "moving": "#808080",
    "other": "#b3b3b3",
    "diverged": "#8c2d19",
}
"""The colour of each of ``theory.ENDINGS``, in the order in which they are stacked."""
