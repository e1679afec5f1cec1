"""The models by name: how each is built from its settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

from attnlogic.errors import InputError, described
from attnlogic.problems import neuron
from attnlogic.problems.architecture import Model, Quantity
from attnlogic.settings import Setting, Value, complete, look_up, parse, write


class ModelRecord(NamedTuple):
    """What is known of a family of models.

    Attributes:
      name: how it is called.
      summary: one line for a person.
      settings: its settings by name.
      build: the model, from its written name and the values of all settings.
    """

    name: str
    summary: str
    settings: dict[str, Setting]
    build: Callable[[str, dict[str, Value]], Model]


def _attention(name: str, settings: dict[str, Value]) -> Model:
    residual, bias, scores, heads = (
        bool(settings["residual"]),
        bool(settings["bias"]),
        str(settings["scores"]),
        int(settings["heads"]),
    )
    what = "w·(Σ_j softmax_j(q_i k_j) v_j" if scores == "softmax" else "(w·x)(C Σx²"
    if scores == "softmax":
        formula = what + (" + x_i)" if residual else ")")
    else:
        formula = what + (" + 1)" if residual else ")")
    product = "wq·wk·wv" if heads == 1 else "Σ wq·wk·wv over the heads"
    invariant = Quantity("C", product, neuron.invariant)
    return Model(
        name=name,
        formula=formula + (" + b" if bias else ""),
        tensors=partial(neuron.tensors, bias=bias, heads=heads),
        predict=partial(neuron.predict, residual=residual, scores=scores),
        unpack=partial(neuron.unpack, bias=bias, heads=heads),
        quantities=(invariant,) if scores == "raw" else (),
        family="attention",
        settings=tuple(settings.items()),
    )


MODELS = {
    record.name: record
    for record in (
        ModelRecord(
            "attention",
            "the notebook's neuron: attention on scalar tokens, a residual, a linear readout",
            {
                "residual": Setting(True, "the tokens are added to what was attended"),
                "bias": Setting(True, "the readout has a bias"),
                "scores": Setting("raw", "what attention weighs with", choices=("raw", "softmax")),
                "heads": Setting(1, "attentions whose results are added", low=1, high=8),
            },
            _attention,
        ),
    )
}
"""The families of models by name."""


def model(text: str | Model) -> Model:
    """Read a model: ``"attention"`` or ``"attention(residual=False, heads=2)"``.

    Args:
      text: a name, with the settings that differ from the default in parentheses; or a ``Model``,
        returned as it is.

    Raises:
      InputError: an unknown name or setting, or a value out of range.

    Example:
      >>> model("attention(bias=False)").tensors(2)[-1].entries
      ('w1', 'w2')
    """
    if isinstance(text, Model):
        return text
    if not isinstance(text, str):
        raise InputError(
            f"model: expected a name such as 'attention' or a Model, got {described(text)}"
        )
    name, given = parse("model", text, example="attention(residual=False)")
    record = look_up("model", name, MODELS)
    return _built(name, tuple(complete(name, given, record.settings).items()))


@cache  # one value for one text: what is compiled for it is found again
def _built(name: str, settings: tuple[tuple[str, Value], ...]) -> Model:
    record = MODELS[name]
    defaults = {key: setting.default for key, setting in record.settings.items()}
    return record.build(write(name, dict(settings), defaults), dict(settings))
