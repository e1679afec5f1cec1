"""Which attention model a theory is about: with or without residual and bias, and its inputs."""

from __future__ import annotations

from typing import NamedTuple

from attnlogic.errors import unknown
from attnlogic.problems import ENCODINGS, Gate, Model, Problem

_CODES = {"01": (0, 1), "pm1": (-1, 1)}
"""The input that stands for a bit 0 and for a bit 1; the targets are bits always."""


class Form(NamedTuple):
    """A model ``out = (w·x)(C Σx² + r) + b`` with r = 1, or r = 0 without the residual.

    Attributes:
      residual: whether the readout sees the tokens themselves beside what is attended.
      bias: whether the readout has a bias b.
      encoding: one of ``problems.ENCODINGS``.
    """

    residual: bool = True
    bias: bool = True
    encoding: str = "01"

    @property
    def text(self) -> str:
        """The form in words: ``"attention, inputs in {-1, 1}, without bias"``."""
        low, high = _CODES[self.encoding]
        without = [name for name in ("residual", "bias") if not getattr(self, name)]
        ending = f", without {' and '.join(without)}" if without else ""
        return f"attention, inputs in {{{low}, {high}}}{ending}"


NOTEBOOK = Form()
"""The notebook's model: residual, bias, inputs in {0, 1}."""


def form_of(problem: Problem) -> Form | None:
    """The form of a problem's model; None where theory knows nothing of it.

    Several heads with raw scores are one whose C is the sum of theirs. Softmax scores, other models
    than attention, and data that are no gate have no such theory.

    Example:
      >>> from attnlogic.problems import problem
      >>> form_of(problem("xor", "attention(bias=False)"))
      Form(residual=True, bias=False, encoding='01')
    """
    model, data = problem.model, problem.data
    if not isinstance(model, Model):
        return None
    settings = dict(model.settings)
    if model.family != "attention" or settings["scores"] != "raw" or data.gate is None:
        return None
    return Form(bool(settings["residual"]), bool(settings["bias"]), data.encoding)


def inputs(gate: Gate, form: Form) -> tuple[tuple[int, ...], ...]:
    """The inputs of the gate's rows as the model sees them: shape (2ⁿ, n).

    Raises:
      InputError: no such encoding.
    """
    if form.encoding not in _CODES:
        raise unknown("encoding", form.encoding, ENCODINGS)
    code = _CODES[form.encoding]
    return tuple(tuple(code[bit] for bit in row) for row in gate.rows)
