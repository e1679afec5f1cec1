"""Running a study: backends hand outcomes back, and only this process writes them to disk."""

from __future__ import annotations

import datetime
import os
import platform
import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from attnlogic.backend import Backend, Batch, closed
from attnlogic.backend import backend as find
from attnlogic.errors import InputError, described
from attnlogic.outcomes import Outcome
from attnlogic.problems import Problem
from attnlogic.results import FORMAT, Runs, new_study, own_columns, table, write_part
from attnlogic.settings import whole
from attnlogic.studies.parts import write_in_parts
from attnlogic.studies.progress import Progress
from attnlogic.studies.signals import raised
from attnlogic.studies.study import Condition, Study, seed_range
from attnlogic.version import __version__
from attnlogic.words import counted

RUNS_AT_ONCE = 2**20
"""Runs whose initial parameters are in memory at once: 24 MB of the notebook's neuron."""


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
      KeyboardInterrupt: on Ctrl-C, and in the main thread on SIGTERM and SIGHUP; the runs that were
        finished are on disk. If there are none, nor is the folder.

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
    for condition in study.conditions:
        trainer.check(condition.training, processes)
    folder = _folder(out)
    groups = by_kind(study)
    description = _description(study, groups, trainer, seeds, processes)
    total = len(study.conditions) * len(seeds)
    with (
        raised("SIGTERM", "SIGHUP"),
        new_study(folder, description) as runs,
        Progress(total, show=progress) as bar,
    ):
        for group, kind in zip(groups, description["kinds"], strict=True):
            bar.describe(_described([study.conditions[k] for k in group]))
            for piece in pieces(group, seeds):
                batch = _batch(study, piece)
                write = _writer(runs, kind["parts"], study, batch.trainings[0].problem, piece)
                work = trainer.train(batch, jobs=processes, on_progress=bar.advance)
                with closed(work) as outcomes:
                    write_in_parts(outcomes, write)
    return runs


def by_kind(study: Study) -> list[list[int]]:
    """The study's conditions, by their numbers, in lists of those that can be trained together."""
    found: dict[Hashable, list[int]] = {}
    for number, condition in enumerate(study.conditions):
        found.setdefault(condition.training.kind, []).append(number)
    return [*found.values()]


class Piece(NamedTuple):
    """Consecutive runs of conditions of one kind.

    Attributes:
      first: the number of the first among all runs of the kind.
      conditions: the number of each run's condition; (N,).
      seeds: (N,).
    """

    first: int
    conditions: npt.NDArray[np.uint32]
    seeds: npt.NDArray[np.uint32]


def pieces(conditions: Sequence[int], seeds: range) -> Iterator[Piece]:
    """All runs of some conditions, condition by condition, at most ``RUNS_AT_ONCE`` at a time."""
    together = max(1, RUNS_AT_ONCE // len(seeds))
    first = 0
    for start in range(0, len(conditions), together):
        some = np.array(conditions[start : start + together], np.uint32)
        for begin in range(seeds.start, seeds.stop, RUNS_AT_ONCE):
            end = min(begin + RUNS_AT_ONCE, seeds.stop)
            numbers = np.arange(begin, end, dtype=np.uint32)
            piece = Piece(first, np.repeat(some, len(numbers)), np.tile(numbers, len(some)))
            yield piece
            first += len(piece.seeds)


def _batch(study: Study, piece: Piece) -> Batch:
    """The runs of a piece, each with its condition and its start."""
    numbers, which = np.unique(piece.conditions, return_inverse=True)
    conditions = [study.conditions[k] for k in numbers]
    per = len(piece.seeds) // len(numbers)  # the seeds are the same for each condition
    starts = {
        init: conditions[0].training.problem.initial(piece.seeds[:per], init)
        for init in {condition.init for condition in conditions}
    }
    return Batch(
        tuple(condition.training for condition in conditions),
        which.astype(np.int32),
        np.concatenate([starts[condition.init] for condition in conditions], axis=1),
    )


def _writer(
    runs: Runs, kind: str, study: Study, problem: Problem, piece: Piece
) -> Callable[[int, Outcome], None]:
    """What writes outcomes of a piece as a part of their kind's folder."""
    own = own_columns(problem, [*study.parameters])

    def write(first: int, outcomes: Outcome) -> None:
        some = slice(first, first + len(outcomes.first_hit))
        rows = table(
            problem, study.precision, piece.conditions[some], piece.seeds[some], outcomes, own
        )
        write_part(runs.directory, kind, piece.first + first, rows)

    return write


def _described(conditions: Sequence[Condition]) -> str:
    """What is being trained, in a few words."""
    if len(conditions) == 1:
        return str(conditions[0])
    names = {condition.training.optimizer.name for condition in conditions}
    return f"{', '.join(names)}: {counted(len(conditions), 'condition')}"


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


def _description(
    study: Study, groups: list[list[int]], trainer: Backend, seeds: range, jobs: int
) -> dict[str, Any]:
    """Everything that is needed to read the runs, and to make them again."""
    return {
        "format": FORMAT,
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
        "until": study.until,
        "seeds": {"first": seeds.start, "count": len(seeds)},
        "data": {
            data.name: {"inputs": [*map(list, data.inputs)], "targets": [*data.targets]}
            for data in {condition.training.problem.data for condition in study.conditions}
            if data.gate is None
        },
        "kinds": [_kind(study, i, group[0]) for i, group in enumerate(groups)],
        "conditions": [
            {
                "gate": condition.training.problem.data.name,
                "optimizer": str(condition.training.optimizer),
                "epochs": condition.training.epochs,
                "init": str(condition.init),
                "model": condition.training.problem.model.name,
                "encoding": condition.training.problem.data.encoding,
            }
            for condition in study.conditions
        ],
    }


def _kind(study: Study, number: int, condition: int) -> dict[str, Any]:
    """What the parts of one kind's folder hold, from one of the kind's conditions."""
    training = study.conditions[condition].training
    own = own_columns(training.problem, [*study.parameters])
    name = re.sub(r"\W+", "-", training.optimizer.name)
    return {
        "parts": f"{number:03d}-{name}",
        "model": training.problem.model.name,
        "quantities": own.quantities,
        "parameters": [*own.parameters],
    }
