"""attnlogic: what do optimizers really find?

A six-parameter attention neuron learns logic gates, from thousands of seeds at once.

    >>> import attnlogic
    >>> study = attnlogic.Study(gates=["xor", "nand"], optimizers=["adam"], seeds=1000)
    >>> runs = attnlogic.run(study)  # doctest: +SKIP
    >>> attnlogic.summary(runs)  # doctest: +SKIP

Importing this imports nothing else: each name is looked up in its room when it is first used. The
names are listed in ``__init__.pyi``; every statistic of ``attnlogic.statistics`` is one besides.
"""

from typing import Any

import lazy_loader

_exported, _, _names = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name not in _names and not name.startswith("_"):
        from attnlogic.statistics import STATISTICS

        if name in STATISTICS:
            return STATISTICS[name]
    if name == "__all__":
        return __dir__()
    return _exported(name)


def __dir__() -> list[str]:
    from attnlogic.statistics import STATISTICS

    return sorted({*_names, *STATISTICS})
