"""Which runs a statistic is asked of: of studies, frames and tallies, all or some.

A run that several sources have counts once, if all say the same of it. Merging writes what was
chosen as one study.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
