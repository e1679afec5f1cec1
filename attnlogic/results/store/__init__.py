"""A study on disk: its folder, description and parts, written, read and checked.

Here is all that keeps a study sound: digests, files that are there whole or not at all, the lock,
the inventory. It reads and writes rows, and knows nothing of what they are counted or chosen for.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
