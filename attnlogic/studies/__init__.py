"""What is run: a study (conditions × seeds), or a single run with its whole history.

Checks what is asked for, hands it to a backend, shows progress and writes results as they come. It
knows backends by their contract alone, and no statistics.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
