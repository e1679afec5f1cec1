"""A study: conditions × seeds. What it is, and how it is run.

Only the caller writes to disk: backends hand outcomes back.
"""

from __future__ import annotations

import datetime
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import attnlogic.backend as backends
from attnlogic.backend import Backend, Training
from attnlogic.errors import InputError
from attnlogic.optimizers import FAMILIES, Optimizer, optimizer
from attnlogic.outcomes import Outcome, concatenate
from attnlogic.problems import SEED_LIMIT, Gate, Initialization, gate, initial, initialization
from attnlogic.results import Runs, create, table, write_part
from attnlogic.studies.progress import Progress

STRETCH = 2**20
"""Seeds whose initial parameters are drawn at once."""

PART_SECONDS = 10.0
"""After so long, what is done is written: the most that a kill can cost."""

PART_ROWS = 2**16
"""Rows after which a part is written in any case."""


@dataclass(frozen=True)
class Study:
    """Conditions (gate × optimizer) × seeds.

    Attributes:
      gates: names, bit strings or ``Gate``s.
      optimizers: ``"adam"``, ``"adamw(lr=0.01)"`` or ``Optimizer``s.
      seeds: N for the seeds 0 … N-1, or a ``range`` of step 1; None for as many as the backend
        trains in about a minute.
      epochs: the budget of every run; None for each optimizer's usual one.
      threshold: the loss at or below which a run counts as having hit.
      precision: ``"float32"`` or ``"float64"``.
      init: how the initial parameters are drawn: ``"torch"``, ``"normal(scale=0.5)"``, …
      until: ``"budget"``, or ``"hit"`` to end each run at its first hit.

    Raises:
      InputError: something is unknown or out of range.
    """

    gates: Sequence[str | Gate] = ("xor", "nand")
    optimizers: Sequence[str | Optimizer] = tuple(FAMILIES)
    seeds: int | range | None = None
    epochs: int | None = None
    threshold: float = 1e-4
    precision: str = "float32"
    init: str | Initialization = "torch"
    until: str = "budget"

    def __post_init__(self) -> None:
        if not self.trainings:
            raise InputError("a study needs at least one gate and one optimizer, got none")
        initialization(self.init)
        if self.seeds is not None:
            seed_range(self.seeds)

    @cached_property
    def trainings(self) -> tuple[Training, ...]:
        """One for each condition: every gate with every optimizer, each once, gates first."""
        chosen = [self.gates] if isinstance(self.gates, str | Gate) else self.gates
        named = (
            [self.optimizers] if isinstance(self.optimizers, str | Optimizer) else self.optimizers
        )
        by = [optimizer(one) for one in named]
        every = (
            Training(
                one,
                way,
                way.epochs if self.epochs is None else self.epochs,
                self.threshold,
                self.precision,
                self.until,
            )
            for one in map(gate, chosen)
            for way in by
        )
        return tuple(map(backends.checked, dict.fromkeys(every)))


def seed_range(seeds: int | range) -> range:
    """The seeds 0 … N-1 for a number N; a range as it is.

    Raises:
      InputError: no seeds, a step other than 1, or seeds out of 0 … 2^32-1.
    """
    chosen = seeds
    if isinstance(seeds, int | np.integer) and not isinstance(seeds, bool):
        chosen = range(int(seeds))
    if not isinstance(chosen, range) or chosen.step != 1:
        raise InputError(f"seeds: expected a number or a range of step 1, got {seeds!r}")
    if len(chosen) == 0:
        raise InputError(f"seeds: expected at least one, got {seeds!r}")
    if chosen.start < 0 or chosen.stop > SEED_LIMIT:
        raise InputError(f"seeds lie in 0 … {SEED_LIMIT - 1}, got {chosen.start} … {chosen[-1]}")
    return chosen


