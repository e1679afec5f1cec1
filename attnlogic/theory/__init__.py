"""What training should find: exact solutions, the least loss V(C), critical points, weight decay.

Everything follows from the model's arithmetic, over the rationals where that is possible; nothing
here reads a run. SymPy and SciPy are imported by the functions that need them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
