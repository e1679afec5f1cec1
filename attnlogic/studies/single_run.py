"""One run, as the notebook shows it: every epoch's loss, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import attnlogic.backend as backends
from attnlogic import optimizers, outcomes
from attnlogic.backend import Backend, Training
from attnlogic.errors import InputError
from attnlogic.optimizers import Optimizer
from attnlogic.outcomes import NONE, History, Outcome
from attnlogic.problems import Gate, Initialization, gates, model
from attnlogic.problems import initializations as initial
from attnlogic.studies.progress import Progress


@dataclass(frozen=True)
class Run:
    """One seed trained under one condition.

    Attributes:
      training: the condition and its budget.
      seed: the seed.
      backend: the backend's name.
      init: how the initial parameters were drawn.
      history: the run, epoch by epoch.
      outcome: what is kept of it.
    """

    training: Training
    seed: int
    backend: str
    init: Initialization
    history: History
    outcome: Outcome

    @property
    def status(self) -> str:
        """``solved``, ``lost``, ``unsolved`` or ``diverged``."""
        return str(outcomes.status(self.outcome))

    @property
    def rises(self) -> list[int]:
        """The epochs after first_hit whose loss is greater than the loss just before."""
        return [int(e) for e in outcomes.rises(self.history.losses, int(self.outcome.first_hit))]

    def as_dict(self) -> dict[str, Any]:
        """The run in plain Python values, fit for JSON: what does not exist is None."""
        names = ("stopped_at", "diverged_at", "first_hit", "sustained_from")
        epochs = {name: int(getattr(self.outcome, name)) for name in names}
        values = map(_finite, model.pack(self.outcome.final))
        with np.errstate(over="ignore", invalid="ignore"):  # the last update may be huge
            coefficients = model.coefficients(self.outcome.final)._asdict()
        return {
            "gate": self.training.gate.name,
            "optimizer": str(self.training.optimizer),
            "seed": self.seed,
            "backend": self.backend,
            "precision": self.training.precision,
            "init": str(self.init),
            "epochs": self.training.epochs,
            "threshold": self.training.threshold,
            "until": self.training.until,
            "status": self.status,
            **{name: None if epoch == NONE else epoch for name, epoch in epochs.items()},
            "rises": int(self.outcome.rises),
            "first_rises": self.rises[:10],
            "exits": int(self.outcome.exits),
            "worst_after_hit": _finite(self.outcome.worst_after_hit),
            "min_loss": _finite(self.outcome.min_loss),
            "final_loss": _finite(self.outcome.final_loss),
            "evaluations": int(self.outcome.evaluations),
            "gradient_norm": _finite(self.outcome.gradient_norm),
            "params": dict(zip(model.NAMES, values, strict=True)),
            "C": _finite(self.outcome.C),
            "C_first_hit": _finite(self.outcome.C_first_hit),
            "coefficients": {name: _finite(value) for name, value in coefficients.items()},
            "losses": [_finite(loss) for loss in self.history.losses],
        }


def _finite(value: Any) -> float | None:
    """A Python float, or None for what JSON has no number for."""
    return float(value) if np.isfinite(value) else None


def train(
    gate: str | Gate,
    optimizer: str | Optimizer,
    seed: int = 0,
    *,
    epochs: int | None = None,
    threshold: float = 1e-4,
    backend: str | Backend = "jax",
    precision: str = "float32",
    init: str | Initialization = "torch",
    until: str = "budget",
    progress: bool | None = None,
) -> Run:
    """Train one seed, keeping its whole history.

    Args:
      gate: what is to be learnt.
      optimizer: by what.
      seed: torch's seed, 0 … 2^32-1.
      epochs: the budget; None for the optimizer's usual one.
      threshold: the loss at or below which the run counts as having hit.
      backend: by which backend.
      precision: ``"float32"`` or ``"float64"``.
      init: how the initial parameters are drawn.
      until: ``"budget"``, or ``"hit"`` to end the run at its first hit.
      progress: whether to show a progress bar; None to show it where stderr is a terminal.

    Raises:
      InputError: something is unknown or out of range; raised before any work starts.

    Example:
      >>> train("xor", "adamw", seed=0).history.losses[[0, 50, 100]].round(4)
      array([0.839 , 0.113 , 0.0257], dtype=float32)
    """
    by = optimizers.optimizer(optimizer)
    budget = by.epochs if epochs is None else epochs
    training = backends.checked(Training(gates.gate(gate), by, budget, threshold, precision, until))
    how = initial.initialization(init)
    if np.ndim(seed) != 0:
        raise InputError(f"a run has one seed, got {seed!r}: for many there is attnlogic.run")
    start = initial.initial(seed, how)
    trainer = backends.backend(backend)
    trainer.check(training, 1)
    with Progress(1, show=progress) as bar:
        bar.describe(f"{training.gate} · {training.optimizer}")
        history = outcomes.join([*trainer.history(training, start, on_progress=bar.advance)])
    outcome = outcomes.outcome(history, threshold)
    return Run(training, int(seed), trainer.name, how, history, outcome)
