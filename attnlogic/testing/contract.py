"""The whole suite of tests."""

from __future__ import annotations

from attnlogic.testing.conduct import ConductContract
from attnlogic.testing.endings import EndingsContract
from attnlogic.testing.identity import IdentityContract
from attnlogic.testing.trajectories import TrajectoryContract


# pytest runs the tests of the last class first: who the backend is, then its rows, and so on, so
# that the first failure is the one to mend first.
class BackendContract(ConductContract, TrajectoryContract, EndingsContract, IdentityContract):
    """What every backend promises: subclass it, and say which backend in the subclass.

    Attributes:
      backend: the name under which it is registered, or the object itself.
      optimizers: those to test it by, such as ``"adam(lr=0.01)"``; None for all that its check
        lets pass.
    """
