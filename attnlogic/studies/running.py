"""Running a study: backends hand outcomes back, and only this process writes them to disk."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from attnlogic.backend import Backend, Training, closed
from attnlogic.backend import backend as find
from attnlogic.errors import InputError, described
from attnlogic.outcomes import Outcome
from attnlogic.problems import initial_params
from attnlogic.results import Runs, new_study, table, write_part
from attnlogic.settings import whole
from attnlogic.studies.parts import Seeds, write_in_parts
from attnlogic.studies.progress import Progress
from attnlogic.studies.study import Study, seed_range
from attnlogic.version import __version__

SEEDS_AT_ONCE = 2**20
"""Seeds whose initial parameters are in memory at once: 24 MB of them."""


def run(
    study: Study,
    backend: str | Backend = "jax",
    out: str | os.PathLike[str] | None = None,
    *,
    jobs: int = 1,
    progress: bool | None = None,
) -> Runs:
    """Run a study, writing its runs to disk as they come.

    Args:
      study: the conditions and seeds.
      backend: a backend, or its name.
      out: a new or empty folder; None for ``runs/`` and the time of day.
      jobs: the number of processes, for a backend that uses several.
      progress: True for a progress bar on stderr, False for none; None for a bar where stderr is a
        terminal, and else for a line now and then.

    Returns:
      The runs, as they are on disk.

    Raises:
      InputError: the study cannot be run as asked; raised before anything is trained or made.
      OSError: the runs cannot be written; it names the file. Those written before are kept.
      KeyboardInterrupt: on Ctrl-C; the runs that were finished are on disk. If there are none, nor
        is the folder.

    Example:
      >>> from tempfile import TemporaryDirectory
      >>> with TemporaryDirectory() as folder:
      ...     runs = run(Study("xor", "adamw", seeds=8, epochs=50), out=folder, progress=False)
      ...     runs.table()["status"].value_counts().rows()
      [('unsolved', 8)]
    """
    if not isinstance(study, Study):
        raise InputError(
            f"study: expected a Study such as Study('xor', 'adam'), got {described(study)}"
        )
    trainer = find(backend)
    processes = whole("jobs", jobs, 1)
    seeds = seed_range(trainer.seeds if study.seeds is None else study.seeds)
    for training in study.trainings:
        trainer.check(training, processes)
    folder = _folder(out)
    description = _description(study, trainer, seeds, processes)
    total = len(study.trainings) * len(seeds)
    with new_study(folder, description) as runs, Progress(total, show=progress) as bar:
        for training, condition in zip(study.trainings, description["conditions"], strict=True):
            bar.describe(f"{training.gate} · {training.optimizer}")
            write = _writer(runs, condition["parts"], training, trainer.name, str(study.init))
            for some in _cut(seeds):
                start = initial_params(some, study.init)
                work = trainer.train(training, start, jobs=processes, on_progress=bar.advance)
                with closed(work) as outcomes:
                    write_in_parts(outcomes, some, write)
    return runs


def _writer(
    runs: Runs, condition: str, training: Training, backend: str, init: str
) -> Callable[[Seeds, Outcome], None]:
    """What writes seeds and their outcomes as a part of a condition's folder."""

    def write(seeds: Seeds, outcomes: Outcome) -> None:
        rows = table(training, backend, init, seeds, outcomes)
        write_part(runs.directory, condition, rows)

    return write


def _cut(seeds: range) -> Iterator[Seeds]:
    """The seeds in order, as arrays of at most ``SEEDS_AT_ONCE``."""
    for first in range(seeds.start, seeds.stop, SEEDS_AT_ONCE):
        yield np.arange(first, min(first + SEEDS_AT_ONCE, seeds.stop), dtype=np.uint32)


def _folder(out: object) -> Path:
    if out is None:
        return new_directory()
    if isinstance(out, str | os.PathLike):
        return Path(out)
    raise InputError(f"out: expected a folder such as 'runs/demo', got {described(out)}")


def new_directory() -> Path:
    """A folder that does not exist yet: ``runs/`` and the time of day."""
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    path, again = Path("runs") / now, 1
    while path.exists():
        again += 1
        path = Path("runs") / f"{now}-{again}"
    return path


def _description(study: Study, trainer: Backend, seeds: range, jobs: int) -> dict[str, Any]:
    """Everything that is needed to read the runs, and to make them again."""
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
        "init": str(study.init),
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
