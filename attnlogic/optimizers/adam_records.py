"""Adam and the optimizers made from it. Defaults are torch's, Adam's own with the notebook's lr."""

from __future__ import annotations

from attnlogic.optimizers.record import (
    OptimizerRecord,
    learning_rate,
    not_negative,
    positive,
    share,
    switch,
    weight_decay,
)
from attnlogic.settings import Setting

NOTEBOOK_LR = 0.05

_BETAS = {
    "beta1": share(0.9, "how much the mean of the gradients keeps each epoch"),
    "beta2": share(0.999, "how much the mean of the squared gradients keeps each epoch"),
}
_EPS = positive(1e-8, "added to the root of that mean, by which steps are divided")
_DECOUPLED = switch("weight decay moves the parameters beside the step (as in adamw)")


def _adam(decay: float = 0.0, **more: Setting) -> dict[str, Setting]:
    return {
        "lr": learning_rate(NOTEBOOK_LR),
        **_BETAS,
        "eps": _EPS,
        "weight_decay": weight_decay(decay),
        **more,
    }


_AMSGRAD = switch("divide by the largest root so far")

ADAM = OptimizerRecord(
    name="adam",
    summary="Adam; weight_decay is added to the gradient",
    epochs=8000,
    settings=_adam(amsgrad=_AMSGRAD),
    weight_decay="l2",
)

ADAMW = OptimizerRecord(
    name="adamw",
    summary="Adam with decoupled weight decay (torch's 1e-2)",
    epochs=8000,
    settings=_adam(decay=1e-2, amsgrad=_AMSGRAD),
    weight_decay="decoupled_adam",
)

AMSGRAD = OptimizerRecord(
    name="amsgrad",
    summary="adam(amsgrad=True): Adam that divides by the largest root so far",
    epochs=8000,
    settings=_adam(),
    weight_decay="l2",
)


def _nadam(**more: Setting) -> dict[str, Setting]:
    return {
        "lr": learning_rate(2e-3),
        **_BETAS,
        "eps": _EPS,
        "weight_decay": weight_decay(),
        "momentum_decay": not_negative(4e-3, "how fast beta1 grows from its half to its value"),
        **more,
    }


NADAM = OptimizerRecord(
    name="nadam",
    summary="Adam with Nesterov's momentum, as torch has it",
    epochs=8000,
    settings=_nadam(decoupled_weight_decay=_DECOUPLED),
    weight_decay="other",
)

NADAMW = OptimizerRecord(
    name="nadamw",
    summary="nadam(decoupled_weight_decay=True); the decay is 0 unless given, as in torch",
    epochs=8000,
    settings=_nadam(),
    weight_decay="other",
)

RADAM = OptimizerRecord(
    name="radam",
    summary="rectified Adam: its steps are damped while the mean of squares is young",
    epochs=8000,
    settings={
        "lr": learning_rate(1e-3),
        **_BETAS,
        "eps": _EPS,
        "weight_decay": weight_decay(),
        "decoupled_weight_decay": _DECOUPLED,
    },
    weight_decay="other",
)

ADAMAX = OptimizerRecord(
    name="adamax",
    summary="Adam that divides by the largest gradient, which is slowly forgotten",
    epochs=8000,
    settings={
        "lr": learning_rate(2e-3),
        "beta1": _BETAS["beta1"],
        "beta2": share(0.999, "how much the largest gradient keeps each epoch"),
        "eps": positive(1e-8, "added to each gradient's magnitude"),
        "weight_decay": weight_decay(),
    },
    weight_decay="l2",
)
