"""What theory knows of a condition: its gate, and the form of its model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from attnlogic.errors import InputError
from attnlogic.grammar import foreign
from attnlogic.problems import Gate, gate, problem
from attnlogic.theory import Form, exact_C, form_of, solvable


class Known(NamedTuple):
    """A gate and the form of a model: what theory needs to know.

    Attributes:
      gate: the gate.
      form: of the attention model that was trained.
    """

    gate: Gate
    form: Form

    @property
    def solvable(self) -> bool:
        """Whether the model can solve the gate exactly."""
        return solvable(self.gate, self.form)

    @property
    def C(self) -> float | None:  # noqa: N802  # the invariant's name
        """C of the exact solution; None where any C will do, or none."""
        exact = exact_C(self.gate, self.form)
        return None if exact is None else float(exact)


def known_of(key: Mapping[str, Any]) -> Known | None:
    """What theory knows of a condition; None where it knows nothing of its model or data.

    Args:
      key: the condition's values of the columns ``results.CONDITION``.
    """
    return _known(str(key["gate"]), str(key["model"]), str(key["encoding"]))


@cache
def _known(name: str, model: str, encoding: str) -> Known | None:
    if foreign(model):  # a user's own, which is not imported to read results
        return None
    try:
        of = gate(name)
        form = form_of(problem(of, model, encoding))
    except InputError:
        return None
    return None if form is None else Known(of, form)
