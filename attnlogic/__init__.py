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
    from attnlogic import outcomes as outcomes
    from attnlogic import theory as theory
    from attnlogic.errors import InputError as InputError
    from attnlogic.optimizers.optimizer import optimizer as optimizer
    from attnlogic.problems import initializations as initial  # noqa: F401
    from attnlogic.problems import model as model
    from attnlogic.problems.gates import GATES as GATES
    from attnlogic.problems.gates import gate as gate
    from attnlogic.problems.model import Params as Params
    from attnlogic.results.store import Runs as Runs
    from attnlogic.results.store import load as load
    from attnlogic.results.tally import Tally as Tally
    from attnlogic.statistics import compare as comparison  # noqa: F401
    from attnlogic.statistics import curvature as curvature
    from attnlogic.statistics import endings as endings
    from attnlogic.statistics import ladder as ladder
    from attnlogic.statistics import solutions as solutions
    from attnlogic.statistics import stability as stability
    from attnlogic.statistics import starts as starts
    from attnlogic.statistics import times as times
    from attnlogic.statistics.summary import summarize as summarize
    from attnlogic.studies.single_run import Run as Run
    from attnlogic.studies.single_run import train as train
    from attnlogic.studies.study import Study as Study
    from attnlogic.studies.study import run as run
    from attnlogic.view import charts as plots  # noqa: F401

__version__ = "0.1.0"

_HOME = {
    "GATES": "problems.gates",
    "InputError": "errors",
    "Params": "problems.model",
    "Run": "studies.single_run",
    "Runs": "results.store",
    "Study": "studies.study",
    "Tally": "results.tally",
    "gate": "problems.gates",
    "load": "results.store",
    "optimizer": "optimizers.optimizer",
    "run": "studies.study",
    "summarize": "statistics.summary",
    "train": "studies.single_run",
}
_MODULES = {
    "comparison": "statistics.compare",
    "curvature": "statistics.curvature",
    "endings": "statistics.endings",
    "initial": "problems.initializations",
    "ladder": "statistics.ladder",
    "model": "problems.model",
    "outcomes": "outcomes",
    "plots": "view.charts",
    "solutions": "statistics.solutions",
    "stability": "statistics.stability",
    "starts": "statistics.starts",
    "theory": "theory",
    "times": "statistics.times",
}

__all__ = sorted([*_HOME, *_MODULES, "__version__"])


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"attnlogic.{_MODULES[name]}")
    if name in _HOME:
        return getattr(importlib.import_module(f"attnlogic.{_HOME[name]}"), name)
    raise AttributeError(f"module 'attnlogic' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
