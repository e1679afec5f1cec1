"""One run with every epoch's loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from attnlogic.backend import Backend, Training, checked, closed
from attnlogic.backend import backend as find
from attnlogic.history import History, join, outcome, rises
from attnlogic.optimizers import Optimizer
from attnlogic.optimizers import optimizer as read_optimizer
from attnlogic.outcomes import NONE, Outcome, status
from attnlogic.problems import (
    SEED_LIMIT,
    Data,
    Gate,
    Initialization,
    Model,
    initialization,
    neuron,
    problem,
)
from attnlogic.settings import whole
from attnlogic.studies.progress import Progress
from attnlogic.words import counted


@dataclass(frozen=True, repr=False)
class Run:
    """One seed trained under one condition.

    Attributes:
      training: the condition and its budget. Of an interrupted run the budget is the number of
        epochs that were done: with it the run can be made again.
      seed: the seed.
      backend: the backend's name.
      init: how the initial parameters were drawn.
      history: the run, epoch by epoch.
      outcome: what is kept of it.
      interrupted: whether the run was ended by Ctrl-C.
    """

    training: Training
    seed: int
    backend: str
    init: Initialization
    history: History
    outcome: Outcome
    interrupted: bool = False

    @property
    def status(self) -> str:
        """``solved``, ``lost``, ``unsolved`` or ``diverged``."""
        return str(status(self.outcome))

    @property
    def rises(self) -> list[int]:
        """The epochs after first_hit whose loss is greater than the loss just before."""
        return [int(e) for e in rises(self.history.losses, int(self.outcome.first_hit))]

    @property
    def coefficients(self) -> dict[str, float | None] | None:
        """Those of the expanded form on {0, 1}; None for another model than the notebook's."""
        problem = self.training.problem
        if problem.model.name != "attention" or problem.data.n != 2:
            return None
        with np.errstate(over="ignore", invalid="ignore"):  # the last update may be huge
            found = neuron.coefficients(problem.unpack(tuple(self.outcome.final)))
        return {name: _finite(value) for name, value in found._asdict().items()}

    def __repr__(self) -> str:
        what = f"{self.training} · seed {self.seed}"
        epochs = counted(len(self.history.losses), "epoch")
        end = " (interrupted)" if self.interrupted else ""
        return f"Run({what}: {epochs}{end}, {self.outcome!r})"

    def as_dict(self) -> dict[str, Any]:
        """The run in plain Python values, fit for JSON; None for what does not exist."""
        names = ("stopped_at", "diverged_at", "first_hit", "sustained_from")
        epochs = {name: int(getattr(self.outcome, name)) for name in names}
        problem, own = self.training.problem, {}
        for name, value in self.outcome.quantities.items():
            own[name] = _finite(value)
            own[f"{name}_first_hit"] = _finite(self.outcome.quantities_first_hit[name])
        return {
            "gate": problem.data.name,
            "model": problem.model.name,
            "encoding": problem.data.encoding,
            "optimizer": str(self.training.optimizer),
            "seed": self.seed,
            "backend": self.backend,
            "precision": self.training.precision,
            "init": str(self.init),
            "epochs": self.training.epochs,
            "threshold": self.training.threshold,
            "until": self.training.until,
            "interrupted": self.interrupted,
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
            "params": dict(zip(problem.names, map(_finite, self.outcome.final), strict=True)),
            **own,
            "coefficients": self.coefficients,
            "losses": [_finite(loss) for loss in self.history.losses],
        }


def _finite(value: Any) -> float | None:
    """A Python float, or None for what JSON has no number for."""
    return float(value) if np.isfinite(value) else None


def train(
    gate: str | Gate | Data | None,
    optimizer: str | Optimizer,
    seed: int = 0,
    *,
    epochs: int | None = None,
    threshold: float = 1e-4,
    backend: str | Backend = "jax",
    precision: str = "float32",
    init: str | Initialization = "torch",
    until: str = "budget",
    model: str | Model = "attention",
    encoding: str = "01",
    progress: bool | None = None,
) -> Run:
    """Train one seed, keeping its whole history.

    Args:
      gate: the gate to learn, or other data; None for a loss of the parameters alone.
      optimizer: the optimizer.
      seed: torch's seed, 0 … 2^32-1.
      epochs: the budget; None for the optimizer's usual one.
      threshold: the loss at or below which the run counts as having hit.
      backend: a backend, or its name.
      precision: ``"float32"`` or ``"float64"``.
      init: how the initial parameters are drawn.
      until: ``"budget"``, or ``"hit"`` to end the run at its first hit.
      model: what learns it.
      encoding: what stands for false and true in a gate's inputs: ``"01"`` or ``"pm1"``.
      progress: True for a progress bar on stderr, False for none; None for a bar where stderr is a
        terminal, and else for a line now and then.

    Returns:
      The run. On Ctrl-C it is the run so far, marked as ``interrupted``.

    Raises:
      InputError: something is of the wrong type, unknown or out of range; raised before any work
        starts.
      KeyboardInterrupt: on Ctrl-C, while nothing of the run is there yet.

    Example:
      >>> run = train("xor", "adamw", seed=0, epochs=101, progress=False)
      >>> run.history.losses[[0, 50, 100]].round(4)
      array([0.839 , 0.113 , 0.0257], dtype=float32)
    """
    by = read_optimizer(optimizer)
    budget = by.epochs if epochs is None else epochs
    what = problem(gate, model, encoding)
    training = checked(Training(what, by, budget, threshold, precision, until))
    how, number = initialization(init), whole("seed", seed, 0, SEED_LIMIT - 1)
    trainer = find(backend)
    trainer.check(training, 1)
    start = what.initial(number, how)
    parts: list[History] = []
    interrupted = False
    with Progress(training.epochs, "epoch", show=progress) as bar:
        bar.describe(f"{training} · seed {number}")

        def advance(share: float) -> None:
            bar.advance(share * training.epochs)

        try:
            with closed(trainer.history(training, start, on_progress=advance)) as history:
                for part in history:
                    parts.append(part)  # noqa: PERF402  one by one, to keep those before a Ctrl-C
        except KeyboardInterrupt:
            if not parts:
                raise
            interrupted = True
    run = join(parts)
    if interrupted:
        training = replace(training, epochs=len(run.losses))
    kept = outcome(run, training.threshold, what)
    return Run(training, number, trainer.name, how, run, kept, interrupted)
