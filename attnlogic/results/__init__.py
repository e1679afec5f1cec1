"""What is kept: rows of a study on disk, tallies, and the distributions that statistics read.

Four rooms, each of which imports only those before it:

- ``rows``: what a row says, of a run, a condition or a count; quantities of a run.
- ``store``: a study on disk, written, read and checked.
- ``counts``: distributions, tallies, censuses.
- ``choosing``: which runs of which studies, frames and tallies are meant; merging.

Other rooms import what this one exports. No statistic belongs here, and nothing that trains.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
