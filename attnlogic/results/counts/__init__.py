"""Runs as statistics see them: distributions of quantities, from rows or from counts.

A tally keeps counts in place of rows, a census is a study that does, and a population hides which
of them a condition's runs are. What is counted here has been chosen before.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
