"""Which attention model a theory is about: with or without residual and bias, and its inputs."""

from __future__ import annotations

from typing import NamedTuple

from attnlogic.errors import unknown
from attnlogic.problems import Gate

ENCODINGS: dict[str, tuple[int, int]] = {"01": (0, 1), "pm1": (-1, 1)}
"""The input that stands for a bit 0 and for a bit 1; the targets are bits always."""


class Form(NamedTuple):
    """A model ``out = (w·x)(C Σx² + r) + b`` with r = 1, or r = 0 without the residual.

    Attributes:
      residual: whether the readout sees the tokens themselves beside what is attended.
      bias: whether the readout has a bias b.
      encoding: a name of ``ENCODINGS``.
    """

    residual: bool = True
    bias: bool = True
    encoding: str = "01"

    @property
    def text(self) -> str:
        """The form in words: ``"attention, inputs in {-1, 1}, without bias"``."""
        low, high = ENCODINGS[self.encoding]
        without = [name for name in ("residual", "bias") if not getattr(self, name)]
        ending = f", without {' and '.join(without)}" if without else ""
        return f"attention, inputs in {{{low}, {high}}}{ending}"


NOTEBOOK = Form()
"""The notebook's model: residual, bias, inputs in {0, 1}."""


def checked(form: Form) -> Form:
    """The form itself.

    Raises:
      InputError: no such encoding.
    """
    if form.encoding not in ENCODINGS:
        raise unknown("encoding", form.encoding, ENCODINGS)
    return form


def inputs(gate: Gate, form: Form) -> tuple[tuple[int, ...], ...]:
    """The inputs of the gate's rows as the model sees them: shape (2ⁿ, n)."""
    code = ENCODINGS[checked(form).encoding]
    return tuple(tuple(code[bit] for bit in row) for row in gate.rows)
