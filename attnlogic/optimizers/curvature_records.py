"""Optimizers that look at all parameters of a run together: L-BFGS and Polyak's step."""

from __future__ import annotations

from attnlogic.optimizers.adam_records import NOTEBOOK_LR
from attnlogic.optimizers.record import (
    OptimizerRecord,
    count,
    learning_rate,
    not_negative,
    share,
)
from attnlogic.settings import Setting

LINE_SEARCHES = ("none", "strong_wolfe")

# Counts are limited: 32 bits must hold their sums over an epoch, and a backend may reserve memory
# for the history.
LBFGS = OptimizerRecord(
    name="lbfgs",
    summary="torch's L-BFGS: up to max_iter iterations an epoch, at will with a line search",
    # The notebook's budget is 8000. An epoch costs up to twenty evaluations, and none of the first
    # 10,000 seeds first hits the threshold of 1e-4 after epoch 200, on XOR or NAND.
    epochs=500,
    settings={
        "lr": learning_rate(NOTEBOOK_LR),
        "max_iter": count(20, "iterations an epoch, at most", high=1_000_000),
        "max_eval": count(25, "evaluations an epoch, at most", high=2_000_000),
        "tolerance_grad": not_negative(1e-7, "an epoch ends at a gradient this small"),
        "tolerance_change": not_negative(1e-9, "an epoch ends at a change this small"),
        "history_size": count(100, "steps that the curvature is estimated from", high=10_000),
        "line_search": Setting(
            "none", "how long a step is: lr, or found by a search", choices=LINE_SEARCHES
        ),
    },
    implied=lambda settings: {"max_eval": int(settings["max_iter"]) * 5 // 4},  # torch's rule
)

LBFGS_ZOOM = OptimizerRecord(
    name="lbfgs_zoom",
    summary="optax's L-BFGS with its zoom line search: one iteration an epoch (jax backend alone)",
    epochs=500,
    settings={
        "memory_size": count(10, "steps that the curvature is estimated from", high=10_000),
        "scale_init_precond": Setting(True, "scale the first direction by the curvature"),
        "max_linesearch_steps": count(20, "trials of a search, at most", high=1_000_000),
        "slope_rtol": share(1e-4, "how much of the slope's promise a step must keep"),
        "curv_rtol": share(0.9, "how much of the slope may be left"),
    },
)

POLYAK = OptimizerRecord(
    name="polyak",
    summary="steps of (loss - f_min)/‖grad‖², stopping once ‖grad‖² < tolerance",
    epochs=800,
    settings={
        "f_min": Setting(0.0, "the loss that a step aims at"),
        "tolerance": not_negative(1e-12, "a run stops once ‖grad‖² is below it"),
    },
)
