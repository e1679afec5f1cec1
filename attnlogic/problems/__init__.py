"""What is trained: gates, the model, and where runs start.

Truth tables and their names, the model as plain arithmetic over any numbers, and the initial
parameters of each seed. Nothing here trains, knows an optimizer, or imports a framework: the
functions are pure, and light enough for help and completion.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
