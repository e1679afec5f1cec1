"""What a row says: the columns of runs, conditions and counts, with their types.

Also what tells one condition from another, sets of seeds, expressions over a row's columns as a
person types them, and the quantities that statistics read of a run. It knows no file: frames come
in, and frames or expressions go out.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
