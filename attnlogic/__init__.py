"""attnlogic: what do optimizers really find?

A six-parameter attention neuron learns logic gates, from thousands of seeds at once.

    >>> import attnlogic
    >>> study = attnlogic.Study(gates=["xor", "nand"], optimizers=["adam"], seeds=1000)
    >>> runs = attnlogic.run(study)
    >>> attnlogic.summarize(runs)

Importing this imports nothing else: each name is looked up in its room when it is first used. The
names are listed in ``__init__.pyi``.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
