"""A chart as SVG within a page: the page's own colours, light and dark, and names of its own.

Charts without choices are drawn once, here, and need no script: the page shows and prints them
wherever it is opened.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any


def svg_in_page(chart: Any, name: str) -> str:
    """The chart's SVG.

    Args:
      chart: an Altair chart without a configuration of its own.
      name: that no other chart of the page has.
    """
    from attnlogic.view import svg_text

    return re.sub(r"<[^<>]*>", lambda tag: _tag_in_page(tag[0], name), svg_text(chart))


def _tag_in_page(tag: str, name: str) -> str:
    """A tag with the page's colours, and with names that no other chart's clips have."""
    for color, variable in _variables().items():
        tag = tag.replace(f'="{color}"', f'="var(--{variable})"')
    tag = re.sub(r'( id="| href="#)', rf"\1{name}-", tag)
    return re.sub(r'="url\(#([^"()]*)\)"', rf'="url(#{name}-\1)"', tag)


@cache
def _variables() -> dict[str, str]:
    """The colours of the light theme -> the variables of the page's style that stand for them."""
    from attnlogic.view import chart_theme

    light = chart_theme.config("light")
    return {
        light["background"]: "ground",
        light["title"]["color"]: "ink",
        light["title"]["subtitleColor"]: "soft",
        light["axis"]["gridColor"]: "line",
    }
