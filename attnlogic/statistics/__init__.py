"""What can be said of results: one question, one file.

Each file holds one ``Statistic``: its question, its columns, its computation and its sheet, and its
chart if it has one. Commands, help, exports and tests come from the list ``STATISTICS``. Nothing
here trains or reads a backend.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