def run(
    study: Study,
    backend: str | Backend = "jax",
    out: str | Path | None = None,
    *,
    jobs: int = 1,
    progress: bool | None = None,
) -> Runs:
    """Run a study, writing its runs to disk as they come.

    Args:
      study: what to do.
      backend: by which backend.
      out: a new or empty folder; None for ``runs/`` and the time of day.
      jobs: processes, for a backend that uses several.
      progress: whether to show a progress bar; None to show it where stderr is a terminal.

    Returns:
      The runs, lying on disk.

    Raises:
      InputError: the study cannot be run as asked; raised before any work starts.
      KeyboardInterrupt: on Ctrl-C; all runs that were done by then are on disk.

    Example:
      >>> runs = run(Study(gates=["xor"], optimizers=["adamw"], seeds=1000), out="runs/demo")
    """
    trainer = backends.backend(backend)
    seeds = seed_range(trainer.seeds) if study.seeds is None else seed_range(study.seeds)
    how = initialization(study.init)
    for training in study.trainings:
        trainer.check(training, jobs)
    directory = Path(out) if out is not None else new_directory()
    runs = create(directory, _description(study, trainer, seeds, how, jobs))
    with Progress(len(study.trainings) * len(seeds), show=progress) as bar:
        for training, condition in zip(
            study.trainings, runs.description["conditions"], strict=True
        ):
            bar.describe(f"{training.gate} · {training.optimizer}")
            _run_condition(trainer, training, seeds, how, jobs, runs, condition["parts"], bar)
    return runs


def _run_condition(
    trainer: Backend, training: Training, seeds: range, how: Initialization, jobs: int, runs: Runs,
    condition: str, bar: Progress,
) -> None:  # fmt: skip
    """Train all seeds under one condition, a stretch after the other."""
    for first in range(seeds.start, seeds.stop, STRETCH):
        stretch = np.arange(first, min(first + STRETCH, seeds.stop), dtype=np.uint32)
        outcomes = trainer.train(
            training, initial(stretch, how), jobs=jobs, on_progress=bar.advance
        )
        waiting: list[Outcome] = []
        left, rows, since = stretch, 0, time.monotonic()
        try:
            for outcome in outcomes:
                waiting.append(outcome)
                rows += len(outcome.first_hit)
                if time.monotonic() - since > PART_SECONDS or rows >= PART_ROWS:
                    _write(trainer, training, how, runs, condition, left, waiting)
                    # Only now: an interrupt within the writing must not lose them. Written a
                    # second time they replace the same file.
                    waiting, left, rows, since = [], left[rows:], 0, time.monotonic()
        finally:  # on Ctrl-C or an error, too: what is done is kept
            if waiting:
                _write(trainer, training, how, runs, condition, left, waiting)


def _write(
    trainer: Backend, training: Training, how: Initialization, runs: Runs, condition: str,
    seeds: npt.NDArray[np.uint32], outcomes: list[Outcome],
) -> None:  # fmt: skip
    """Write what is done: the outcomes of the first few of the seeds."""
    done = concatenate(outcomes)
    rows = table(training, trainer.name, str(how), seeds[: len(done.first_hit)], done)
    write_part(runs.directory, condition, rows)


def new_directory() -> Path:
    """A folder that does not exist yet: ``runs/`` and the time of day."""
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    path, again = Path("runs") / now, 1
    while path.exists():
        again += 1
        path = Path("runs") / f"{now}-{again}"
    return path


def _description(
    study: Study, trainer: Backend, seeds: range, how: Initialization, jobs: int
) -> dict[str, Any]:
    """All that is needed to read the runs, and to make them again."""
    from attnlogic.version import __version__

    return {
        "attnlogic": __version__,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "backend": trainer.name,
        "devices": trainer.devices(),
        "versions": {"python": platform.python_version(), "numpy": np.__version__}
        | trainer.versions(),
        "platform": platform.platform(),
        "jobs": jobs,
        "precision": study.precision,
        "threshold": study.threshold,
        "init": str(how),
        "until": study.until,
        "seeds": {"first": seeds.start, "count": len(seeds)},
        "conditions": [
            {
                "gate": training.gate.name,
                "targets": training.gate.bits,
                "optimizer": str(training.optimizer),
                "hyperparameters": training.optimizer.settings,
                "epochs": training.epochs,
                "parts": f"{i:03d}-{training.gate}-{training.optimizer.name}",
            }
            for i, training in enumerate(study.trainings)
        ],
    }
