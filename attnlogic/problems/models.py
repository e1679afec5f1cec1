"""The models by name: how each is built from its settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

from attnlogic.grammar import Value, foreign, write, write_foreign
from attnlogic.problems import neuron, own, perceptrons
from attnlogic.problems.architecture import Model, Quantity
from attnlogic.problems.own import AnyModel
from attnlogic.settings import Setting, complete, defaults, look_up
from attnlogic.sweeps import only, sweep


class ModelRecord(NamedTuple):
    """What is known of a family of models.

    Attributes:
      name: how it is called.
      summary: one line for a person.
      settings: its settings by name.
      build: the model, from its written name and the values of all settings.
      theory: what is known of it before anything is trained, for a person.
    """

    name: str
    summary: str
    settings: dict[str, Setting]
    build: Callable[[str, dict[str, Value]], Model]
    theory: str


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


def _linear(name: str, settings: dict[str, Value]) -> Model:
    return Model(
        name=name,
        formula="w·x + b",
        tensors=perceptrons.linear_tensors,
        predict=perceptrons.linear,
        family="linear",
        settings=tuple(settings.items()),
    )


def _mlp(name: str, settings: dict[str, Value]) -> Model:
    hidden, activation = int(settings["hidden"]), str(settings["activation"])
    inner = "v_h·x + c_h"
    unit = f"({inner})" if activation == "identity" else f"{activation}({inner})"
    return Model(
        name=name,
        formula=f"Σ_h w_h {unit} + b",
        tensors=partial(perceptrons.mlp_tensors, hidden=hidden),
        predict=partial(perceptrons.mlp, activation=activation),
        family="mlp",
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
                "scores": Setting(
                    "raw", "how the scores become weights", choices=("raw", "softmax")
                ),
                "heads": Setting(
                    1, "attentions side by side, whose results are added", low=1, high=8
                ),
            },
            _attention,
            "raw scores: the least loss at every C, and so whether a gate can be solved at all; "
            "softmax: nothing",
        ),
        ModelRecord(
            "linear",
            "a linear readout of the inputs",
            {},
            _linear,
            "the least loss, which is the linear plateau of attention (C = 0)",
        ),
        ModelRecord(
            "mlp",
            "a network with one hidden layer",
            {
                "hidden": Setting(2, "the number of hidden units", low=1, high=64),
                "activation": Setting(
                    "tanh", "the function of a hidden unit", choices=tuple(perceptrons.ACTIVATIONS)
                ),
            },
            _mlp,
            "nothing",
        ),
    )
}
"""The families of models by name."""


def model(text: object) -> AnyModel:
    """Read a model: ``"attention"``, ``"mlp(hidden=3)"`` or ``"package.module:factory(width=3)"``.

    Args:
      text: a name, with the settings that differ from the default in parentheses; or where a
        user's own is found (see ``own.load``); or a model, returned as it is; or what stands for
        one (see ``own.adopted``).

    Raises:
      InputError: an unknown name or setting, a value out of range, several values of a setting, or
        a user's own cannot be had.

    Example:
      >>> model("attention(bias=False)").tensors(2)[-1].entries
      ('w1', 'w2')
    """
    return only("model", text, models_of(text))


def models_of(text: object) -> tuple[AnyModel, ...]:
    """Read a model whose settings may have several values: ``"mlp(hidden=[2,4,8])"``.

    Returns:
      Every combination, each once, in the order of the text.

    Raises:
      InputError: see ``model``.

    Example:
      >>> [str(one) for one in models_of("attention(heads=1..3:3)")]
      ['attention', 'attention(heads=2)', 'attention(heads=3)']
    """
    if not isinstance(text, str):
        return (own.adopted(text),)

    def known(name: str) -> dict[str, Setting]:
        return look_up("model", name, MODELS).settings

    name, choices = sweep("model", text, "attention(residual=False)", known)
    if foreign(name):
        return tuple(own.load(write_foreign(name, one)) for one in choices)
    return tuple(
        dict.fromkeys(
            _built(name, tuple(complete(name, one, known(name)).items())) for one in choices
        )
    )


@cache  # one value for one text: what is compiled for it is found again
def _built(name: str, settings: tuple[tuple[str, Value], ...]) -> Model:
    record = MODELS[name]
    return record.build(write(name, dict(settings), defaults(record.settings)), dict(settings))
