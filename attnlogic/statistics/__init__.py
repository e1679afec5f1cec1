"""What can be said of results: one question, one file.

Each file holds one ``Statistic``: its question, its columns, its computation, its sheet, and the
names of its charts, which lie beside it: ``{name}_chart.py`` has the function ``draw``. Commands,
help, exports and tests come from the list ``STATISTICS``; to add one is to write its file and to
add it to that list. Nothing here trains or reads a backend, but the chart of single runs' paths,
which rows do not have. The files are light to import: what is heavy is imported where it is
computed, so that help is instant.
"""

from importlib import import_module

from attnlogic.statistics.chart import Chart
from attnlogic.statistics.given import ReadOnce
from attnlogic.statistics.statistic import Column, Option, Statistic, described

__all__ = [
    "CHARTS",
    "STATISTICS",
    "Chart",
    "Column",
    "Option",
    "ReadOnce",
    "Statistic",
    "described",
]

_FILES = (
    "summary",
    "times",
    "ladder",
    "stability",
    "endings",
    "basins",
    "starts",
    "solutions",
    "curvature",
    "compare",
    "sweep",
)

STATISTICS: dict[str, Statistic] = {
    name: import_module(f"attnlogic.statistics.{name}").statistic for name in _FILES
}
"""Every statistic by its name, which is that of its file, in the order in which help lists them."""

CHARTS: dict[str, Statistic] = {
    chart.name: statistic for statistic in STATISTICS.values() for chart in statistic.charts
}
"""The statistic of every chart, by the chart's name."""
