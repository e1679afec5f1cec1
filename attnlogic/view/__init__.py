"""How things are shown: numbers in words, sheets in a terminal, charts and their files.

Whatever is shown is computed elsewhere: this room turns it into text or pictures, and decides no
number. What a single statistic shows lies with that statistic.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
