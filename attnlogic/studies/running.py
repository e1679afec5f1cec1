"""Running a study: backends hand outcomes back, and only this process writes them to disk."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from attnlogic.backend import Backend, closed
from attnlogic.backend import backend as find
from attnlogic.errors import InputError, described
from attnlogic.outcomes import Outcome
from attnlogic.problems import Problem
from attnlogic.results import (
    Opened,
    Runs,
    SeedRanges,
    load,
    open_study,
    own_columns,
    seeds_without,
    table,
    write_part,
)
from attnlogic.settings import whole
from attnlogic.studies.describing import by_kind, describe
from attnlogic.studies.folders import directory_of, new_directory
from attnlogic.studies.parts import write_in_parts
from attnlogic.studies.pieces import Piece, batch_of, pieces
from attnlogic.studies.progress import Progress
from attnlogic.studies.resuming import said_of
from attnlogic.studies.study import Condition, Study
from attnlogic.words import counted, printable


def run(
    study: Study,
    backend: str | Backend = "jax",
    out: str | os.PathLike[str] | None = None,
    *,
    jobs: int = 1,
    progress: bool | None = None,
    extend: bool = False,
    again: bool = False,
) -> Runs:
    """Run a study, writing its runs to disk as they come; or train what is missing of one.

    Args:
      study: the conditions and seeds.
      backend: a backend, or its name.
      out: a new or empty folder, or that of the same study: what is there and sound is kept, what
        is missing or damaged is trained. None for the folder under ``runs/`` that has this study,
        or else a new one there, named by the time of day.
      jobs: the number of processes, for a backend that uses several.
      progress: True for a progress bar on stderr, False for nothing there; None for a bar where
        stderr is a terminal, and else for a line now and then.
      extend: whether conditions and seeds that the folder's study has not are added to it.
      again: whether, without ``out``, a study that is under ``runs/`` is trained once more.

    Returns:
      The runs, as they are on disk.

    Raises:
      InputError: the study cannot be run as asked, the folder holds another, or another process
        writes to it; raised before anything is trained or made.
      OSError: the runs cannot be written; it names the file. Those written before are kept.
      KeyboardInterrupt: on Ctrl-C; the runs that were finished are on disk. If there are none, nor
        is the folder, unless it was there before.

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
    for condition in study.conditions:
        trainer.check(condition.training, processes)
    asked = describe(study, trainer, processes)
    folder = _folder(out, asked, extend=extend, again=again)
    with open_study(folder, asked, extend=extend) as opened:
        work = _Work(study, trainer, processes, opened, asked)
        if progress is not False:
            for line in said_of(opened, asked, work.total):
                print(printable(line), file=sys.stderr, flush=True)
        with Progress(work.total, show=progress) as bar:
            for group in work.groups():
                bar.describe(_described([study.conditions[k] for k in group]))
                work.train(group, bar)
    return load(folder)


def folder_of(study: Study, backend: str | Backend, jobs: int = 1) -> Path:
    """The folder that ``run`` writes to without ``out``: where the study lies, or a new one."""
    return directory_of(describe(study, find(backend), jobs))


class _Work:
    """What is to be trained: the runs of a study that are not on disk.

    Args:
      study: the study that was asked for.
      trainer: the backend.
      jobs: the number of its processes.
      opened: the folder's study, whose conditions may have other numbers.
      asked: the description of the study that was asked for.
    """

    def __init__(
        self, study: Study, trainer: Backend, jobs: int, opened: Opened, asked: dict[str, Any]
    ) -> None:
        self.study, self.trainer, self.jobs, self.runs = study, trainer, jobs, opened.runs
        there, stored = opened.runs.inventory().seeds, opened.runs.description["conditions"]
        number = {one["digest"]: i for i, one in enumerate(stored)}
        self.numbers = np.array([number[one["digest"]] for one in asked["conditions"]], np.uint32)
        self.folders = [
            opened.runs.description["kinds"][stored[i]["kind"]]["parts"] for i in self.numbers
        ]
        self.missing: list[SeedRanges] = [
            seeds_without(one["seeds"], there.get(i, ()))
            for i, one in zip(self.numbers.tolist(), asked["conditions"], strict=True)
        ]

    @property
    def total(self) -> int:
        """How many runs that is."""
        return sum(stop - start for ranges in self.missing for start, stop in ranges)

    def groups(self) -> list[list[int]]:
        """The conditions with something to train, in lists that share code and a folder."""
        found: dict[tuple[int, str], list[int]] = {}
        for kind, group in enumerate(by_kind(self.study.conditions)):
            for k in group:
                if self.missing[k]:
                    found.setdefault((kind, self.folders[k]), []).append(k)
        return [*found.values()]

    def train(self, group: Sequence[int], bar: Progress) -> None:
        """Train what is missing of some conditions that share code and a folder."""
        for piece in pieces([(k, self.missing[k]) for k in group]):
            batch = batch_of(self.study.conditions, piece)
            write = self._writer(self.folders[group[0]], batch.trainings[0].problem, piece)
            work = self.trainer.train(batch, jobs=self.jobs, on_progress=bar.advance)
            with closed(work) as outcomes:
                write_in_parts(outcomes, write)

    def _writer(
        self, folder: str, problem: Problem, piece: Piece
    ) -> Callable[[int, Outcome], None]:
        """What writes outcomes of a piece as a part of their kind's folder."""
        own = own_columns(problem, [*self.study.parameters])

        def write(first: int, outcomes: Outcome) -> None:
            some = slice(first, first + len(outcomes.first_hit))
            numbers, seeds = self.numbers[piece.conditions[some]], piece.seeds[some]
            rows = table(problem, self.study.precision, numbers, seeds, outcomes, own)
            write_part(self.runs, folder, rows)

        return write


def _described(conditions: Sequence[Condition]) -> str:
    """What is being trained, in a few words."""
    if len(conditions) == 1:
        return str(conditions[0])
    names = {condition.training.optimizer.name for condition in conditions}
    return f"{', '.join(names)}: {counted(len(conditions), 'condition')}"


def _folder(out: object, asked: dict[str, Any], *, extend: bool, again: bool) -> Path:
    if isinstance(out, str | os.PathLike):
        return Path(out)
    if out is not None:
        raise InputError(f"out: expected a folder such as 'runs/demo', got {described(out)}")
    if extend:
        raise InputError("extend: name the folder of the study that is added to, as out (--out)")
    return new_directory() if again else directory_of(asked)
