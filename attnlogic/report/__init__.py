"""What goes over all statistics: the page of a study, one file that needs no network.

The page is made from the list of statistics: each brings its question, how to read it, its charts
and its table, and a new one appears by itself. What is here lays them out, adds what no statistic
has (what was asked, single runs to choose from, how to cite), and decides what a page of many runs
leaves out, which it says. Text of users is data: templates escape it, and no script is made of it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
