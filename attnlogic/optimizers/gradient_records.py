"""Gradient descent, and optimizers with a rate for each parameter. Defaults are torch's."""

from __future__ import annotations

from attnlogic.grammar import Value
from attnlogic.optimizers.adam_records import NOTEBOOK_LR
from attnlogic.optimizers.record import (
    MOMENTUM,
    OptimizerRecord,
    learning_rate,
    not_negative,
    positive,
    share,
    switch,
    weight_decay,
)
from attnlogic.settings import Setting


def _nesterov_conflict(settings: dict[str, Value]) -> str | None:
    if not settings["nesterov"] or (settings["momentum"] and not settings["dampening"]):
        return None
    return (
        "nesterov=True needs a momentum above 0 and dampening=0, "
        f"got momentum={settings['momentum']:g}, dampening={settings['dampening']:g}"
    )


SGD = OptimizerRecord(
    name="sgd",
    summary="gradient descent on all four rows at once",
    epochs=8000,
    settings={
        "lr": learning_rate(NOTEBOOK_LR),
        "momentum": MOMENTUM,
        "dampening": not_negative(
            0.0, "by which share a gradient counts less in the velocity", off=0.0
        ),
        "weight_decay": weight_decay(),
        "nesterov": switch("step as if the velocity had moved the run already"),
    },
    weight_decay="l2",
    conflict=_nesterov_conflict,
)

ASGD = OptimizerRecord(
    name="asgd",
    summary="gradient descent whose rate falls; torch's average of the path moves no run",
    epochs=8000,
    settings={
        "lr": learning_rate(1e-2),
        "lambd": not_negative(1e-4, "how fast the rate falls; and a weight decay of this strength"),
        "alpha": not_negative(0.75, "the power with which the rate falls"),
        "t0": not_negative(1e6, "when torch begins to average; a run is the same whatever it is"),
        "weight_decay": weight_decay(),
    },
    weight_decay="other",
)


def _step_size_conflict(settings: dict[str, Value]) -> str | None:
    low, high = float(settings["step_size_min"]), float(settings["step_size_max"])
    if low <= high:
        return None
    return f"expected step_size_min ≤ step_size_max, got {low:g} and {high:g}"


# torch's lr is the first step's size and nothing else: a schedule would change nothing.
RPROP = OptimizerRecord(
    name="rprop",
    summary="steps by the gradient's sign; they grow while it stays and shrink when it turns",
    epochs=8000,
    settings={
        "lr": positive(1e-2, "the size of the first step"),
        "eta_minus": Setting(
            0.5, "a step's factor when the sign turns", 0, 1, open_low=True, open_high=True
        ),
        "eta_plus": Setting(1.2, "a step's factor when the sign stays", 1, open_low=True),
        "step_size_min": positive(1e-6, "the smallest step"),
        "step_size_max": positive(50.0, "the largest step"),
    },
    scheduled=False,
    conflict=_step_size_conflict,
)

RMSPROP = OptimizerRecord(
    name="rmsprop",
    summary="divides the gradient by the root of the mean of its squares",
    epochs=8000,
    settings={
        "lr": learning_rate(1e-2),
        "alpha": share(0.99, "how much the mean of the squared gradients keeps each epoch"),
        "eps": positive(1e-8, "added to the root of that mean"),
        "weight_decay": weight_decay(),
        "momentum": MOMENTUM,
        "centered": switch("divide by the standard deviation instead"),
    },
    weight_decay="l2",
)

ADAGRAD = OptimizerRecord(
    name="adagrad",
    summary="divides the gradient by the root of the sum of its squares",
    epochs=8000,
    settings={
        "lr": learning_rate(1e-2),
        "lr_decay": not_negative(0.0, "lr is divided by 1 + lr_decay·epoch", off=0.0),
        "weight_decay": weight_decay(),
        "initial_accumulator_value": not_negative(0.0, "what the sum starts from"),
        "eps": positive(1e-10, "added to the root of that sum"),
    },
    weight_decay="l2",
)

ADADELTA = OptimizerRecord(
    name="adadelta",
    summary="steps as large as the mean of the last ones, relative to the gradients'",
    epochs=8000,
    settings={
        "lr": learning_rate(1.0),
        "rho": share(0.9, "how much both means of squares keep each epoch"),
        "eps": positive(1e-6, "added to both means"),
        "weight_decay": weight_decay(),
    },
    weight_decay="l2",
)
