"""attnlogic: what do optimizers really find?

A six-parameter attention neuron learns logic gates, from thousands of seeds at once.

    >>> import attnlogic
    >>> study = attnlogic.Study(gates=["xor", "nand"], optimizers=["adam"], seeds=1000)
    >>> runs = attnlogic.run(study)
    >>> attnlogic.summarize(runs)

Importing this imports nothing else: each name below is looked up in its module when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attnlogic import comparison as comparison
    from attnlogic import curvature as curvature
    from attnlogic import endings as endings
    from attnlogic import initial as initial
    from attnlogic import ladder as ladder
    from attnlogic import model as model
    from attnlogic import outcomes as outcomes
    from attnlogic import plots as plots
    from attnlogic import solutions as solutions
    from attnlogic import stability as stability
    from attnlogic import starts as starts
    from attnlogic import theory as theory
    from attnlogic import times as times
    from attnlogic.errors import InputError as InputError
    from attnlogic.gates import GATES as GATES
    from attnlogic.gates import gate as gate
    from attnlogic.model import Params as Params
    from attnlogic.optimizers import optimizer as optimizer
    from attnlogic.single import Run as Run
    from attnlogic.single import train as train
    from attnlogic.statistics import summarize as summarize
    from attnlogic.store import Runs as Runs
    from attnlogic.store import load as load
    from attnlogic.study import Study as Study
    from attnlogic.study import run as run
    from attnlogic.tally import Tally as Tally

__version__ = "0.1.0"

_HOME = {
    "GATES": "gates",
    "InputError": "errors",
    "Params": "model",
    "Run": "single",
    "Runs": "store",
    "Study": "study",
    "Tally": "tally",
    "gate": "gates",
    "load": "store",
    "optimizer": "optimizers",
    "run": "study",
    "summarize": "statistics",
    "train": "single",
}
_MODULES = (
    "comparison", "curvature", "endings", "initial", "ladder", "model", "outcomes", "plots",
    "solutions", "stability", "starts", "theory", "times",
)  # fmt: skip

__all__ = sorted([*_HOME, *_MODULES, "__version__"])


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"attnlogic.{name}")
    if name in _HOME:
        return getattr(importlib.import_module(f"attnlogic.{_HOME[name]}"), name)
    raise AttributeError(f"module 'attnlogic' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
