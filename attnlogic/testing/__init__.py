"""Tests of backends, for pytest in the repository of whoever wrote one.

    from attnlogic.testing import BackendContract

    class TestMine(BackendContract):
        backend = "mine"  # its name, or the object itself
        optimizers = ["sgd", "adam(lr=0.01)"]  # all that its check lets pass, if left out

pytest then runs the whole suite: that it is a ``Backend``, refuses what it cannot do before any
work, gives outcomes of the declared form that are the definition of its own histories, each run
one time, with its place, and with the same bits however runs are batched, that its trajectories are
those of a slow reference, how runs end, and how work is reported, ended and interrupted. A failure
says what to mend; what the backend's ``check`` refuses is skipped with the reason.

No other room imports this one, which needs pytest: ``pip install 'attnlogic[testing]'``.
"""

from importlib.util import find_spec

import lazy_loader

if find_spec("pytest") is None:
    raise ImportError("attnlogic.testing needs pytest: pip install 'attnlogic[testing]'")

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
