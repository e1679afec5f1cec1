"""By what it is trained: optimizers by name and hyperparameters.

One record an optimizer says its settings, their defaults and bounds. How a step is made does not
belong here: each backend has its own record of the same name for that.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
