"""What is kept: rows of a study on disk, tallies, and the distributions that statistics read.

The store writes and reads, a tally counts, a population hides which of the two it is. No statistic
belongs here, and nothing that trains.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
