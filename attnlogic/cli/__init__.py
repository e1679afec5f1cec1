"""The command line: what a user types becomes calls to the other rooms.

Commands check and translate their arguments, and print. Nothing is computed here, and every
command imports what it needs when it runs, so that help and completion are instant.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
