"""What trains: optimizers by name and hyperparameters.

One record for each optimizer has its settings, their defaults, bounds and meanings; schedules are
formulas of the epoch. What other packages define is known by its name alone, or as an object, and
never imported. How a step is made does not belong here: each backend has its own record of the same
name for that.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
